"""The program that a `post-receive` hook runs: tells the daemon what was pushed, prints its answer.

`hook.install_hook` copies this file into the repository's hooks folder, so it stands alone: only
the standard library, any Python 3. It never makes a push fail, and never makes one wait for long.
"""

import socket
import sys
import time


def say(line: str) -> None:
    """Print a line at once: git passes it on as `remote: …`."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(path: str, seconds: float) -> None:
    """Send standard input to the daemon's socket and print what comes back, for `seconds` at most."""
    request = sys.stdin.buffer.read()
    deadline = time.monotonic() + seconds
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as daemon:
        daemon.settimeout(2)
        try:
            daemon.connect(path)
            daemon.sendall(request)
            daemon.shutdown(socket.SHUT_WR)
        except OSError:
            say("gitops-ocm: the sync is not running; it will take up this push when it starts")
            return
        pending = b""
        while True:
            daemon.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                chunk = daemon.recv(65536)
            except TimeoutError:
                say("gitops-ocm: still at work; `kubectl get hubsyncs` on the hub tells how it goes")
                return
            except OSError:
                return
            if not chunk:
                break
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                say(line.decode("utf-8", "replace"))
        if pending:
            say(pending.decode("utf-8", "replace"))


if __name__ == "__main__":
    try:
        main(sys.argv[1], float(sys.argv[2]))
    except (OSError, ValueError, IndexError) as error:
        say(f"gitops-ocm: {error}")

"""A real control plane on loopback: etcd, kube-apiserver and kube-controller-manager, no nodes.

    with control_plane(programs, directory, manifests=crds) as plane:
        plane.kubeconfig

For tests and benchmarks only: etcd does not sync to disk, and everything is gone when it ends.
The API server speaks TLS, authenticates client certificates of its own CA and authorises by RBAC;
CSRs for the usual signers are signed by that CA. `python -m gitops_ocm.testing.controlplane` runs one
for people until interrupted.

Where the programs come from: `testing.programs`. A `Cluster` to talk to it: `testing.clusters`.
"""

from __future__ import annotations

import argparse
import ctypes
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gitops_ocm.apiserver.tls import Authority
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.kubeconfig_text import Kubeconfig
from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.programs import Programs, ensure

SERVICE_RANGE = "10.0.0.0/24"
CONTROLLERS = (
    "bootstrap-signer-controller",
    "certificatesigningrequest-approving-controller",
    "certificatesigningrequest-cleaner-controller",
    "certificatesigningrequest-signing-controller",
    "clusterrole-aggregation-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "resourcequota-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "token-cleaner-controller",
)
"""What a hub relies on. Workload controllers are left out: without nodes they only make noise."""

TOKENS = "service-accounts"
"""Whose key signs service account tokens."""

START_TIMEOUT = 90.0
STOP_TIMEOUT = 15.0


class DidNotStart(GitopsError):
    """A program of the control plane ended early or did not get ready; its last lines are included."""

    code = "control-plane-did-not-start"


class _AddressInUse(Exception):
    """Somebody took the port between our choosing it and the API server's binding it."""


@dataclass(frozen=True)
class ControlPlane:
    """One that runs: how to reach it, and what it is made of."""

    url: str
    kubeconfig: Path
    directory: Path
    authority: Authority
    programs: Programs
    pids: dict[str, int]

    @property
    def kubectl(self) -> list[str]:
        """The start of a kubectl command line for it; its caches stay in `directory`."""
        return [
            str(self.programs.kubectl),
            f"--kubeconfig={self.kubeconfig}",
            f"--cache-dir={self.directory / 'kubectl'}",
        ]

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """A kubeconfig of another user, whom RBAC knows by `user` and `groups`."""
        return _kubeconfig(self.authority, self.directory, self.url, user, groups)


@contextmanager
def control_plane(
    programs: Programs, directory: Path, *, manifests: Iterable[Object] = ()
) -> Iterator[ControlPlane]:
    """Start one with its files in `directory`, and end it on leaving.

    `manifests` (CRDs, say) are created before the controllers start: the garbage collector looks for
    new kinds only every 30 s.
    """
    manifests = list(manifests)
    for _ in range(3):
        with ExitStack() as stack:
            try:
                plane = _start(programs, directory, manifests, stack)
            except _AddressInUse:
                continue
            yield plane
            return
    raise DidNotStart("no free port for kube-apiserver in three tries")


def _start(programs: Programs, directory: Path, manifests: list[Object], stack: ExitStack) -> ControlPlane:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = Authority.open(directory / "pki", now=datetime.now(UTC))
    port = _free_port()
    url = f"https://127.0.0.1:{port}"
    kubeconfig = _kubeconfig(authority, directory, url, "admin", ["system:masters"])
    # A Unix socket: no port to fight for, and nobody else on this machine can read the store. Its path
    # must be short, so it has a directory of its own.
    sockets = stack.enter_context(tempfile.TemporaryDirectory(prefix="gitops-ocm-etcd-"))

    def start(name: str, command: Sequence[str]) -> _Running:
        return stack.enter_context(_program(name, command, directory))

    etcd = start("etcd", _etcd_command(programs, directory, sockets))
    _wait(lambda: Path(sockets, "client").exists(), etcd)
    apiserver = start("kube-apiserver", _apiserver_command(programs, authority, port, sockets))
    client = _Client(port, authority)
    _wait(lambda: client.get("/readyz") is not None, apiserver)
    for manifest in manifests:
        client.create(manifest)
    manager = _kubeconfig(authority, directory, url, "system:kube-controller-manager")
    controllers = start("kube-controller-manager", _manager_command(programs, authority, manager))
    # The account appears once the controllers run.
    _wait(lambda: client.get("/api/v1/namespaces/default/serviceaccounts/default") is not None, controllers)
    pids = {p.name: p.process.pid for p in (etcd, apiserver, controllers)}
    return ControlPlane(url, kubeconfig, directory, authority, programs, pids)


def _etcd_command(programs: Programs, directory: Path, sockets: str) -> list[str]:
    return [
        str(programs.etcd),
        f"--data-dir={directory / 'etcd'}",
        f"--listen-client-urls=unix://{sockets}/client",
        "--advertise-client-urls=http://127.0.0.1:0",  # never used, but must be told
        "--listen-peer-urls=http://127.0.0.1:0",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _apiserver_command(programs: Programs, authority: Authority, port: int, sockets: str) -> list[str]:
    authority.server([], now=datetime.now(UTC))
    authority.client(TOKENS, now=datetime.now(UTC))
    pki = authority.directory
    return [
        str(programs.apiserver),
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--etcd-servers=unix://{sockets}/client",
        f"--tls-cert-file={pki}/server.crt",
        f"--tls-private-key-file={pki}/server.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--service-account-key-file={pki}/client-{TOKENS}.crt",
        f"--service-account-signing-key-file={pki}/client-{TOKENS}.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--authorization-mode=RBAC",
        "--enable-bootstrap-token-auth=true",
        "--endpoint-reconciler-type=none",
        "--allow-privileged=true",
        "--profiling=false",
        # No pod ever runs here, and a pod made right after its namespace must not have to wait.
        "--disable-admission-plugins=ServiceAccount",
    ]


def _manager_command(programs: Programs, authority: Authority, kubeconfig: Path) -> list[str]:
    pki = authority.directory
    return [
        str(programs.controller_manager),
        f"--kubeconfig={kubeconfig}",
        f"--controllers={','.join(CONTROLLERS)}",
        "--leader-elect=false",
        "--secure-port=0",
        "--use-service-account-credentials=true",  # each controller under its own role, as in a real cluster
        f"--cluster-signing-cert-file={pki}/ca.crt",
        f"--cluster-signing-key-file={pki}/ca.key",
        f"--root-ca-file={pki}/ca.crt",
        f"--service-account-private-key-file={pki}/client-{TOKENS}.key",
        "--kube-api-qps=300",
        "--kube-api-burst=600",
        "--concurrent-namespace-syncs=20",
        "--profiling=false",
    ]


@dataclass(frozen=True)
class _Running:
    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])


@contextmanager
def _program(name: str, command: Sequence[str], directory: Path) -> Iterator[_Running]:
    """Run one program with its output in `directory/NAME.log`; end it by its pid on leaving."""
    log = directory / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # an interrupt on the terminal is ours to handle
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
    try:
        yield _Running(name, process, log)
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _die_with_parent() -> None:
    """In the child: be told to end when the test process is killed and can no longer say so."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def _wait(ready: Callable[[], bool], program: _Running) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    pause = 0.01
    while not ready():
        if program.process.poll() is not None:
            if "address already in use" in program.tail():
                raise _AddressInUse
            raise DidNotStart(
                f"{program.name} ended with status {program.process.returncode}:\n{program.tail()}",
                hint=f"its log is {program.log}",
            )
        if time.monotonic() > deadline:
            raise DidNotStart(
                f"{program.name} was not ready after {START_TIMEOUT:.0f} s:\n{program.tail()}",
                hint=f"its log is {program.log}",
            )
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)


class _Client:
    """The few requests that starting needs; tests use a `Cluster`."""

    def __init__(self, port: int, authority: Authority) -> None:
        self._port = port
        pki = authority.directory
        self._tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._tls.load_cert_chain(pki / "client-admin.crt", pki / "client-admin.key")

    def get(self, path: str) -> bytes | None:
        """The body of a 200 answer; None for anything else, a refused connection included."""
        try:
            status, body = self._request("GET", path)
        except OSError:
            return None
        return body if status == 200 else None

    def create(self, obj: Object) -> None:
        """POST one object; only CRDs are needed so far, so the path is theirs."""
        path = f"/apis/{obj['apiVersion']}/{obj['kind'].lower()}s"
        status, body = self._request("POST", path, obj)
        if status not in (201, 409):
            message = json.loads(body).get("message", "")
            raise DidNotStart(f"creating {obj['kind']} {obj['metadata']['name']} failed: {message}")

    def _request(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, context=self._tls, timeout=30)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _kubeconfig(
    authority: Authority, directory: Path, url: str, user: str, groups: Sequence[str] = ()
) -> Path:
    """Write the kubeconfig of one user; the admin's is the one without a prefix."""
    pair = authority.client(user, groups, now=datetime.now(UTC))
    plain = "".join(c if c.isalnum() else "-" for c in user)
    path = directory / ("kubeconfig" if user == "admin" else f"{plain}.kubeconfig")
    Kubeconfig(
        server=url,
        ca=authority.pem,
        certificate=pair.certificate,
        key=pair.key,
        cluster="test",
        user=user,
        context="test",
    ).write(path)
    return path


def main() -> None:
    """Run a control plane until interrupted, and say where its kubeconfig is."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--module", type=Path, default=Path("tests/controlplane"), help="to build from")
    parser.add_argument("--no-crds", action="store_true", help="leave the OCM kinds out")
    options = parser.parse_args()
    manifests: Sequence[Object] = ()
    if not options.no_crds:
        from gitops_ocm.api.crd import crds

        manifests = crds()
    try:
        programs = ensure(os.environ, options.module if options.module.is_dir() else None)
        with (
            tempfile.TemporaryDirectory(prefix="gitops-ocm-control-plane-") as directory,
            control_plane(programs, Path(directory), manifests=manifests) as plane,
        ):
            sys.stdout.write(f"{plane.kubeconfig}\n")
            sys.stdout.flush()
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            signal.pause()
    except KeyboardInterrupt:
        return
    except GitopsError as error:
        sys.exit(f"{error.message}\n{error.hint}".strip())


if __name__ == "__main__":
    main()

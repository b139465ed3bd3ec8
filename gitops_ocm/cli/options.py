"""Options that several commands share, and what they come to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from gitops_ocm.kube.client import HttpCluster

F = TypeVar("F", bound=Callable[..., Any])


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


def connect(kubeconfig: Path | None, context: str | None = None) -> HttpCluster:
    """The API server that the options, or else the environment, name."""
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.kube.identity import KubeconfigError, in_cluster, load_kubeconfig

    if kubeconfig is not None:
        return HttpCluster(load_kubeconfig(kubeconfig, context))
    if named := os.environ.get("KUBECONFIG"):
        paths = [Path(p) for p in named.split(os.pathsep) if p and Path(p).exists()]
        if not paths:
            raise KubeconfigError(
                f"$KUBECONFIG names {named}, which does not exist",
                hint="give --kubeconfig FILE, or correct the variable",
            )
        return HttpCluster(load_kubeconfig(paths, context))
    home = Path.home() / ".kube" / "config"
    if home.exists():
        return HttpCluster(load_kubeconfig(home, context))
    if host := os.environ.get("KUBERNETES_SERVICE_HOST"):
        return HttpCluster(in_cluster(host, os.environ.get("KUBERNETES_SERVICE_PORT", "443")))
    raise KubeconfigError(
        "no hub was named",
        hint="give --kubeconfig FILE, set $KUBECONFIG, or make ~/.kube/config",
    )


def cache_dir() -> Path:
    """Where clones and parsed files are kept: `$XDG_CACHE_HOME/gitops-ocm`, else `~/.cache/gitops-ocm`."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "gitops-ocm"


def data_dir(what: str) -> Path:
    """Where something keeps its state by default: `$XDG_DATA_HOME/gitops-ocm/<what>`."""
    root = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(root) / "gitops-ocm" / what

"""Options with several values, and the clusters that a command is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from gitops_ocm.cli.flags import switch

F = TypeVar("F", bound=Callable[..., Any])


def names_option(*declarations: str, help: str, pattern: str = ",", **attributes: Any) -> Callable[[F], F]:
    """An option that takes `a,b` and may be repeated; `pattern` says what separates."""
    import re

    def split(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part for text in given for part in re.split(pattern, text)))

    return click.option(*declarations, multiple=True, callback=split, help=help, **attributes)


def cluster_options(command: F) -> F:
    """`-c/--cluster NAME` and `--clusters NAME,…`."""
    clusters = names_option("--clusters", metavar="NAME,…", help="Names of managed clusters.")
    one = click.option("-c", "--cluster", default="", metavar="NAME", help="Name of a managed cluster.")
    return one(clusters(command))


def clusters_of(options: dict[str, Any], *, required: bool = True) -> tuple[str, ...]:
    """The clusters that `cluster_options` came to, sorted; takes them out of `options`."""
    one, several = options.pop("cluster"), options.pop("clusters")
    if "" in several:
        raise click.UsageError("--clusters cannot be set as an empty value")
    names = {*several, one} - {""}
    if required and not names:
        raise click.UsageError("either --cluster or --clusters needs to be set")
    return tuple(sorted(names))


def manifest_options(command: F) -> F:
    """`-f`, `-R` and `-k`."""
    recursive = switch("-R", "--recursive", default=True, help="Take the folders below those of -f too.")
    files = click.option(
        "-f",
        "--filename",
        "filenames",
        multiple=True,
        metavar="FILE",
        help="Manifests: a file, a folder, or - for standard input; repeat it for more.",
    )
    kustomize = click.option(
        "-k", "--kustomize", metavar="DIR", help="Not built in: kubectl kustomize DIR | ... -f -"
    )
    return files(kustomize(recursive(command)))


def check_manifests(filenames: tuple[str, ...], kustomize: str | None) -> None:
    """What has to be given, and what cannot be."""
    if kustomize is not None:
        raise click.UsageError(f"-k is not built in: kubectl kustomize {kustomize} | gitops-ocm ... -f -")
    if not filenames:
        raise click.UsageError("manifest files must be specified")

"""`gitops-ocm create`: cluster sets, placements, works, a sample application."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.change_options import Destination, change_options
from gitops_ocm.cli.flags import GoCommand, limit_option, switch
from gitops_ocm.cli.list_options import (
    check_manifests,
    cluster_options,
    clusters_of,
    manifest_options,
    names_option,
)
from gitops_ocm.cli.options import kubeconfig_options

if TYPE_CHECKING:
    from gitops_ocm.verbs.targets import Target
    from gitops_ocm.verbs.voice import Voice

_OUTSIDE_PARENTHESES = r",(?![^()]*\))"


@click.group()
def create() -> None:
    """Make cluster sets, placements, works."""


@create.command(cls=GoCommand)
@kubeconfig_options
@click.argument("names", nargs=-1)
@limit_option
@change_options
def clusterset(names: tuple[str, ...], **options: Any) -> int:
    """Make a cluster set."""
    if len(names) != 1:
        which = (
            "only one clusterset can be created" if names else "the name of the clusterset must be specified"
        )
        raise click.UsageError(which)

    async def work(target: Target, voice: Voice) -> None:
        from gitops_ocm.verbs.clustersets import create_set

        await create_set(target, voice, names[0])

    return Destination.taken_from(options).run(work, f"Make cluster set {names[0]}")


@create.command(cls=GoCommand)
@kubeconfig_options
@click.argument("name")
@click.option("--namespace", default="default", show_default=True, help="The namespace it is in.")
@names_option("--clustersets", metavar="NAME,…", help="Sets to select from; bound to the namespace.")
@click.option("--count", default=0, type=click.IntRange(min=0), help="How many clusters.  [default: all]")
@names_option(
    "--label-selectors",
    metavar="SELECTOR,…",
    pattern=_OUTSIDE_PARENTHESES,
    help="k=v, k in (a,b), k notin (a,b), k, !k; a cluster has to match one of them.",
)
@names_option(
    "--prioritizers",
    metavar="PRIORITIZER,…",
    help="BuiltIn:<type>:<weight> or AddOn:<resource>:<score>:<weight>.",
)
@switch("--overwrite", help="Give it a new spec if it is there.")
@limit_option
@change_options
def placement(
    name: str,
    namespace: str,
    clustersets: tuple[str, ...],
    count: int,
    label_selectors: tuple[str, ...],
    prioritizers: tuple[str, ...],
    overwrite: bool,
    **options: Any,
) -> int:
    """Make a placement."""

    async def work(target: Target, voice: Voice) -> None:
        from gitops_ocm.verbs.placements import PlacementFlags, create_placement

        flags = PlacementFlags(clustersets, count, label_selectors, prioritizers)
        await create_placement(target, voice, name, namespace, flags, overwrite=overwrite)

    return Destination.taken_from(options).run(work, f"Make placement {namespace}/{name}")


@create.command(cls=GoCommand)
@kubeconfig_options
@click.argument("name")
@manifest_options
@cluster_options
@click.option("--placement", default="", metavar="NAMESPACE/NAME", help="Whose clusters get it.")
@switch("-r", "--replicaset", help="A ManifestWorkReplicaSet, which follows the placement.")
@switch("--overwrite", help="Change it if it is there.")
@limit_option
@change_options
def work(
    name: str,
    filenames: tuple[str, ...],
    kustomize: str | None,
    recursive: bool,
    placement: str,
    replicaset: bool,
    overwrite: bool,
    **options: Any,
) -> int:
    """Have clusters run manifests."""
    clusters = clusters_of(options, required=False)
    _check_work(clusters, placement, replicaset)
    check_manifests(filenames, kustomize)

    async def act(target: Target, voice: Voice) -> None:
        from gitops_ocm.verbs import works
        from gitops_ocm.verbs.manifests import read_manifests

        manifests = read_manifests(filenames, recursive=recursive)
        if not placement:
            await works.create_works(target, voice, name, manifests, clusters, overwrite=overwrite)
            return
        make = works.create_replica_set if replicaset else works.create_works_placed
        await make(target, voice, name, manifests, placement, overwrite=overwrite)

    return Destination.taken_from(options).run(act, f"Have {', '.join(clusters) or placement} run {name}")


def _check_work(clusters: tuple[str, ...], placement: str, replicaset: bool) -> None:
    if replicaset and not placement:
        raise click.UsageError("--placement must be specified when enable --replicaset")
    if not clusters and not placement:
        raise click.UsageError("--clusters or --placement must be specified")
    if clusters and placement:
        raise click.UsageError("--clusters and --placement can only specify one")


@create.command(cls=GoCommand)
@kubeconfig_options
@click.argument("name", default="sampleapp")
@click.option(
    "--output-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what was applied into a file.",
)
@limit_option
@change_options
def sampleapp(name: str, output_file: Path | None, **options: Any) -> int:
    """Put an example application on clusters by Argo CD."""

    async def work(target: Target, voice: Voice) -> None:
        from gitops_ocm.verbs.manifests import write_manifests
        from gitops_ocm.verbs.sample_app import create_sample_app

        made = await create_sample_app(target, voice, name)
        if output_file is not None:
            write_manifests(output_file, [made])

    return Destination.taken_from(options).run(work, f"Deploy the sample application {name}")

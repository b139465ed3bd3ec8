"""`gitops-ocm addon`: add-ons on clusters, and new ones."""

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

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def addon() -> None:
    """Enable and disable add-ons on clusters, and make new ones."""


@addon.command(cls=GoCommand)
@kubeconfig_options
@cluster_options
@names_option("--names", metavar="NAME,…", help="The add-ons.")
@click.option(
    "-n",
    "--namespace",
    default="open-cluster-management-agent-addon",
    show_default=True,
    help="Where their agents go on the clusters.",
)
@names_option("--annotate", metavar="KEY=VALUE,…", help="Annotations for the ManagedClusterAddOns.")
@names_option("--labels", metavar="KEY=VALUE,…", help="Labels for the ManagedClusterAddOns.")
@click.option("--config-file", metavar="FILE", help="Configurations to write and to refer to.")
@click.option("--output-file", type=_FILE, metavar="FILE", help="Write what was applied of --config-file.")
@limit_option
@change_options
def enable(
    names: tuple[str, ...],
    namespace: str,
    annotate: tuple[str, ...],
    labels: tuple[str, ...],
    config_file: str | None,
    output_file: Path | None,
    **options: Any,
) -> int:
    """Install add-ons on clusters."""
    _check_names(names)
    clusters = clusters_of(options)

    async def work(target: Target, voice: Voice) -> None:
        from gitops_ocm.verbs.addons import enable, pairs
        from gitops_ocm.verbs.manifests import read_manifests, write_manifests

        configs = read_manifests([config_file]) if config_file else []
        await enable(
            target,
            voice,
            sorted(names),
            clusters,
            namespace=namespace,
            annotations=pairs(annotate, "annotation"),
            labels=pairs(labels, "label"),
            config_objects=configs,
        )
        if output_file is not None:
            write_manifests(output_file, configs)

    subject = f"Enable {', '.join(sorted(names))} on {', '.join(clusters)}"
    return Destination.taken_from(options).run(work, subject)


@addon.command(cls=GoCommand)
@kubeconfig_options
@cluster_options
@names_option("--names", metavar="NAME,…", help="The add-ons.")
@switch("--wait", help="Return when they are gone, and say meanwhile what they wait for.")
@limit_option
@change_options
def disable(names: tuple[str, ...], wait: bool, **options: Any) -> int:
    """Remove add-ons from clusters; from all where none is named."""
    _check_names(names)
    clusters = clusters_of(options, required=False)
    seconds = options["limit"]

    async def work(target: Target, voice: Voice) -> None:
        from gitops_ocm.verbs.addons import disable
        from gitops_ocm.verbs.waiting import Patience

        await disable(target, voice, sorted(names), clusters, Patience(seconds) if wait else None)

    subject = f"Disable {', '.join(sorted(names))} on {', '.join(clusters) or 'every cluster'}"
    return Destination.taken_from(options).run(work, subject)


@addon.command(cls=GoCommand)
@kubeconfig_options
@click.argument("name")
@manifest_options
@click.option("--version", default="0.0.1", show_default=True, help="Of the add-on; a part of its template.")
@switch("--overwrite", help="Change it if it is there.")
@switch("--hub-registration", help="Its agent gets a kubeconfig for the hub.")
@click.option("--cluster-role-bind", default="", metavar="NAME", help="ClusterRole of its agent on the hub.")
@names_option("--labels", metavar="KEY=VALUE,…", help="Labels for both objects.")
@click.option("--placement-ref", default="", metavar="NAMESPACE/NAME", help="Whose clusters get it.")
@limit_option
@change_options
def create(
    name: str,
    filenames: tuple[str, ...],
    kustomize: str | None,
    recursive: bool,
    version: str,
    overwrite: bool,
    hub_registration: bool,
    cluster_role_bind: str,
    labels: tuple[str, ...],
    placement_ref: str,
    **options: Any,
) -> int:
    """Make an add-on of manifests."""
    check_manifests(filenames, kustomize)

    async def work(target: Target, voice: Voice) -> None:
        from gitops_ocm.verbs.addon_create import AddonFlags, create_addon
        from gitops_ocm.verbs.addons import pairs
        from gitops_ocm.verbs.manifests import read_manifests

        flags = AddonFlags(
            name, version, hub_registration, cluster_role_bind, pairs(labels, "label"), placement_ref
        )
        manifests = read_manifests(filenames, recursive=recursive)
        await create_addon(target, voice, flags, manifests, overwrite=overwrite)

    return Destination.taken_from(options).run(work, f"Make the add-on {name}")


def _check_names(names: tuple[str, ...]) -> None:
    if not any(names):
        raise click.UsageError("names is missing")

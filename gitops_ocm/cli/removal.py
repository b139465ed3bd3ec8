"""`gitops-ocm unjoin` and `gitops-ocm clean`: a cluster that is no managed one, or no hub, any more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.flags import switch
from gitops_ocm.cli.install_options import FILE, patience_of, perform, save_applied, verb_options

if TYPE_CHECKING:
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.kube.identity import Connection
    from gitops_ocm.objects.ref import Object
    from gitops_ocm.verbs.voice import Voice


def _removal_options(command: Any) -> Any:
    command = click.option("--output-file", type=FILE, metavar="FILE", help="Save what is removed.")(command)
    return switch("--purge-operator", default=True, help="Remove the operator, too.")(command)


@click.command()
@verb_options
@_removal_options
@click.option("--cluster-name", default="", metavar="NAME", help="What the hub calls this cluster.")
def unjoin(cluster_name: str, purge_operator: bool, output_file: Path | None, **options: Any) -> None:
    """Remove the agents from a managed cluster. The hub's side of it stays."""

    async def work(cluster: HttpCluster, at: Connection, voice: Voice) -> list[Object]:
        from gitops_ocm.verbs.unjoin import UnjoinOptions
        from gitops_ocm.verbs.unjoin import unjoin as remove

        chosen = UnjoinOptions(cluster_name, purge_operator, options["dry_run"], patience_of(options))
        return await remove(cluster, chosen, voice)

    save_applied(output_file, perform(options, work))


@click.command()
@verb_options
@_removal_options
@click.option("--name", default="cluster-manager", show_default=True, help="The ClusterManager.")
def clean(name: str, purge_operator: bool, output_file: Path | None, **options: Any) -> None:
    """Remove the hub from a cluster. Managed clusters have to unjoin before."""

    async def work(hub: HttpCluster, at: Connection, voice: Voice) -> list[Object]:
        from gitops_ocm.verbs.clean import CleanOptions
        from gitops_ocm.verbs.clean import clean as remove

        chosen = CleanOptions(name, purge_operator, options["dry_run"], patience_of(options))
        return await remove(hub, chosen, voice)

    save_applied(output_file, perform(options, work))

"""`gitops-ocm upgrade clustermanager` and `upgrade klusterlet`: another version of what runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.flags import switch
from gitops_ocm.cli.install_options import (
    FILE,
    image_from,
    image_options,
    patience_of,
    perform,
    verb_options,
)

if TYPE_CHECKING:
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.kube.cluster import Cluster
    from gitops_ocm.kube.identity import Connection
    from gitops_ocm.verbs.upgrade import UpgradeOptions
    from gitops_ocm.verbs.voice import Voice

_wait = switch("--wait", help="Wait until the new version runs.")


@click.group()
def upgrade() -> None:
    """Change the version of a hub's components or of a managed cluster's agents."""


@upgrade.command(short_help="Upgrade the components of a hub.")
@verb_options
@image_options
@_wait
@click.option(
    "--cluster-manager-values-file", type=FILE, metavar="FILE", help="Values of OCM's chart that come last."
)
def clustermanager(wait: bool, cluster_manager_values_file: Path | None, **options: Any) -> None:
    """Upgrade the hub's components; every other setting of theirs stays."""
    from gitops_ocm.verbs.upgrade import upgrade_hub

    _perform(upgrade_hub, options, wait, cluster_manager_values_file, "clusterManager")


@upgrade.command(short_help="Upgrade the agents of a managed cluster.")
@verb_options
@image_options
@_wait
@click.option(
    "--klusterlet-values-file", type=FILE, metavar="FILE", help="Values of OCM's chart that come last."
)
def klusterlet(wait: bool, klusterlet_values_file: Path | None, **options: Any) -> None:
    """Upgrade a managed cluster's agents; every other setting of theirs stays."""
    from gitops_ocm.verbs.upgrade import upgrade_klusterlet

    _perform(upgrade_klusterlet, options, wait, klusterlet_values_file, "klusterlet")


def _perform(
    verb: Callable[[Cluster, UpgradeOptions, Voice], Awaitable[None]],
    options: dict[str, Any],
    wait: bool,
    file: Path | None,
    section: str,
) -> None:
    async def work(cluster: HttpCluster, at: Connection, voice: Voice) -> None:
        from gitops_ocm.verbs.chart_values import read_values
        from gitops_ocm.verbs.upgrade import UpgradeOptions

        chosen = UpgradeOptions(
            image=image_from(options),
            values=read_values(file, section),
            wait=wait,
            dry_run=options["dry_run"],
            patience=patience_of(options),
        )
        await verb(cluster, chosen, voice)

    perform(options, work)

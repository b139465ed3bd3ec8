"""`gitops-ocm operator`: what keeps a hub's or a cluster's components on a Kubernetes."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import click

from gitops_ocm.cli.health import Place, health_option, observing
from gitops_ocm.cli.options import answering, connect, kubeconfig_options, log_options
from gitops_ocm.cli.process import run


@click.group("operator")
def operator() -> None:
    """Look after ClusterManagers or Klusterlets on a Kubernetes."""


@operator.command("run", short_help="Keep what ClusterManagers or Klusterlets ask for.")
@click.option(
    "--role",
    type=click.Choice(["hub", "klusterlet"]),
    required=True,
    help="Which: ClusterManagers on a hub, or Klusterlets on a managed cluster.",
)
@click.option(
    "--image",
    metavar="IMAGE",
    help="What components run unless their object names another image.  [default: gitops-ocm:<version>]",
)
@click.option(
    "--deployment-replicas",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Pods of each component.  [default: 3 with several control plane nodes, else 1]",
)
@click.option(
    "--control-plane-node-label-selector",
    default="node-role.kubernetes.io/master=",
    show_default=True,
    metavar="LABEL",
    help="What the nodes of the control plane are labelled with.",
)
@click.option(
    "--addon-namespace/--no-addon-namespace",
    default=True,
    show_default=True,
    help="Make the namespace open-cluster-management-agent-addon on managed clusters.",
)
@health_option
@kubeconfig_options
@log_options
def run_command(
    role: str,
    health_listen: Place | None,
    image: str | None,
    deployment_replicas: int,
    control_plane_node_label_selector: str,
    addon_namespace: bool,
    kubeconfig: Path | None,
    context: str | None,
    log_level: str,
    log_format: str,
) -> None:
    """Make what every ClusterManager (or Klusterlet) asks for, keep it so, and say how it fares."""

    async def work(stop: asyncio.Event) -> None:
        from gitops_ocm.decide.operators.settings import BUNDLE_VERSION, OperatorSettings
        from gitops_ocm.operator.install import default_image
        from gitops_ocm.operator.process import Role, run_operator
        from gitops_ocm.runtime.log import get_logger

        settings = OperatorSettings(
            image or default_image(),
            BUNDLE_VERSION,
            replicas=deployment_replicas,
            control_plane_label=control_plane_node_label_selector.removesuffix("="),
            addon_namespace=addon_namespace,
        )
        started = time.monotonic()
        cluster = connect(kubeconfig, context)

        def ready() -> None:
            seconds = round(time.monotonic() - started, 2)
            get_logger("operator").info("operator runs", role=role, server=cluster.server, seconds=seconds)

        try:
            async with observing(health_listen, cluster) as health:
                if not await answering(cluster, stop):
                    return
                health.ready()
                await run_operator(cluster, Role(role), settings, stop, ready=ready)
        finally:
            await cluster.close()

    run(work, level=log_level, form=log_format)

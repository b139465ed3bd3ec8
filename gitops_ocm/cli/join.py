"""`gitops-ocm join`: install the agents on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.flags import switch
from gitops_ocm.cli.install_options import (
    FILE,
    install_options,
    perform,
    save_applied,
    verb_options,
    write_private,
)

if TYPE_CHECKING:
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.kube.identity import Connection
    from gitops_ocm.verbs.join import Joining
    from gitops_ocm.verbs.voice import Voice

YEAR = 31536000


@click.command()
@verb_options
@install_options
@click.option("--hub-token", default="", metavar="TOKEN", help="The token that init or get token printed.")
@click.option("--hub-apiserver", default="", metavar="URL", help="The hub's API server.")
@click.option("--cluster-name", default="", metavar="NAME", help="What the hub is to call this cluster.")
@click.option("--ca-file", type=FILE, metavar="FILE", help="The hub's CA.  [default: asked of the hub]")
@switch("--force-internal-endpoint-lookup", help="Have agents use the address that the hub publishes.")
@switch(
    "--force-internal-endpoint-lookup-managed",
    help="With --mode hosted: have agents use the address that the managed cluster publishes.",
)
@switch("--wait", help="Wait until the agents run and the hub knows of the cluster.")
@click.option(
    "-m", "--mode", default="default", show_default=True, help="Where agents run: default or hosted."
)
@click.option(
    "--managed-cluster-kubeconfig",
    type=FILE,
    metavar="FILE",
    help="With --mode hosted: the cluster that is managed.",
)
@switch("--singleton", help="Run all agents in one pod.")
@click.option("--proxy-url", default="", metavar="URL", help="The proxy by which agents reach the hub.")
@click.option("--proxy-ca-file", type=FILE, metavar="FILE", help="The CA of that proxy.")
@click.option(
    "--client-cert-expiration-seconds",
    type=click.IntRange(min=3600),
    default=YEAR,
    show_default=True,
    help="How long the agents' certificate is to live.",
)
@click.option(
    "--klusterlet-annotation",
    multiple=True,
    metavar="KEY=VALUE",
    help="An annotation for the ManagedCluster.",
)
@click.option(
    "--registration-auth", default="csr", show_default=True, help="How to register: csr, awsirsa or grpc."
)
@click.option("--hub-cluster-arn", default="", metavar="ARN", help="With awsirsa: the hub as EKS names it.")
@click.option("--managed-cluster-arn", default="", metavar="ARN", help="With awsirsa: this cluster.")
@click.option("--grpc-server", default="", metavar="HOST", help="With grpc: the hub's gRPC server.")
@click.option(
    "--grpc-ca-file", type=FILE, metavar="FILE", help="With grpc: its CA.  [default: asked of the hub]"
)
@click.option(
    "--addon-kubeclient-registration-auth",
    default="csr",
    show_default=True,
    help="How add-ons get access to the hub: csr or token.",
)
@click.option(
    "--addon-token-expiration-seconds",
    type=int,
    default=0,
    help="With token: how long it lives; 0 leaves it open.",
)
@click.option(
    "--feature-gates", default="", metavar="NAME=true|false,…", help="OCM's feature gates of agents."
)
@click.option(
    "--klusterlet-values-file", type=FILE, metavar="FILE", help="Values of OCM's chart that come last."
)
@click.option(
    "--output-bootstrap-kubeconfig",
    type=FILE,
    metavar="FILE",
    help="Write what the agent begins with to a file, for one that runs as a process.",
)
def join(wait: bool, output_bootstrap_kubeconfig: Path | None, **options: Any) -> None:
    """Install the agents on a cluster, which then asks the hub to be let in."""

    async def work(cluster: HttpCluster, at: Connection, voice: Voice) -> Joining:
        from gitops_ocm.cli.join_options import join_options
        from gitops_ocm.verbs.join import join as install
        from gitops_ocm.verbs.joined import wait_until_joined

        chosen, managed = await join_options(options, at, voice)
        try:
            done = await install(cluster, chosen, voice)
        finally:
            if managed is not None:
                await managed.close()
        if output_bootstrap_kubeconfig is not None and not chosen.dry_run:
            write_private(output_bootstrap_kubeconfig, done.bootstrap)
        if wait and not chosen.dry_run:
            await wait_until_joined(cluster, chosen.access, done, voice, chosen.patience)
        return done

    done = perform(options, work)
    save_applied(options["output_file"], done.applied)
    if options["dry_run"]:
        return
    click.echo(
        "Please log onto the hub cluster and run the following command:\n\n"
        f"    gitops-ocm accept --clusters {options['cluster_name']}\n\n"
        "This is not needed when the ManagedClusterAutoApproval feature is enabled"
    )

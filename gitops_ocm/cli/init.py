"""`gitops-ocm init`: make a cluster the hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.flags import switch
from gitops_ocm.cli.install_options import (
    FILE,
    flat,
    image_from,
    install_options,
    names_option,
    operator_options,
    patience_of,
    perform,
    save_applied,
    verb_options,
    write_private,
)

if TYPE_CHECKING:
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.kube.identity import Connection
    from gitops_ocm.verbs.init import InitOptions, InitResult
    from gitops_ocm.verbs.tokens import JoinInfo
    from gitops_ocm.verbs.voice import Voice

OUTPUTS = click.Choice(["text", "json", "yaml"])


@click.command()
@verb_options
@install_options
@switch("--wait", help="Wait until operator and controllers are ready.")
@switch("--force", help="Do without the checks beforehand.")
@switch("--use-bootstrap-token", help="Make a token that stays, not one of an hour.")
@click.option(
    "--feature-gates", default="", metavar="NAME=true|false,…", help="OCM's feature gates of the hub."
)
@names_option(
    "--registration-drivers", metavar="NAME,…", help="How clusters may register: csr, awsirsa, grpc."
)
@names_option("--auto-approved-csr-identities", metavar="USER,…", help="Whose clusters need no approval.")
@names_option(
    "--auto-approved-arn-patterns", metavar="PATTERN,…", help="Which EKS clusters need no approval."
)
@names_option("--auto-approved-grpc-identities", metavar="USER,…", help="Whose clusters need none, by gRPC.")
@click.option("--hub-cluster-arn", default="", metavar="ARN", help="The hub as EKS names it.")
@names_option("--aws-resource-tags", metavar="KEY=VALUE,…", help="Tags of what is made in AWS.")
@click.option("--grpc-server", default="", metavar="HOST", help="The host of the hub's gRPC server.")
@click.option(
    "--grpc-endpoint-type",
    default="hostname",
    show_default=True,
    metavar="TYPE",
    help="How that is reached: hostname or loadBalancer.",
)
@click.option(
    "--cluster-manager-values-file", type=FILE, metavar="FILE", help="Values of OCM's chart that come last."
)
@click.option(
    "--output-join-command-file",
    type=FILE,
    metavar="FILE",
    help="Write a script that joins the cluster that is its argument.",
)
@click.option(
    "-o", "--output", type=OUTPUTS, default="text", show_default=True, help="How to print the token."
)
def init(wait: bool, output: str, output_join_command_file: Path | None, **options: Any) -> None:
    """Make a cluster the hub: install the operator and print how clusters join.

    The printed token is good for an hour: `gitops-ocm get token` gives another one.
    """

    async def work(hub: HttpCluster, at: Connection, voice: Voice) -> InitResult:
        from gitops_ocm.verbs.init import init as initialize
        from gitops_ocm.verbs.voice import VerbError

        if wait and output != "text":
            raise VerbError("output should be text if --wait is set", hint="leave out --wait or --output")
        return await initialize(hub, at, _options(options, wait=wait), voice)

    done = perform(options, work, quiet=output != "text")
    save_applied(options["output_file"], done.applied)
    if done.join is None:
        return
    if output_join_command_file is not None:
        script = f"#!/bin/sh\n{done.join.command(wait=wait)} --cluster-name $1\n"
        write_private(output_join_command_file, script.encode(), mode=0o700)
    if output == "text":
        _print_welcome(done.join, wait=wait)
    else:
        print_fields(done.join, output)


def _options(options: dict[str, Any], *, wait: bool) -> InitOptions:
    from gitops_ocm.api.feature_gates import HUB, parse_gates
    from gitops_ocm.verbs.chart_values import read_values
    from gitops_ocm.verbs.hub_objects import HubSpec
    from gitops_ocm.verbs.init import InitOptions

    operator = operator_options(options)
    spec = HubSpec(
        image=image_from(options),
        gates=parse_gates(options["feature_gates"], HUB),
        drivers=flat(options["registration_drivers"]),
        csr_identities=flat(options["auto_approved_csr_identities"]),
        arn_patterns=flat(options["auto_approved_arn_patterns"]),
        grpc_identities=flat(options["auto_approved_grpc_identities"]),
        hub_cluster_arn=options["hub_cluster_arn"],
        aws_tags=flat(options["aws_resource_tags"]),
        grpc_server=options["grpc_server"],
        grpc_endpoint_type=options["grpc_endpoint_type"],
        resource_requirement=operator.resource_requirement,
        bootstrap_token=options["use_bootstrap_token"],
    )
    return InitOptions(
        spec=spec,
        operator=operator,
        values=read_values(options["cluster_manager_values_file"], "clusterManager"),
        force=options["force"],
        wait=wait,
        dry_run=options["dry_run"],
        patience=patience_of(options),
    )


def _print_welcome(join: JoinInfo, *, wait: bool) -> None:
    click.echo(
        "The multicluster hub control plane has been initialized successfully!\n\n"
        "You can now register cluster(s) to the hub control plane. Log onto those cluster(s) and run the "
        "following command:\n\n"
        f"    {join.command(wait=wait)} --cluster-name <cluster_name>\n\n"
        "Replace <cluster_name> with a cluster name of your choice. For example, cluster1.\n"
    )


def print_fields(join: JoinInfo, output: str) -> None:
    """Token and address for a machine."""
    import orjson

    from gitops_ocm.report.yaml_text import to_yaml

    fields = join.fields()
    click.echo(to_yaml(fields) if output == "yaml" else orjson.dumps(fields).decode() + "\n", nl=False)

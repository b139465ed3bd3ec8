"""A program for an author's add-on: `run` it, print its `rights`, `render` it for a cluster.

python helloworld.py run --kubeconfig hub.kubeconfig
python helloworld.py rights | kubectl apply -f -
python helloworld.py render --cluster cluster1 --set GREETING=hi
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from gitops_ocm.addon.agent import configured
from gitops_ocm.addon.definition import Addon, Request
from gitops_ocm.addon.manager import HOME, managing, rights
from gitops_ocm.cli.hub_options import election_settings, lease_options, leases_in
from gitops_ocm.cli.options import connect, kubeconfig_options, log_options
from gitops_ocm.cli.process import run as run_process
from gitops_ocm.errors import GitopsError
from gitops_ocm.report.yaml_text import to_yaml


def main(*addons: Addon[Any]) -> None:
    """Be the program of these add-ons."""
    commands(*addons)()


def commands(*addons: Addon[Any]) -> click.Group:
    """The commands of the program."""

    @click.group()
    def program() -> None:
        """Manage an add-on of Open Cluster Management."""

    @program.command("run")
    @kubeconfig_options
    @leases_in(HOME)
    @lease_options
    @log_options
    def run_command(
        kubeconfig: Path | None, context: str | None, log_level: str, log_format: str, **options: Any
    ) -> None:
        """Manage the add-on on a hub until told to stop; of several processes one works, the others wait."""
        election = election_settings(options, HOME)

        async def work(stop: asyncio.Event) -> None:
            cluster = connect(kubeconfig, context)
            try:
                await managing(*addons, hub=cluster, stop=stop, election=election)
            finally:
                await cluster.close()

        run_process(work, level=log_level, form=log_format)

    @program.command("rights")
    @click.option("--namespace", default="default", show_default=True, help="Where the manager runs.")
    @click.option("--account", default="", help="Its ServiceAccount.  [default: <add-on>-addon-manager]")
    def rights_command(namespace: str, account: str) -> None:
        """Print what the manager has to be allowed on the hub, as manifests."""
        _show(rights(*addons, account=account, namespace=namespace))

    @program.command("render")
    @click.option("--cluster", default="cluster1", show_default=True, help="For which cluster.")
    @click.option("--addon", "name", default=addons[0].name, show_default=True, help="Which add-on.")
    @click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="A setting.")
    def render_command(cluster: str, name: str, given: tuple[str, ...]) -> None:
        """Print the manifests for a cluster, without a hub."""
        try:
            _show(rendered(next(a for a in addons if a.name == name), cluster, given))
        except GitopsError as error:
            raise click.ClickException(f"{error.message}. {error.hint}".rstrip(". ")) from error

    return program


def rendered(addon: Addon[Any], cluster: str, given: tuple[str, ...]) -> list[dict[str, Any]]:
    """The manifests for a cluster with these settings."""
    pairs = [text.partition("=")[::2] for text in given]
    variables = [{"name": name, "value": value} for name, value in pairs]
    config = configured(addon.config, {}, {"customizedVariables": variables})
    return list(addon.manifests(Request(cluster, addon.name, addon.namespace, config)))


def _show(objects: list[dict[str, Any]]) -> None:
    click.echo("".join(f"---\n{to_yaml(obj)}" for obj in objects), nl=False)

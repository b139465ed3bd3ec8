"""Options of an agent that registers itself: OCM's flags by OCM's names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from gitops_ocm.klusterlet.kept import Kept
    from gitops_ocm.klusterlet.registration import RegistrationOptions
    from gitops_ocm.kube.cluster import Cluster

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, dir_okay=False)
_NOTES = "pending"
MULTIPLE_HUBS = "MultipleHubs"
BETA_GATE = "V1beta1CSRAPICompatibility"


class Lifetime(click.ParamType[int]):
    """Seconds a certificate is to live: none, or as many as Kubernetes takes."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """0, or an hour and more."""
        seconds: int = click.IntRange(min=0).convert(value, param, ctx)
        if 0 < seconds < 3600:
            self.fail("a certificate lives an hour (3600) at least; 0 leaves it to the signer", param, ctx)
        return seconds


def registration_options(command: F) -> F:
    """The settings of a registration; `registration_of` reads them."""
    for option in reversed(
        (
            click.option(
                "--bootstrap-kubeconfig",
                type=_FILE,
                metavar="FILE",
                help="Register with the hub it names, and go on with the identity that comes of it.",
            ),
            click.option(
                "--bootstrap-kubeconfigs",
                type=_FILE,
                multiple=True,
                metavar="FILE",
                help=f"One of several hubs to register with, in order (gate {MULTIPLE_HUBS}).",
            ),
            click.option(
                "--hub-connection-timeout-seconds",
                type=click.IntRange(min=180),
                default=600,
                show_default=True,
                help="With several hubs: how long one may be out of reach before the next is tried.",
            ),
            click.option(
                "--hub-kubeconfig-dir",
                type=click.Path(path_type=Path, file_okay=False),
                metavar="DIR",
                help="Keep the hub kubeconfig in this directory instead of in a Secret.",
            ),
            click.option(
                "--hub-kubeconfig-secret",
                default="hub-kubeconfig-secret",
                show_default=True,
                metavar="NAME",
                help="The Secret on the managed cluster to keep the hub kubeconfig in.",
            ),
            click.option(
                "--namespace",
                default="open-cluster-management-agent",
                show_default=True,
                help="The agent's namespace on the managed cluster: where that Secret is.",
            ),
            click.option(
                "--client-cert-expiration-seconds",
                "lifetime",
                type=Lifetime(),
                default=0,
                metavar="SECONDS",
                help="Ask for certificates that live so long.  [default: what the signer gives]",
            ),
            click.option(
                "--spoke-external-server-urls",
                "external_urls",
                multiple=True,
                metavar="URL",
                help="How the hub can reach the managed cluster; may be given several times.",
            ),
            click.option(
                "--spoke-external-server-ca",
                "external_ca",
                type=_FILE,
                metavar="FILE",
                help="Who signs the certificates of these servers.",
            ),
            click.option(
                "--cluster-annotations",
                "annotations",
                multiple=True,
                metavar="KEY=VALUE",
                help="Annotations (agent.open-cluster-management.io/…) of the ManagedCluster it makes.",
            ),
        )
    ):
        command = option(command)
    return command


def registration_of(
    options: dict[str, Any], *, cluster_name: str, agent_name: str, gates: dict[str, bool]
) -> RegistrationOptions | None:
    """Take the options of `registration_options` out of a command's; None where none is asked for."""
    from gitops_ocm.decide.agent.bootstrap import ClientConfig
    from gitops_ocm.klusterlet.bootstrap import Introduction
    from gitops_ocm.klusterlet.registration import RegistrationOptions

    first, others = options.pop("bootstrap_kubeconfig"), options.pop("bootstrap_kubeconfigs")
    several = gates.get(MULTIPLE_HUBS, False)
    if others and not several:
        raise click.UsageError(f"--bootstrap-kubeconfigs needs --feature-gates {MULTIPLE_HUBS}=true")
    urls, ca_file = options.pop("external_urls"), options.pop("external_ca")
    for url in urls:
        if not url.startswith("https://"):
            raise click.UsageError(f"--spoke-external-server-urls {url}: a hub takes https:// alone")
    ca = ca_file.read_bytes() if ca_file is not None else b""
    made = RegistrationOptions(
        (*((first,) if first else ()), *others),
        cluster_name,
        agent_name,
        Introduction(
            dict(_pair(text) for text in options.pop("annotations")),
            tuple(ClientConfig(url, ca) for url in urls),
        ),
        lifetime=options.pop("lifetime"),
        beta=gates.get(BETA_GATE, False),
        several=several,
        connection_timeout=options.pop("hub_connection_timeout_seconds"),
    )
    return made if made.bootstraps else None


def places(options: dict[str, Any], spoke: Cluster) -> tuple[Kept, Kept]:
    """Where the hub kubeconfig and the agent's notes are kept."""
    from gitops_ocm.klusterlet.kept import Folder, SecretData

    folder, name = options["hub_kubeconfig_dir"], options["hub_kubeconfig_secret"]
    if folder is not None:
        return Folder(folder), Folder(folder / _NOTES)
    namespace = options["namespace"]
    return SecretData(spoke, namespace, name), SecretData(spoke, namespace, f"{name}-{_NOTES}")


def _pair(text: str) -> tuple[str, str]:
    key, mark, value = text.partition("=")
    if not mark or not key:
        raise click.UsageError(f"--cluster-annotations {text}: write KEY=VALUE")
    return key, value

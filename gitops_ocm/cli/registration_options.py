"""Options of an agent that registers itself: OCM's flags by OCM's names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gitops_ocm.cli.options import together

if TYPE_CHECKING:
    from gitops_ocm.klusterlet.kept import Kept
    from gitops_ocm.klusterlet.registration import RegistrationOptions
    from gitops_ocm.kube.cluster import Cluster
    from gitops_ocm.kube.rate import RateLimit

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, dir_okay=False)
_NOTES = "pending"
MULTIPLE_HUBS = "MultipleHubs"
AGENT_NAMESPACE = "open-cluster-management-agent"
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


def _rates(prefix: str, which: str) -> tuple[Callable[[F], F], ...]:
    return (
        click.option(
            f"{prefix}-qps",
            type=click.FloatRange(min=0),
            default=0,
            help=f"Most requests per second to {which}, on average.  [default: no limit]",
        ),
        click.option(
            f"{prefix}-burst",
            type=click.IntRange(min=1),
            default=100,
            show_default=True,
            help="How many may go out at once, with such a limit.",
        ),
    )


registration_options = together(
    click.option(
        "--bootstrap-kubeconfig",
        "--bootstrap-kubeconfigs",
        "bootstraps",
        type=_FILE,
        multiple=True,
        metavar="FILE",
        help="Register with the hub it names, and go on with the identity that comes of it. "
        f"Given several times: with one of these hubs (gate {MULTIPLE_HUBS}).",
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
        default=f"{AGENT_NAMESPACE}/hub-kubeconfig-secret",
        show_default=True,
        metavar="[NAMESPACE/]NAME",
        help="The Secret to keep the hub kubeconfig in: on the managed cluster, or where the agent "
        "runs in a pod, on that pod's cluster.",
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
        metavar="URL,…",
        help="How the hub can reach the managed cluster.",
    ),
    click.option(
        "--spoke-external-server-ca",
        "external_ca",
        type=_FILE,
        metavar="FILE",
        help="Who signs the certificates of these servers.  [default: the managed cluster's own CA]",
    ),
    click.option(
        "--cluster-annotations",
        "annotations",
        multiple=True,
        metavar="KEY=VALUE,…",
        help="Annotations (agent.open-cluster-management.io/…) of the ManagedCluster it makes.",
    ),
    *_rates("--kube-api", "the managed cluster"),
    *_rates("--hub-kube-api", "the hub"),
)
"""The settings of a registration; `registration_of` reads them."""


def registration_of(
    options: dict[str, Any], *, cluster_name: str, agent_name: str, gates: dict[str, bool]
) -> RegistrationOptions | None:
    """Take the options of `registration_options` out of a command's; None where none is asked for."""
    from gitops_ocm.decide.agent.bootstrap import ClientConfig
    from gitops_ocm.klusterlet.bootstrap import Introduction
    from gitops_ocm.klusterlet.registration import RegistrationOptions

    bootstraps = options.pop("bootstraps")
    several = gates.get(MULTIPLE_HUBS, False)
    if len(bootstraps) > 1 and not several:
        raise click.UsageError(f"several --bootstrap-kubeconfig need --feature-gates {MULTIPLE_HUBS}=true")
    urls, ca_file = _listed(options.pop("external_urls")), options.pop("external_ca")
    for url in urls:
        if not url.startswith("https://"):
            raise click.UsageError(f"--spoke-external-server-urls {url}: a hub takes https:// alone")
    ca = ca_file.read_bytes() if ca_file is not None else b""
    made = RegistrationOptions(
        tuple(bootstraps),
        cluster_name,
        agent_name,
        Introduction(
            dict(_pair(text) for text in _listed(options.pop("annotations"))),
            tuple(ClientConfig(url, ca) for url in urls),
        ),
        lifetime=options.pop("lifetime"),
        beta=gates.get(BETA_GATE, False),
        several=several,
        rate=rate_of(options, "hub_kube_api"),
        connection_timeout=options.pop("hub_connection_timeout_seconds"),
    )
    return made if made.bootstraps else None


def rate_of(options: dict[str, Any], api: str) -> RateLimit | None:
    """How fast that API may be asked: `kube_api` (the managed cluster's) or `hub_kube_api`."""
    from gitops_ocm.kube.rate import RateLimit

    qps, burst = options[f"{api}_qps"], options[f"{api}_burst"]
    return RateLimit(qps, burst) if qps else None


def places(options: dict[str, Any], cluster: Cluster) -> tuple[Kept, Kept]:
    """Where the hub kubeconfig and the agent's notes are kept: in a directory, or on a cluster."""
    from gitops_ocm.klusterlet.kept import Folder, SecretData

    folder, secret = options["hub_kubeconfig_dir"], options["hub_kubeconfig_secret"]
    if folder is not None:
        return Folder(folder), Folder(folder / _NOTES)
    namespace, _, name = secret.rpartition("/")
    namespace = namespace or AGENT_NAMESPACE
    return SecretData(cluster, namespace, name), SecretData(cluster, namespace, f"{name}-{_NOTES}")


async def as_leader(
    wanted: bool | None,
    cluster: Cluster,
    groups: frozenset[str],
    work: Callable[[asyncio.Event], Awaitable[None]],
    stop: asyncio.Event,
) -> None:
    """Do `work` while this process leads, by OCM's leases in the agent's namespace, or just do it."""
    from gitops_ocm.live.election import ElectionSettings, lead
    from gitops_ocm.live.leader import pod_namespace

    namespace = pod_namespace()
    if wanted is False or (wanted is None and not namespace):
        await work(stop)
        return
    both = {"registration", "work"} <= groups
    part = "klusterlet" if both else "registration" if "registration" in groups else "work"
    settings = ElectionSettings(namespace or AGENT_NAMESPACE)
    await lead(cluster, [f"{part}-agent-lock"], settings, stop, work)


def _listed(given: Iterable[str]) -> tuple[str, ...]:
    """An option's values, each of which may be a list itself."""
    return tuple(part.strip() for text in given for part in text.split(",") if part.strip())


def _pair(text: str) -> tuple[str, str]:
    key, mark, value = text.partition("=")
    if not mark or not key:
        raise click.UsageError(f"--cluster-annotations {text}: write KEY=VALUE")
    return key, value

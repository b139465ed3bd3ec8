"""`gitops-ocm hub webhook`: OCM's admission and conversion webhooks, alone or beside the controllers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.hub_options import OptionError
from gitops_ocm.cli.options import address_of, answering, connect, kubeconfig_options, log_options, together
from gitops_ocm.cli.process import run

if TYPE_CHECKING:
    from gitops_ocm.decide.settings import HubSettings
    from gitops_ocm.hub.webhook import ServingCertificate
    from gitops_ocm.kube.cluster import Cluster

_FILE = click.Path(path_type=Path, dir_okay=False)


certificate_options = together(
    click.option("--tls-cert-file", type=_FILE, metavar="FILE", help="Its certificate, with the chain."),
    click.option("--tls-private-key-file", type=_FILE, metavar="FILE", help="The certificate's key."),
    click.option(
        "--certdir",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="A folder with tls.crt and tls.key, in place of both.",
    ),
)
"""Which certificate webhooks show; `certificate_of` reads them."""


def certificate_of(options: dict[str, Any]) -> ServingCertificate | None:
    """Take the options of `certificate_options` out of a command's; None where there are none."""
    from gitops_ocm.hub.webhook import ServingCertificate

    certificate, key = options.pop("tls_cert_file"), options.pop("tls_private_key_file")
    directory = options.pop("certdir")
    if directory is not None:
        certificate, key = certificate or directory / "tls.crt", key or directory / "tls.key"
    if (certificate is None) != (key is None):
        raise OptionError("a certificate without its key serves nothing", hint="give both, or --certdir DIR")
    return ServingCertificate(certificate, key) if certificate is not None and key is not None else None


@dataclass(frozen=True)
class Place:
    """Where webhooks are served, and what they show."""

    host: str
    port: int
    certificate: ServingCertificate


def place_of(listen: str, options: dict[str, Any]) -> Place | None:
    """HOST:PORT with the certificate of the options, which is read to see that it can be; None for `""`."""
    certificate = certificate_of(options)
    if not listen:
        return None
    host, port = address_of(listen, "0.0.0.0")  # noqa: S104 -- webhooks are there to be called
    if certificate is None:
        raise OptionError(
            "webhooks are served with a certificate only",
            hint="give --tls-cert-file and --tls-private-key-file, or --certdir DIR",
        )
    certificate.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    return Place(host, port, certificate)


@asynccontextmanager
async def webhooks(cluster: Cluster, settings: HubSettings, place: Place | None) -> AsyncIterator[None]:
    """Serve the webhooks, if there is a place for them."""
    if place is None:
        yield
        return
    from gitops_ocm.hub.webhook import Reviewer, serving
    from gitops_ocm.runtime.log import get_logger

    reviewer = Reviewer(cluster, settings)
    async with serving(reviewer, place.host, place.port, place.certificate) as taken:
        get_logger("webhook").info("webhooks are served", host=place.host, port=taken)
        yield


@click.command("webhook", short_help="Serve OCM's admission webhooks for a Kubernetes.")
@kubeconfig_options
@click.option(
    "--listen",
    default="0.0.0.0:9443",
    show_default=True,
    metavar="HOST:PORT",
    help="Port 0 takes a free one.",
)
@certificate_options
@click.option(
    "--feature-gates", default="", metavar="NAME=true|false,…", help="OCM's feature gates of the hub."
)
@log_options
def webhook_command(
    kubeconfig: Path | None,
    context: str | None,
    listen: str,
    feature_gates: str,
    log_level: str,
    log_format: str,
    **options: Any,
) -> None:
    """Serve OCM's admission webhooks for a Kubernetes, and the conversion of add-ons."""
    from gitops_ocm.api.feature_gates import HUB, parse_gates
    from gitops_ocm.decide.settings import HubSettings

    settings = HubSettings().with_gates(parse_gates(feature_gates, HUB))
    place = place_of(listen, options)

    async def work(stop: asyncio.Event) -> None:
        cluster = connect(kubeconfig, context)
        try:
            if await answering(cluster, stop):
                async with webhooks(cluster, settings, place):
                    await stop.wait()
        finally:
            await cluster.close()

    run(work, level=log_level, form=log_format)

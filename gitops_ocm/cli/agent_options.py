"""Options that set how an agent goes about it: OCM's flags by OCM's names, with OCM's defaults."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from gitops_ocm.cli.options import together


class Duration(click.ParamType[timedelta]):
    """A span in Go's notation."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The span, longer than nothing."""
        from gitops_ocm.api.scalars import ScalarError, parse_duration

        if isinstance(value, timedelta):
            return value
        try:
            span = parse_duration(value)
        except ScalarError as error:
            self.fail(f"{error.message}; {error.hint}", param, ctx)
        if span <= timedelta(0):
            self.fail(f"{value} is not longer than nothing", param, ctx)
        return span


class Gates(click.ParamType[dict[str, bool]]):
    """Feature gates, `Name=true,…`."""

    name = "gates"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, bool]:
        """Which gates are set how."""
        from gitops_ocm.api.feature_gates import SPOKE, FeatureGateError, parse_gates

        if isinstance(value, dict):
            return value
        try:
            return parse_gates(str(value), SPOKE)
        except FeatureGateError as error:
            self.fail(f"{error.message}; {error.hint}", param, ctx)


agent_options = together(
    click.option(
        "--status-sync-interval",
        type=Duration(),
        default="10s",
        show_default=True,
        help="Between two looks at what works applied, beside those that changes cause.",
    ),
    click.option(
        "--appliedmanifestwork-eviction-grace-period",
        "eviction_grace",
        type=Duration(),
        default="60m",
        show_default=True,
        help="How long what a vanished work applied is kept; 100 years or more: for ever.",
    ),
    click.option(
        "--max-json-raw-length",
        type=click.IntRange(min=1),
        default=1024,
        show_default=True,
        help="Longest JSON text reported back.",
    ),
    click.option(
        "--cluster-healthcheck-period",
        "health_period",
        type=Duration(),
        default="60s",
        show_default=True,
        help="Between two looks whether the cluster's API server is well.",
    ),
    click.option(
        "--max-custom-cluster-claims",
        "max_custom_claims",
        type=click.IntRange(min=0),
        default=20,
        show_default=True,
        help="How many of the cluster's own claims are reported.",
    ),
    click.option(
        "--reserved-cluster-claim-suffixes",
        "reserved_suffixes",
        default="",
        metavar="SUFFIX,…",
        help="Claims whose names end so are reported beyond that number.",
    ),
    click.option(
        "--default-cluster-claims/--no-default-cluster-claims",
        "default_claims",
        default=False,
        show_default=True,
        help="Make claims of what the cluster shows: id, version, product, platform, region.",
    ),
    click.option(
        "--addon-kubeclient-registration-auth",
        "addon_driver",
        type=click.Choice(["csr", "token"]),
        default="csr",
        show_default=True,
        help="How add-ons identify at the hub: with certificates, or with tokens.",
    ),
    click.option(
        "--addon-token-expiration-seconds",
        "addon_token_lifetime",
        type=click.IntRange(min=600),
        default=31536000,
        show_default=True,
        help="How long such tokens live.",
    ),
    click.option(
        "--feature-gates",
        type=Gates(),
        default="",
        metavar="NAME=true|false,…",
        help="OCM's gates of an agent: AddonManagement, ClusterClaim, ClusterProperty, MultipleHubs, "
        "RawFeedbackJsonString, V1beta1CSRAPICompatibility, ….",
    ),
)
"""The settings of an agent; `agent_settings` reads them."""


def agent_settings(options: dict[str, Any]) -> dict[str, Any]:
    """Take the options of `agent_options` out of a command's, as fields of `AgentSettings`."""
    from gitops_ocm.decide.settings import gated

    gates = options.pop("feature_gates")
    return {
        "status_sync_interval": options.pop("status_sync_interval").total_seconds(),
        "eviction_grace": options.pop("eviction_grace").total_seconds(),
        "health_period": options.pop("health_period").total_seconds(),
        "max_json_raw_length": options.pop("max_json_raw_length"),
        "max_custom_claims": options.pop("max_custom_claims"),
        "reserved_claim_suffixes": tuple(filter(None, options.pop("reserved_suffixes").split(","))),
        "default_claims": options.pop("default_claims"),
        "addon_driver": options.pop("addon_driver"),
        "addon_token_lifetime": options.pop("addon_token_lifetime"),
        **gated(gates),
    }

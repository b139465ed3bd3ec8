"""Options that set how a hub goes about it: OCM's flags by OCM's names, and what they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.agent_options import Duration
from gitops_ocm.cli.options import F, together
from gitops_ocm.errors import GitopsError

if TYPE_CHECKING:
    from gitops_ocm.decide.settings import HubSettings
    from gitops_ocm.live.election import ElectionSettings


_HOME = "open-cluster-management-hub"


class OptionError(GitopsError):
    """An option that cannot be meant as it was written."""

    code = "option"


hub_options = together(
    click.option(
        "--feature-gates",
        default="",
        metavar="NAME=true|false,…",
        help="OCM's feature gates of the hub, all components in one.",
    ),
    click.option(
        "--auto-approved-csr-users",
        multiple=True,
        metavar="USER,…",
        help="Whose first requests are approved, with the gate ManagedClusterAutoApproval.",
    ),
    click.option(
        "--cluster-auto-approval-users",
        multiple=True,
        metavar="USER,…",
        help="The same by its old name; --auto-approved-csr-users takes its place.",
    ),
    click.option(
        "--labels",
        default="",
        metavar="KEY=VALUE,…",
        help="Labels on everything that is made for a cluster.",
    ),
    click.option(
        "--gc-resource-list",
        multiple=True,
        metavar="GROUP/VERSION/PLURAL,…",
        help="What is deleted with a cluster, in order. More than the default needs more rights.",
    ),
    click.option(
        "--rollout-compat",
        type=click.Choice(["ocm"]),
        help="Decide rollouts to the letter as OCM does, also where its documentation promises otherwise.",
    ),
)
"""The settings of the hub's controllers; `hub_settings` reads them."""


def hub_settings(options: dict[str, Any]) -> HubSettings:
    """Take the options of `hub_options` out of a command's."""
    from gitops_ocm.api.feature_gates import HUB, parse_gates
    from gitops_ocm.decide.settings import HUB_GATES_WITHOUT_EFFECT, HubSettings
    from gitops_ocm.live.leader import pod_namespace
    from gitops_ocm.runtime.log import get_logger

    gates = parse_gates(options.pop("feature_gates"), HUB)
    for name in sorted(HUB_GATES_WITHOUT_EFFECT & {name for name, on in gates.items() if on}):
        get_logger("hub").warning("feature gate is accepted and does nothing here", gate=name)
    users = _listed(options.pop("cluster_auto_approval_users"))
    users = _listed(options.pop("auto_approved_csr_users")) or users
    resources = _listed(options.pop("gc_resource_list")) or HubSettings().cleanup_resources
    settings = HubSettings(
        namespace=pod_namespace() or HubSettings().namespace,
        auto_approved_users=frozenset(users),
        rollout_compat=options.pop("rollout_compat") == "ocm",
        cluster_labels=_labels(options.pop("labels")),
        cleanup_resources=tuple(_resource(text) for text in resources),
    )
    return settings.with_gates(gates)


def _listed(given: Iterable[str]) -> tuple[str, ...]:
    """An option's values, each of which may be a list itself."""
    return tuple(part.strip() for text in given for part in text.split(",") if part.strip())


def _resource(text: str) -> str:
    parts = text.split("/")
    if len(parts) != 3 or not all(parts[1:]):  # the core group has no name
        raise OptionError(
            f"--gc-resource-list: {text!r} names no resource",
            hint="write group/version/plural, as work.open-cluster-management.io/v1/manifestworks",
        )
    return text


def _labels(text: str) -> dict[str, str]:
    from gitops_ocm.objects.names import key_problems, label_value_problems

    found: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key, equals, value = part.partition("=")
        problems = [*key_problems(key), *label_value_problems(value)] if equals else ["there is no ="]
        if problems:
            raise OptionError(f"--labels: {part!r} is no label: {problems[0]}", hint="write key=value,…")
        found[key] = value
    return found


duration = Duration()


def leases_in(home: str) -> Callable[[F], F]:
    """Where the leases of a command are; outside of a pod, and unless it is said, in the namespace `home`."""
    return click.option(
        "--leader-election-namespace",
        metavar="NAME",
        help=f"Where the leases are.  [default: the pod's own, or {home}]",
    )


lease_options = together(
    click.option(
        "--leader-elect/--no-leader-elect",
        default=True,
        show_default=True,
        help="Work only while no other process, this one's or OCM's own, does the same.",
    ),
    click.option(
        "--leader-election-lease-duration",
        type=duration,
        default="137s",
        show_default=True,
        help="How long a leader that is silent is waited for.",
    ),
    click.option(
        "--leader-election-renew-deadline",
        type=duration,
        default="107s",
        show_default=True,
        help="How long a leader that cannot renew goes on.",
    ),
    click.option(
        "--leader-election-retry-period",
        type=duration,
        default="26s",
        show_default=True,
        help="Between two renewals, and two looks of who waits.",
    ),
)
election_options = together(leases_in(_HOME), lease_options)
"""Whether and how one of several processes leads; `election_settings` reads them."""


def election_settings(options: dict[str, Any], home: str = _HOME) -> ElectionSettings | None:
    """Take the options of `election_options` out of a command's; None where nobody is to be elected."""
    from gitops_ocm.live.election import ElectionSettings
    from gitops_ocm.live.leader import pod_namespace

    wanted = options.pop("leader_elect")
    namespace = options.pop("leader_election_namespace") or pod_namespace() or home
    settings = ElectionSettings(
        namespace,
        duration=options.pop("leader_election_lease_duration").total_seconds(),
        deadline=options.pop("leader_election_renew_deadline").total_seconds(),
        retry=options.pop("leader_election_retry_period").total_seconds(),
    )
    if not settings.retry < settings.deadline < settings.duration:
        raise OptionError(
            "a lease is to last longer than its deadline for renewal, and that longer than a retry",
            hint="see --leader-election-lease-duration, -renew-deadline and -retry-period",
        )
    return settings if wanted else None

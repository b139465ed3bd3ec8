"""What runs an add-on's agents has to know of the add-on: the port that templates and authors' add-ons fill.

The rows that register, deploy and watch over agents (`registration`, `deploy`, `requests`) ask an `Agent`;
`template.TemplateAgent` is one made of an AddOnTemplate, `gitops_ocm.addon` makes one of an author's
functions.
Objects are seen at v1beta1 here, whichever version the hub shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from gitops_ocm.api.addon_words import HOSTING_CLUSTER_ANNOTATION
from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.decide.addons.versions import report_at_version
from gitops_ocm.decide.contract import Emit, View, Write
from gitops_ocm.decide.kinds import ADDON_GROUP
from gitops_ocm.decide.writes import annotations_of, conditions_of, status_of
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects import conditions
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Ref

TEMPLATES = (ADDON_GROUP, "addontemplates")
DEPLOYMENT_CONFIGS = (ADDON_GROUP, "addondeploymentconfigs")
GroupResource = tuple[str, str]


class AgentFailed(GitopsError):
    """An agent cannot be deployed or registered as things are; the message goes into a condition."""

    code = "addon-agent"


class Probe(Protocol):
    """How an agent's health is judged."""

    @property
    def mode(self) -> str:
        """`status.healthCheck.mode`."""
        ...

    def configs(self, objects: Sequence[Object]) -> list[Object]:
        """What the works are to report of these manifests, as `spec.manifestConfigs`."""
        ...

    def judge(
        self, addon: Object, objects: Sequence[Object], works: Sequence[Object]
    ) -> KnownCondition | None:
        """The Available condition by what the works report; None where it is not told so."""
        ...


class Agent(Protocol):
    """One add-on's agent. What it cannot answer it raises as `AgentFailed`."""

    @property
    def probe(self) -> Probe:
        """How its health is judged."""
        ...

    @property
    def supported(self) -> tuple[GroupResource, ...]:
        """The kinds of configuration it takes."""
        ...

    @property
    def hosts(self) -> bool:
        """Whether a part of it may run on another cluster, the hosting one."""
        ...

    @property
    def waits_for_config(self) -> bool:
        """Whether nothing is deployed before the add-on manager has said what configuration holds."""
        ...

    def manifests(self, view: View, cluster: Object, addon: Object) -> list[Object]:
        """The objects to apply."""
        ...

    def manifest_configs(self, view: View, addon: Object) -> Sequence[Object]:
        """Further options for them, as `spec.manifestConfigs`."""
        ...

    def registrations(self, view: View, cluster: Object, addon: Object) -> list[Object] | None:
        """What its agent registers for, as `status.registrations`; None: it does not."""
        ...

    def permissions(
        self, view: View, cluster: Object, addon: Object, subjects: Sequence[Object]
    ) -> list[Object]:
        """The RoleBindings (and whatever else it needs on the hub) for these subjects."""
        ...

    def install_namespace(self, view: View, addon: Object) -> str:
        """Where it runs; empty where the add-on itself says."""
        ...

    def signing_ca(self, view: View, addon: Object, signer: str) -> Ref | None:
        """The Secret with which certificates of a signer are made; None for what is none of its signers."""
        ...


Agents = Callable[[View, Object], Agent | None]
"""From a ManagedClusterAddOn at v1beta1 to its agent; None where that is somebody else's."""


def reference(addon: Object, kind: GroupResource) -> Mapping[str, Any] | None:
    """The first configuration of a kind that an add-on (at v1beta1) refers to."""
    found: Iterable[Mapping[str, Any]] = status_of(addon).get("configReferences") or ()
    return next((each for each in found if (each.get("group", ""), each.get("resource")) == kind), None)


def desired(addon: Object, kind: GroupResource, called: str) -> tuple[str, str] | None:
    """Namespace and name of the first configuration of a kind; None where there is none."""
    found = reference(addon, kind)
    if found is None:
        return None
    told = found.get("desiredConfig") or {}
    if not told.get("specHash"):
        raise AgentFailed(
            f"addon {addon['metadata']['name']} {called} desired spec hash is empty",
            hint="the configuration it refers to does not exist",
        )
    return str(told.get("namespace") or ""), str(told["name"])


def hosting_cluster(addon: Object) -> str | None:
    """The cluster that an add-on asks to be hosted on; None where it does not."""
    return annotations_of(addon).get(HOSTING_CLUSTER_ANNOTATION)


@dataclass(frozen=True)
class Told:
    """What is to be said in an add-on's status: conditions set and dropped, and other fields."""

    conditions: tuple[KnownCondition, ...] = ()
    dropped: frozenset[str] = frozenset()
    fields: Mapping[str, Any] | None = None


def tell(addon: Object, told: Told, now: datetime) -> tuple[Write, ...]:
    """The writes that say it, at the version the hub shows, with an event for what newly went wrong."""
    held: list[Mapping[str, Any]] = [c for c in conditions_of(addon) if c.get("type") not in told.dropped]
    writes: list[Write] = []
    for condition in told.conditions:
        before = conditions.find(held, condition.type)
        held = [*conditions.with_condition(held, **condition._asdict(), now=now)]
        if condition.status == "False" and _new(before, condition):
            writes.append(Emit(addon, condition.reason, condition.message, "Warning", condition.type))
    patch = report_at_version(addon, {**(told.fields or {}), "conditions": held})
    return (*patch, *writes) if patch else ()


def _new(before: Mapping[str, Any] | None, condition: KnownCondition) -> bool:
    if before is None:
        return True
    return any(before.get(key) != value for key, value in condition._asdict().items())


def said(error: GitopsError | ApiError) -> str:
    """An error as a condition has it: one line."""
    return " ".join(str(error.message).split())

"""Why an add-on is not available on a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_ocm.api.addon_words import (
    AVAILABLE,
    CONFIGURATION_UNSUPPORTED,
    CONFIGURATIONS_RESOLVED,
    CONFIGURED,
    HOSTING_CLUSTER_VALIDITY,
    MANIFEST_APPLIED,
    PROGRESSING,
    REGISTRATION_APPLIED,
)
from gitops_ocm.decide.diagnosis.evidence import Evidence, Hub
from gitops_ocm.decide.diagnosis.finding import Fact, Finding, condition_fact, cut, named
from gitops_ocm.decide.diagnosis.standing import changed_at, since
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANAGEMENT_ADDON
from gitops_ocm.decide.writes import conditions_of, is_deleting, name_of, namespace_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref

PREPARED = (
    CONFIGURATIONS_RESOLVED,
    CONFIGURED,
    HOSTING_CLUSTER_VALIDITY,
    REGISTRATION_APPLIED,
    MANIFEST_APPLIED,
)
"""Conditions that come before an add-on can be available, in their order."""


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Add-ons that do not work."""
    hub = evidence.hub
    if hub is None:
        return
    for addon in hub.objects.list(CLUSTER_ADDON):
        if not is_deleting(addon) and evidence.concerns(namespace_of(addon)):
            yield from _addon(addon, hub, evidence)


def troubled(addon: Object) -> bool:
    """Whether anything is to be said of an add-on."""
    return is_deleting(addon) or not conditions.is_true(addon, AVAILABLE)


def _addon(addon: Object, hub: Hub, evidence: Evidence) -> Iterator[Finding]:
    name, cluster = named(addon), namespace_of(addon)
    mend = f"kubectl -n {cluster} get managedclusteraddon {name_of(addon)} -o yaml"
    defined = hub.objects.get(Ref(*MANAGEMENT_ADDON, "", name_of(addon)))
    if hub.objects.seen(MANAGEMENT_ADDON) and defined is None:
        facts = (Fact(f"ClusterManagementAddOn {name_of(addon)}", "", "not found"),)
        sentence = f"{name} is of an add-on that the hub has not installed."
        yield Finding(
            "addon-undefined",
            name,
            sentence,
            facts,
            f"gitops-ocm install hub-addon --names {name_of(addon)}",
            cluster,
        )
    held = next((told for told in _unprepared(addon) if evidence.settled(since(told))), None)
    if held is not None:
        sentence = f"{name} cannot start: {cut(str(held.get('message') or held.get('reason')))}"
        yield Finding("addon-not-configured", name, sentence, (condition_fact(addon, held),), mend, cluster)
    told = conditions.find(conditions_of(addon), AVAILABLE)
    if told is None:
        if evidence.settled(changed_at(addon)):
            sentence = f"Nobody has said whether {name} is available: its agent has not come."
            facts = (Fact(name, f"status.conditions[{AVAILABLE}]", "absent"),)
            yield Finding("addon-not-handled", name, sentence, facts, mend, cluster)
    elif told.get("status") != "True" and evidence.settled(since(told)):
        sentence = f"{name} is not available: {cut(str(told.get('message') or told.get('reason')))}"
        yield Finding("addon-unavailable", name, sentence, (condition_fact(addon, told),), mend, cluster)


def _unprepared(addon: Object) -> Iterator[Mapping[str, Any]]:
    """The conditions that say what the add-on waits for, in their order."""
    going = conditions.find(conditions_of(addon), PROGRESSING)
    if going is not None and going.get("reason") == CONFIGURATION_UNSUPPORTED.reason:
        yield going
    for step in PREPARED:
        told = conditions.find(conditions_of(addon), step)
        if told is not None and told.get("status") == "False":
            yield told

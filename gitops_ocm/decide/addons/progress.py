"""Whether an add-on on one cluster has arrived at its configuration: Progressing, and what was last applied.

A row keyed by the ManagedClusterAddOn. It reads the works that carry the agent and writes neither what is
wanted (`configuration`) nor the works. What was applied once stays so: ill health later undoes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from gitops_ocm.api.addon_words import (
    ADDON_COMPLETED,
    ADDON_NAME_LABEL,
    ADDON_NAMESPACE_LABEL,
    CONFIGURATION_UNSUPPORTED,
    HOSTING_CLUSTER_ANNOTATION,
    HOSTING_MANIFEST_APPLIED,
    MANIFEST_APPLIED,
    PROGRESSING,
    PROGRESSING_CONFIGS_DIFFER,
    PROGRESSING_NO_WORKS,
    PROGRESSING_WORK_NOT_READY,
    WAITING_FOR_HOSTING_MANIFESTS,
    WAITING_FOR_MANIFESTS,
)
from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.work import CONFIG_HASH_ANNOTATION
from gitops_ocm.decide.addons.install import cma_ref
from gitops_ocm.decide.addons.management import is_ours
from gitops_ocm.decide.addons.references import config_of, hashes_in
from gitops_ocm.decide.addons.versions import at_beta, report_at_version
from gitops_ocm.decide.contract import DONE, Outcome, View
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANIFEST_WORK
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.decide.writes import (
    annotations_of,
    conditions_of,
    labels_of,
    name_of,
    namespace_of,
    status_of,
)
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref


@dataclass(frozen=True)
class Progress:
    """The row."""

    settings: HubSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManagedClusterAddOn."""
        addon, cma = view.get(key), view.get(cma_ref(key.name))
        if addon is None or cma is None or not is_ours(cma):
            return DONE
        told = progressed(view, at_beta(addon), now, compat=self.settings.rollout_compat)
        return Outcome(report_at_version(addon, told))


def progressed(
    view: View, addon: Object, now: datetime, *, compat: bool = False, restarted: bool = False
) -> Object:
    """The fields of the status (of an add-on at v1beta1) that tell how far it is.

    The time in Progressing is what soaks and deadlines count from. It moves on with the status alone, as
    OCM's does (`compat`), or also when another configuration is given (`restarted`) or is completed.
    """
    verdict = _verdict(view, addon)
    held = conditions_of(addon)
    before = conditions.find(held, PROGRESSING)
    arrived = verdict is ADDON_COMPLETED and before is not None and before.get("reason") != verdict.reason
    if not compat and (restarted or arrived):
        held = [{k: v for k, v in c.items() if c is not before or k != "lastTransitionTime"} for c in held]
    told: Object = {"conditions": conditions.with_condition(held, **verdict._asdict(), now=now)}
    if verdict is ADDON_COMPLETED:
        told["configReferences"] = applied_references(addon)
    return told


def applied_references(addon: Object) -> list[Object]:
    """What an add-on (at v1beta1) refers to, once all of it is there."""
    return [_applied(each) for each in status_of(addon).get("configReferences") or ()]


def _applied(reference: Mapping[str, Any]) -> Object:
    kept = {k: v for k, v in reference.items() if v is not None}
    return {**kept, "lastAppliedConfig": kept["desiredConfig"]} if "desiredConfig" in kept else kept


def _verdict(view: View, addon: Object) -> KnownCondition:
    """The first of these that holds."""
    if (unsupported := _unsupported(addon)) is not None:
        return unsupported
    if conditions.find(conditions_of(addon), MANIFEST_APPLIED) is None:
        return WAITING_FOR_MANIFESTS
    hosting = annotations_of(addon).get(HOSTING_CLUSTER_ANNOTATION, "")
    if hosting and conditions.find(conditions_of(addon), HOSTING_MANIFEST_APPLIED) is None:
        return WAITING_FOR_HOSTING_MANIFESTS
    works = _works(view, addon, hosting)
    if not works:
        return PROGRESSING_NO_WORKS
    references = status_of(addon).get("configReferences") or ()
    for work in works:
        if name_of(work).startswith(f"addon-{name_of(addon)}-pre-delete"):
            continue
        if not _carries(work, references):
            return PROGRESSING_CONFIGS_DIFFER
        if not _is_ready(work):
            return PROGRESSING_WORK_NOT_READY
    return ADDON_COMPLETED


def _unsupported(addon: Object) -> KnownCondition | None:
    """The condition for the first own configuration of a kind that the add-on does not take."""
    supported = {
        (c.get("group") or "", c["resource"]) for c in status_of(addon).get("supportedConfigs") or ()
    }
    for entry in (addon.get("spec") or {}).get("configs") or ():
        group, resource = config_of(entry).kind
        if (group, resource) not in supported:
            message = CONFIGURATION_UNSUPPORTED.message.format(group=group, resource=resource)
            return CONFIGURATION_UNSUPPORTED._replace(message=message)
    return None


def _works(view: View, addon: Object, hosting: str) -> list[Object]:
    """What carries the add-on's agent: in the cluster's namespace, and in its host's."""
    by_name = {ADDON_NAME_LABEL: name_of(addon)}
    own = view.list(MANIFEST_WORK, namespace_of(addon), labels=by_name)
    found = [work for work in own if ADDON_NAMESPACE_LABEL not in labels_of(work)]
    if hosting:
        found += view.list(
            MANIFEST_WORK, hosting, labels={**by_name, ADDON_NAMESPACE_LABEL: namespace_of(addon)}
        )
    return found


def config_key(config: tuple[str, str, str, str]) -> str:
    """How a work's annotation names a configuration."""
    group, resource, namespace, name = config
    return f"{resource}.{group}/{namespace}/{name}" if group else f"{resource}/{namespace}/{name}"


def _carries(work: Object, references: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a work was made of the configurations that are wanted, all of them known by content."""
    told = annotations_of(work).get(CONFIG_HASH_ANNOTATION)
    if told is None:
        return not references
    try:
        hashes = orjson.loads(told)
    except orjson.JSONDecodeError:
        return False
    wanted = hashes_in(references)
    known = len(wanted) == len(references) and all(wanted.values())
    return known and hashes == {config_key(config): spec_hash for config, spec_hash in wanted.items()}


def _is_ready(work: Object) -> bool:
    """Whether a work, as it is now, is applied and available."""
    generation = work["metadata"].get("generation") or 0
    for kind in ("Available", "Applied"):
        found = conditions.find(conditions_of(work), kind)
        if found is None or found.get("status") != "True":
            return False
        if (found.get("observedGeneration") or 0) != generation:
            return False
    return True


# --- what wakes the row -----------------------------------------------------------------------------


def of_work(view: View, work: Object) -> Iterable[Ref]:
    """The add-on whose agent a work carries."""
    labels = labels_of(work)
    name = labels.get(ADDON_NAME_LABEL)
    return (
        (Ref(*CLUSTER_ADDON, labels.get(ADDON_NAMESPACE_LABEL) or namespace_of(work), name),) if name else ()
    )

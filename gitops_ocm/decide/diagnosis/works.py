"""Why a work does not run: what the cluster's API said to its manifests, or that nobody took it up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_ocm.api.work import APPLIED, AVAILABLE
from gitops_ocm.decide.diagnosis.availability import where_to_look
from gitops_ocm.decide.diagnosis.evidence import Evidence
from gitops_ocm.decide.diagnosis.finding import Fact, Finding, condition_fact, cut, named
from gitops_ocm.decide.diagnosis.standing import changed_at, since, standing
from gitops_ocm.decide.kinds import MANIFEST_WORK, REPLICA_SET
from gitops_ocm.decide.operators.agent_objects import AGGREGATE_LABEL
from gitops_ocm.decide.writes import conditions_of, is_deleting, name_of, namespace_of, status_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object

Found = Mapping[str, Any]


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Works that are not applied, not available, or not taken up."""
    hub = evidence.hub
    if hub is None:
        return
    silent: dict[str, list[Object]] = {}
    for work in hub.objects.list(MANIFEST_WORK):
        if is_deleting(work) or not evidence.concerns(namespace_of(work)):
            continue
        applied = conditions.find(conditions_of(work), APPLIED)
        if _behind(work, applied):
            if evidence.settled(changed_at(work)):
                silent.setdefault(namespace_of(work), []).append(work)
        else:
            yield from _judged(work, applied, evidence)
    for cluster in sorted(silent):
        each = standing(hub, cluster)
        if each.accepted and not each.leaving:
            yield _not_taken_up(cluster, silent[cluster], evidence)
    if not evidence.clusters:
        yield from _sets(hub.objects.list(REPLICA_SET), evidence)


def troubled(work: Object) -> bool:
    """Whether anything is to be said of a work: what does well need not be kept."""
    states = {c.get("type"): c.get("status") for c in conditions_of(work)}
    well = states.get(APPLIED) == "True" and states.get(AVAILABLE) == "True"
    applied = conditions.find(conditions_of(work), APPLIED)
    return not well or is_deleting(work) or _behind(work, applied)


def _behind(work: Object, applied: Found | None) -> bool:
    """Whether the work agent has not said anything of the work as it is now."""
    generation = work["metadata"].get("generation")
    return applied is None or applied.get("observedGeneration", generation) != generation


def _judged(work: Object, applied: Found | None, evidence: Evidence) -> Iterator[Finding]:
    name, cluster = named(work), namespace_of(work)
    mend = f"kubectl -n {cluster} get manifestwork {name_of(work)} -o yaml"
    if applied is not None and applied.get("status") != "True":
        at, said = _first_failing(work, APPLIED)
        text = cut(str((said or applied).get("message") or ""))
        sentence = f"{name} is not applied{f': {at}' if at else ''}: {text}"
        facts = (condition_fact(work, applied), *_manifest_fact(work, at, said))
        yield Finding("work-not-applied", name, sentence, facts, _mend(text, mend), cluster)
        return
    available = conditions.find(conditions_of(work), AVAILABLE)
    if available is None or available.get("status") == "True" or not evidence.settled(since(available)):
        return
    at, said = _first_failing(work, AVAILABLE)
    text = cut(str((said or available).get("message") or ""))
    sentence = f"{name} is applied, but not available{f': {at}' if at else ''}: {text}"
    facts = (condition_fact(work, available), *_manifest_fact(work, at, said))
    yield Finding("work-unavailable", name, sentence, facts, mend, cluster)


_LACKS = re.compile(r'cannot \w+ resource "([^"/]+)[^"]*" in API group "([^"]*)"')


def _mend(text: str, mend: str) -> str:
    """What the work agent may not do, whoever is asked on the managed cluster adds to its rights."""
    lacks = _LACKS.search(text)
    if lacks is None:
        return mend
    plural, group = lacks.groups()
    name = f"klusterlet-work-{plural}"
    role = f"kubectl create clusterrole {name} --verb='*' --resource={plural}{f'.{group}' if group else ''}"
    return f"{role} && kubectl label clusterrole {name} {AGGREGATE_LABEL}=true"


def _first_failing(work: Object, type: str) -> tuple[str, Found | None]:
    """The first manifest that fails, by kind and name, with its condition."""
    for manifest in (status_of(work).get("resourceStatus") or {}).get("manifests") or ():
        found = conditions.find(manifest.get("conditions"), type)
        if found is not None and found.get("status") != "True":
            meta = manifest.get("resourceMeta") or {}
            path = "/".join(filter(None, (meta.get("namespace"), meta.get("name"))))
            return f"{meta.get('kind') or meta.get('resource') or 'a manifest'} {path}".strip(), found
    return "", None


def _manifest_fact(work: Object, at: str, said: Found | None) -> tuple[Fact, ...]:
    if said is None:
        return ()
    field = f"status.resourceStatus.manifests[{at}].conditions[{said.get('type')}]"
    value = cut(f"{said.get('status')} ({said.get('reason')}: {said.get('message')})")
    return (Fact(named(work), field, value, str(said.get("lastTransitionTime") or "")),)


def _not_taken_up(cluster: str, works: Sequence[Object], evidence: Evidence) -> Finding:
    first = works[0]
    facts = tuple(
        Fact(named(w), "metadata.generation", str(w["metadata"].get("generation", "")), _changed(w))
        for w in works[:5]
    )
    what = named(first) if len(works) == 1 else f"{len(works)} works, {named(first)} first"
    sentence = f"The work agent of {cluster} has not taken up {what}."
    mend = where_to_look(cluster, evidence).replace(
        "klusterlet-registration-agent", "klusterlet-manifestwork-agent"
    )
    return Finding("work-agent-silent", named(first), sentence, facts, mend, cluster)


def _changed(work: Object) -> str:
    at = changed_at(work)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def _sets(replica_sets: Sequence[Object], evidence: Evidence) -> Iterator[Finding]:
    """Sets that no controller has ever looked at."""
    for each in replica_sets:
        if not conditions_of(each) and not is_deleting(each) and evidence.settled(changed_at(each)):
            sentence = f"No controller has looked at {named(each)}: nothing has been said of it."
            facts = (Fact(named(each), "status.conditions", "absent", _changed(each)),)
            # OCM leaves the controller out unless the gate is open.
            mend = "gitops-ocm init --feature-gates ManifestWorkReplicaSet=true"
            yield Finding("work-set-not-handled", named(each), sentence, facts, mend)

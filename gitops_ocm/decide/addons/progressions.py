"""What the status of a ClusterManagementAddOn says of its configurations: defaults, and by placement.

`references` says what applies; this is how it is told, what is kept of what was told before, and how far the
clusters of a placement are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gitops_ocm.api.addon_words import (
    CONFIGURATION_NOT_FOUND,
    CONFIGURATIONS_OVERRIDDEN,
    CONFIGURATIONS_RESOLVED,
    GROUP_NOT_FOUND,
    INSTALL_COMPLETED,
    INSTALL_PROGRESSING,
    PLACEMENT_NOT_FOUND,
    ROLLOUT_INVALID,
)
from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.decide.addons.assignment import Member, Source, differing
from gitops_ocm.decide.addons.config_objects import Objects
from gitops_ocm.decide.addons.references import (
    Config,
    Wanted,
    configs_in,
    defaults_of,
    desired_in,
    hashes_in,
    overriding,
    reference,
)
from gitops_ocm.decide.rollout import State
from gitops_ocm.decide.writes import status_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object

_FEW = 5


def default_wanted(cma: Object, objects: Objects) -> Wanted:
    """The defaults of an add-on with their hashes, in its order."""
    told = hashes_in(status_of(cma).get("defaultConfigReferences") or ())
    return {config: objects.hash_of(config, told.get(config, "")) for config in defaults_of(cma)}


def default_references(wanted: Wanted) -> list[Object]:
    """The defaults as the status tells them."""
    return [reference(config, spec_hash) for config, spec_hash in wanted.items()]


def entry_wanted(cma: Object, entry: Mapping[str, Any], objects: Objects) -> Wanted:
    """What a placement of the install strategy wants of its clusters."""
    told = hashes_in(_told(cma, entry).get("configReferences") or ())
    configs = overriding(defaults_of(cma), configs_in(entry))
    return {config: objects.hash_of(config, told.get(config, "")) for config in configs}


def progression(cma: Object, entry: Mapping[str, Any], wanted: Wanted) -> Object:
    """A placement's part of the status. What was reached is kept while nothing new is among the wanted."""
    told = _told(cma, entry)
    held = {desired_in(each): each for each in told.get("configReferences") or ()}
    found: Object = {"namespace": entry["namespace"], "name": entry["name"]}
    kept = all(config in held for config in wanted)
    references = [{**(_history(held[c]) if kept else {}), **reference(c, h)} for c, h in wanted.items()]
    if references:
        found["configReferences"] = references
    if kept and told.get("conditions"):
        found["conditions"] = told["conditions"]
    return found


def _told(cma: Object, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the status says of a placement so far."""
    name = entry["namespace"], entry["name"]
    progressions: Sequence[Mapping[str, Any]] = status_of(cma).get("installProgressions") or ()
    return next((p for p in progressions if (p["namespace"], p["name"]) == name), {})


def _history(held: Mapping[str, Any]) -> Object:
    names = ("lastAppliedConfig", "lastKnownGoodConfig")
    return {name: held[name] for name in names if held.get(name) is not None}


def with_progress(found: Object, source: Source, now: datetime, *, compat: bool = False) -> Object:
    """The same with how far the placement's clusters are; all done, the wanted was applied and is good.

    OCM never counts an add-on as done that names a configuration of its own twice (`compat`).
    """
    rolling = source.rolling
    others = [member for cluster, member in source.members.items() if cluster not in rolling]
    done = sum(m.state.state is State.SUCCEEDED and not (compat and _names_twice(m)) for m in others)
    total = len(source.clusters) - len(source.overridden)
    figures = {
        "selected": len(source.clusters),
        "total": total,
        "failed": sum(member.state.state is State.FAILED for member in others),
        "timed_out": len(source.step.timed_out),
    }
    if done != total or not done:
        figures["done"] = done + len(rolling & source.members.keys())
        return {**found, "conditions": _with(found, INSTALL_PROGRESSING, now, **figures)}
    references = [
        {**each, "lastAppliedConfig": each["desiredConfig"], "lastKnownGoodConfig": each["desiredConfig"]}
        for each in found.get("configReferences") or ()
    ]
    told = {"configReferences": references} if references else {}
    return {**found, **told, "conditions": _with(found, INSTALL_COMPLETED, now, done=done, **figures)}


def _names_twice(member: Member) -> bool:
    own = configs_in(member.addon.get("spec") or {})
    return len(set(own)) != len(own)


def _with(found: Object, known: KnownCondition, now: datetime, **figures: int) -> list[Object]:
    told = known._replace(message=known.message.format(**figures))
    return conditions.with_condition(found.get("conditions"), **told._asdict(), now=now)


# --- what a person has to be told -------------------------------------------------------------------


def problems_of(source: Source, missing: Sequence[Config]) -> list[KnownCondition]:
    """What is wrong with a placement's part of the add-on, the worst first."""
    found: list[KnownCondition] = []
    if source.choice is not None and source.choice.placement is None:
        found.append(_said(PLACEMENT_NOT_FOUND, placement=source.name))
    found += absent([config for config in missing if config in source.wanted])
    if source.fault:
        found.append(_said(ROLLOUT_INVALID, error=source.fault))
    for group in source.step.unknown:
        found.append(_said(GROUP_NOT_FOUND, group=group, placement=source.name))
    for later, clusters in differing(source).items():
        found.append(_said(CONFIGURATIONS_OVERRIDDEN, clusters=_listed(clusters), placement=later))
    return found


def absent(configs: Sequence[Config]) -> list[KnownCondition]:
    """What is to be said of configurations that do not exist."""
    return [_said(CONFIGURATION_NOT_FOUND, config=str(config)) for config in configs]


def _said(known: KnownCondition, **values: str) -> KnownCondition:
    return known._replace(message=known.message.format(**values))


def _listed(clusters: Sequence[str]) -> str:
    more = len(clusters) - _FEW
    return ", ".join(clusters[:_FEW]) + (f" and {more} more" if more > 0 else "")


def with_problems(
    held: Sequence[Mapping[str, Any]], problems: Sequence[KnownCondition], now: datetime
) -> list[Object]:
    """The conditions with ours for these problems; without it where there are none."""
    if not problems:
        return [dict(c) for c in held if c.get("type") != CONFIGURATIONS_RESOLVED]
    told = problems[0]._replace(message="; ".join(problem.message for problem in problems))
    return conditions.with_condition(held, **told._asdict(), now=now)


def news(
    before: Sequence[Mapping[str, Any]] | None, after: Sequence[Mapping[str, Any]] | None
) -> Mapping[str, Any] | None:
    """Our condition, where it says something that it did not say before."""
    old, new = (conditions.find(each, CONFIGURATIONS_RESOLVED) for each in (before, after))
    if new is None or (old is not None and old.get("message") == new.get("message")):
        return None
    return new

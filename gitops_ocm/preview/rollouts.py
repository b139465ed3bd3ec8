"""How a change spreads: in which waves replica sets and add-ons give it to clusters, and where it stops.

The waves are what the simulation did, step by step; what its rows say at the end (`parts`) tells who was
not reached and why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gitops_ocm.api.rollout import ALL
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.contract import Delete, Result
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANAGEMENT_ADDON, MANIFEST_WORK, REPLICA_SET
from gitops_ocm.decide.rollout.explanation import Standing
from gitops_ocm.decide.rollout.judging import after
from gitops_ocm.decide.work_template import normalised
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.preview.agents import AGENTS
from gitops_ocm.preview.hub import Hub
from gitops_ocm.preview.model import Rollout, Wave
from gitops_ocm.preview.on_clusters import owner_of
from gitops_ocm.preview.origins import Origins
from gitops_ocm.preview.parts import Part, parts_of
from gitops_ocm.preview.run import Tried
from gitops_ocm.simulate.run import Step

OWNERS = (REPLICA_SET, MANAGEMENT_ADDON)
ONE_MOMENT = timedelta(seconds=1)
"""What is retried within this is of the same wave."""
_OPEN = (Standing.UNDER_WAY, Standing.SOAKING)
_WAITING = (Standing.HELD, Standing.STARTING)
_BAD = (Standing.FAILED, Standing.TIMED_OUT)


def rollouts(tried: Tried, hub: Hub, origins: Origins, *, told: bool) -> Iterator[Rollout]:
    """All rollouts that go on after the merge. `told`: it is known how far they were before."""
    spread = given(tried)
    changed = (ref for ref in hub.changed if ref.of in OWNERS and ref in tried.after)
    for owner in sorted({*spread, *changed}):
        gifts = spread.get(owner, ())
        before = {part.placement: part for part in parts_of(hub.before, owner)} if told else {}
        found = parts_of(hub.after, owner)
        homeless = {c for gift in gifts for c in gift.clusters}.difference(*(p.clusters for p in found))
        for number, part in enumerate(found):
            mine = part.clusters if number else part.clusters | homeless
            own = [replace(gift, clusters=gift.clusters & mine) for gift in gifts]
            if rollout := _rollout(owner, part, before.get(part.placement), own, tried, origins):
                yield rollout


def _rollout(
    owner: Ref, part: Part, before: Part | None, gifts: Iterable[Gift], tried: Tried, origins: Origins
) -> Rollout | None:
    waiting = part.standing(*_WAITING) if not part.fault else tuple(sorted(part.clusters))
    unfinished = before.standing(*_WAITING, *_OPEN) if before is not None else ()
    waves = tuple(_wave(gift, part, tried.assumed.takes) for gift in _together(gifts, part))
    new = (waiting, part.fault) != (
        before.standing(*_WAITING) if before else (),
        before.fault if before else "",
    )
    if not waves and not new:
        return None
    failed, under_way = part.standing(*_BAD), part.standing(*_OPEN)
    ends = [wave.soaked for wave in waves if wave.soaked is not None]
    return Rollout(
        owner,
        waves,
        waiting,
        part.why if waiting or part.fault else "",
        strategy=part.in_words,
        failed=failed,
        under_way=under_way,
        unfinished=unfinished,
        end=max(ends, default=None) if not (waiting or failed or under_way) else None,
        origin=origins.of(owner),
        placement=part.placement,
        kind=part.limits.kind if part.limits else "",
        soak=part.soak,
        mandatory=part.mandatory,
    )


def _wave(gift: Gift, part: Part, takes: float) -> Wave:
    names, at = sorted(gift.clusters), gift.at
    groups = {part.names[name] for name in names if name in part.names}
    good = {row.cluster for row in part.rows if row.standing in (Standing.DONE, Standing.SOAKING)}
    deadline = part.limits.deadline if part.limits else None
    return Wave(
        at,
        tuple(names),
        tuple(g for g in dict.fromkeys(part.names.values()) if g in groups),
        soaked=None if good.isdisjoint(names) else after(after(at, timedelta(seconds=takes)), part.soak),
        deadline=after(at, deadline) if deadline is not None else None,
    )


def _together(gifts: Iterable[Gift], part: Part) -> Iterator[Gift]:
    """The gifts of a part; of a strategy that keeps nobody waiting all those of a moment are one."""
    at_once = part.limits is not None and part.limits.kind == ALL
    last: Gift | None = None
    for gift in (gift for gift in gifts if gift.clusters):
        if last is not None and at_once and gift.at - last.at < ONE_MOMENT:
            last = replace(last, clusters=last.clusters | gift.clusters)
            continue
        if last is not None:
            yield last
        last = gift
    if last is not None:
        yield last


# --- who was given something, and when --------------------------------------------------------------


@dataclass(frozen=True)
class Gift:
    """Clusters that are given something together."""

    at: datetime
    clusters: frozenset[str]


def given(tried: Tried) -> Mapping[Ref, Sequence[Gift]]:
    """For each replica set and add-on, who got something else from it, one after the other.

    What is given at one moment is given together, unless one of those that were given it has answered
    meanwhile: then the others had waited for that.
    """
    found: dict[Ref, list[Gift]] = {}
    made: dict[Ref, list[Gift]] = defaultdict(list)
    known: dict[Ref, Object] = {}
    answered: set[Ref] = set()
    for step in tried.steps:
        if step.controller == AGENTS:
            answered |= {owner for r in step.results if r.obj and (owner := owner_of(r.obj, step.key))}
        if step.key.of not in OWNERS:
            continue
        created, changed = _given_in(step, known, tried.before)
        if created:
            made[step.key].append(Gift(step.at, created))
        if changed:
            _add(found.setdefault(step.key, []), Gift(step.at, changed), apart=step.key in answered)
            answered.discard(step.key)
    for owner, gifts in made.items():
        configured = {name for gift in found.get(owner, ()) for name in gift.clusters}
        for gift in gifts:
            if left := gift.clusters - configured:
                _add(found.setdefault(owner, []), Gift(gift.at, left), apart=False)
    return {owner: sorted(gifts, key=lambda gift: gift.at) for owner, gifts in found.items()}


def _add(gifts: list[Gift], gift: Gift, *, apart: bool) -> None:
    if gifts and not apart and abs(gift.at - gifts[-1].at) < ONE_MOMENT:
        last = gifts.pop()
        gift = replace(last, clusters=last.clusters | gift.clusters)
    gifts.append(gift)


def _given_in(
    step: Step, known: dict[Ref, Object], before: Mapping[Ref, Object]
) -> tuple[frozenset[str], frozenset[str]]:
    """The clusters whose add-on was made in a step, and those that got something else."""
    created, changed = set(), set()
    for result in step.results:
        if (obj := _gift(result)) is None:
            continue
        ref = ref_of(obj)
        old = known.get(ref) or before.get(ref)
        known[ref] = obj
        if old is None and ref.of == CLUSTER_ADDON and not _has(obj):
            created.add(ref.namespace)
        elif old is None or _differs(old, obj):
            changed.add(ref.namespace)
    return frozenset(created), frozenset(changed)


def _gift(result: Result) -> Object | None:
    """The work or add-on that a write left."""
    obj = result.obj
    if obj is None or isinstance(result.write, Delete):
        return None
    return obj if ref_of(obj).of in (MANIFEST_WORK, CLUSTER_ADDON) else None


def _differs(old: Object, new: Object) -> bool:
    """Whether a cluster gets something else."""
    if ref_of(new).of == CLUSTER_ADDON:
        return _has(old) != _has(new)
    was, now = old.get("spec") or {}, new.get("spec") or {}
    return was is not now and was != now and normalised(was) != normalised(now)


def _has(addon: Object) -> list[object]:
    """The configurations an add-on is told to have."""
    references = (at_beta(addon).get("status") or {}).get("configReferences") or ()
    return [(each.get("group"), each.get("resource"), each.get("desiredConfig")) for each in references]

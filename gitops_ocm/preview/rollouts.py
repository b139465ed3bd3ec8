"""How a change spreads: in which waves replica sets and add-ons give it to clusters, and where it stops.

The waves are what the simulation did, step by step; what its rows say at the end (`parts`) tells who was
not reached and why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.contract import Delete, Result
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANAGEMENT_ADDON, MANIFEST_WORK, REPLICA_SET
from gitops_ocm.decide.rollout.explanation import Standing
from gitops_ocm.decide.rollout.judging import after
from gitops_ocm.decide.work_template import normalised
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.preview.hub import Hub
from gitops_ocm.preview.model import Rollout, Wave
from gitops_ocm.preview.origins import Origins
from gitops_ocm.preview.parts import Part, parts_of
from gitops_ocm.preview.run import Tried

OWNERS = (REPLICA_SET, MANAGEMENT_ADDON)
ONE_MOMENT = timedelta(seconds=1)
"""What is retried within this is of the same wave."""
_OPEN = (Standing.UNDER_WAY, Standing.SOAKING)
_WAITING = (Standing.HELD, Standing.STARTING)
_BAD = (Standing.FAILED, Standing.TIMED_OUT)

Spread = Mapping[datetime, Collection[str]]
"""Who is given something, by the moment."""


def rollouts(tried: Tried, hub: Hub, origins: Origins, *, told: bool) -> Iterator[Rollout]:
    """All rollouts that go on after the merge. `told`: it is known how far they were before."""
    spread = given(tried)
    changed = {
        ref
        for ref, obj in tried.after.items()
        if ref.of in OWNERS and tried.before.get(ref) is not obj and ref not in spread
    }
    for owner in sorted({*spread, *changed}):
        moments = spread.get(owner, {})
        before = {part.placement: part for part in parts_of(hub.before, owner)} if told else {}
        found = parts_of(hub.after, owner)
        homeless = {c for names in moments.values() for c in names}.difference(*(p.clusters for p in found))
        for number, part in enumerate(found):
            mine = part.clusters if number else part.clusters | homeless
            waves = {at: mine.intersection(names) for at, names in moments.items()}
            if rollout := _rollout(owner, part, before.get(part.placement), waves, tried, origins):
                yield rollout


def _rollout(
    owner: Ref, part: Part, before: Part | None, spread: Spread, tried: Tried, origins: Origins
) -> Rollout | None:
    waiting = part.standing(*_WAITING) if not part.fault else tuple(sorted(part.clusters))
    unfinished = before.standing(*_WAITING, *_OPEN) if before is not None else ()
    waves = tuple(
        _wave(at, sorted(names), part, tried.assumed.takes) for at, names in sorted(spread.items()) if names
    )
    if not waves and (not waiting or (before is not None and waiting == before.standing(*_WAITING))):
        return None
    failed, under_way = part.standing(*_BAD), part.standing(*_OPEN)
    ends = [wave.soaked for wave in waves if wave.soaked is not None]
    return Rollout(
        owner,
        waves,
        waiting,
        part.why if waiting else "",
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


def _wave(at: datetime, names: list[str], part: Part, takes: float) -> Wave:
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


# --- who was given something, and when --------------------------------------------------------------


def given(tried: Tried) -> Mapping[Ref, Spread]:
    """For each replica set and add-on, the moments at which clusters got something else from it."""
    known: dict[Ref, Object] = {}
    spread: dict[Ref, dict[datetime, set[str]]] = {}
    made: dict[Ref, dict[str, datetime]] = defaultdict(dict)
    for step in tried.steps:
        if step.key.of not in OWNERS:
            continue
        for result in step.results:
            if (obj := _gift(result)) is None:
                continue
            ref = ref_of(obj)
            old = known.get(ref) or tried.before.get(ref)
            known[ref] = obj
            if old is None and ref.of == CLUSTER_ADDON and not _has(obj):
                made[step.key].setdefault(ref.namespace, step.at)
            elif old is None or _differs(old, obj):
                moments = spread.setdefault(step.key, {})
                last = max(moments, default=step.at)
                at = last if step.at - last < ONE_MOMENT else step.at
                moments.setdefault(at, set()).add(ref.namespace)
    for owner, clusters in made.items():
        moments = spread.setdefault(owner, {})
        configured = {name for names in moments.values() for name in names}
        for name in sorted(clusters.keys() - configured):
            moments.setdefault(clusters[name], set()).add(name)
    return spread


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

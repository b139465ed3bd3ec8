"""Rollouts that reach most of the fleet at once, overtake one another, or wait for who does not answer.

Told of what spreads by this change, and of what it takes off clusters. Nobody is warned of what was assumed
(`--assume-fail`, `--assume-down`): who assumes it knows.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ocm.api.rollout import ALL
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANAGEMENT_ADDON, MANIFEST_WORK, PLACEMENT, REPLICA_SET
from gitops_ocm.errors import Diagnostic, Location
from gitops_ocm.objects.ref import Ref
from gitops_ocm.preview.model import Act, Rollout
from gitops_ocm.preview.shares import is_accepted
from gitops_ocm.preview.warnings.addons import is_rewritten
from gitops_ocm.preview.warnings.case import FEW, Case, called, cause_of, few, many, warning

MOST = 0.5
"""More than this part of the fleet at one moment is told of."""


def rollouts(case: Case) -> Iterator[Diagnostic]:
    """All of them."""
    yield from _at_once(case)
    for rollout in case.preview.rollouts:
        yield from _overtaken(case, rollout)
        yield from _waiting(case, rollout)
    yield from _by_hand(case)
    yield from _taken_off(case)


def _under(rollout: Rollout) -> str:
    return f" on {rollout.placement}" if rollout.placement else ""


def _share(case: Case, number: int) -> str:
    return f"{number:,} of {case.preview.fleet:,} clusters ({round(100 * number / case.preview.fleet)}%)"


def _is_most(case: Case, number: int) -> bool:
    return number > 1 and number > MOST * case.preview.fleet


def _at_once(case: Case) -> Iterator[Diagnostic]:
    """Each of them; of very many no more than which they are."""
    found = [(r, number) for r in case.preview.rollouts if _is_most(case, number := _largest(case, r))]
    for rollout, number in found if len(found) <= FEW else ():
        free = rollout.kind in ("", ALL)
        yield warning(
            "everything-at-once",
            f"{_share(case, number)} get it at once{_under(rollout)}: {rollout.strategy}",
            _where(case, rollout),
            rollout.owner,
            hint=_slower(rollout) if free else "a smaller maxConcurrency, or smaller groups, would spread it",
        )
    if len(found) > FEW:
        yield warning(
            "everything-at-once",
            f"{len(found)} rollouts reach most of {many(case.preview.fleet, 'cluster')} at once: "
            f"{few({called(rollout.owner) for rollout, _ in found}, 3)}",
            found[0][0].origin,
            hint=_slower(found[0][0]),
        )


def _where(case: Case, found: Rollout) -> Location:
    """Where its strategy is, or would be."""
    namespace, _, name = found.placement.partition("/")
    return case.where_named(found.owner, Ref(*PLACEMENT, namespace, name)) if name else found.origin


def _largest(case: Case, found: Rollout) -> int:
    """How many clusters its largest wave gives something to."""
    waves = [wave.clusters for wave in found.waves]
    if found.kind not in ("", ALL) and found.owner.of == MANAGEMENT_ADDON:
        # Its strategy spreads what is deployed: that it is installed everywhere before, alone, does nothing.
        deployed = _given_works(case, found.owner)
        waves = [tuple(name for name in wave if name in deployed) for wave in waves]
    return max(map(len, waves), default=0)


def _given_works(case: Case, owner: Ref) -> set[str]:
    return {
        cluster.name
        for cluster in case.preview.clusters
        if any(e.ref.of == MANIFEST_WORK and e.owner == owner for e in cluster.effects)
    }


def _slower(found: Rollout) -> str:
    """What would spread a rollout that has no limit."""
    if found.owner.of == REPLICA_SET:
        where = "under placementRefs"
    elif found.placement:
        where = "under installStrategy.placements"
    else:
        return "an installStrategy of type Placements would spread it"
    return (
        f"a rolloutStrategy {where} would spread it: type Progressive with maxConcurrency and minSuccessTime"
    )


def _overtaken(case: Case, found: Rollout) -> Iterator[Diagnostic]:
    """What is under way, where this change has it spread something else."""
    addon = found.owner.of == MANAGEMENT_ADDON
    other = is_rewritten(case, found.owner) if addon else found.owner in case.changed
    if found.unfinished and found.waves and other:
        some = "has" if len(found.unfinished) == 1 else "have"
        yield warning(
            "rollout-in-progress",
            f"a rollout is in progress{_under(found)}: {few(found.unfinished)} {some} not got or not "
            "finished what is merged already, and would get this instead",
            found.origin,
            found.owner,
            hint="wait for it to end if what it brings should be seen to work first",
        )


def _waiting(case: Case, found: Rollout) -> Iterator[Diagnostic]:
    """Who does not answer and would hold the rollout, or what else keeps it from its end."""
    assumed = case.tried.assumed
    meant = {name for wave in found.waves for name in wave.clusters} | {*found.waiting}
    if (silent := meant & case.silent) and found.kind not in ("", ALL):
        until = "waits until the deadline, and then counts that as failed"
        deadlines = any(wave.deadline is not None for wave in found.waves)
        yield warning(
            "rollout-waits",
            f"{few(silent)} {'does' if len(silent) == 1 else 'do'} not answer{_under(found)}: the rollout "
            f"{until if deadlines else 'waits, without a progressDeadline for ever'}",
            found.origin,
            found.owner,
            hint="gitops-ocm doctor tells why a cluster is silent; a taint takes it out of the placement",
        )
    elif _is_stuck(case, found) and not (silent or assumed.failing or assumed.down or case.tried.until):
        yield warning(
            "rollout-stuck",
            f"{many(len(found.waiting), 'cluster')} would never get it{_under(found)}: {found.why}",
            found.origin,
            found.owner,
            hint="mend what holds it before more is merged",
        )


def _is_stuck(case: Case, found: Rollout) -> bool:
    """Whether clusters wait for ever that did not before, for another reason than is told elsewhere."""
    before, after = case.hub.before.clusters, case.hub.after.clusters
    # Nobody let them in, before or now: that this change does not reach them is no news.
    out = {
        name
        for name in found.waiting
        if name in before and not is_accepted(before[name]) and not is_accepted(after.get(name) or {})
    }
    return bool({*found.waiting} - {*found.unfinished} - out) and found.owner not in case.unplaced


# --- what no rollout spreads ------------------------------------------------------------------------


def _by_hand(case: Case) -> Iterator[Diagnostic]:
    """Works that people wrote one by one: all of them are applied with the merge."""
    found: dict[str, Location] = {}
    for cluster in case.preview.clusters:
        for effect in cluster.effects:
            if effect.ref.of == MANIFEST_WORK and effect.owner is None and effect.act is not Act.DELETE:
                found.setdefault(cluster.name, effect.origin)
    if _is_most(case, len(found)):
        yield warning(
            "everything-at-once",
            f"{_share(case, len(found))} get works of their own with the merge, all at once",
            cause_of(found.values(), Location()),
            hint="a ManifestWorkReplicaSet would spread them; or merge some clusters' works after the others",
        )


def _taken_off(case: Case) -> Iterator[Diagnostic]:
    """What goes from most of the fleet: no strategy slows that."""
    gone: dict[Ref, set[str]] = {}
    for cluster in case.preview.clusters:
        for effect in cluster.effects:
            given = effect.ref.of in (MANIFEST_WORK, CLUSTER_ADDON)
            if given and effect.act is Act.DELETE and effect.owner is not None:
                gone.setdefault(effect.owner, set()).add(cluster.name)
    most = {owner: clusters for owner, clusters in sorted(gone.items()) if _is_most(case, len(clusters))}
    if not most:
        return
    owner = next(iter(most))
    if len(most) == 1:
        why = f"it is taken off {_share(case, len(most[owner]))} at once"
    else:
        told = [f"{called(owner)} ({len(clusters):,})" for owner, clusters in most.items()]
        more = f" and {len(told) - FEW:,} more" if len(told) > FEW else ""
        why = (
            f"taken off most of {many(case.preview.fleet, 'cluster')} at once: {', '.join(told[:FEW])}{more}"
        )
    yield warning(
        "taken-off-at-once",
        why,
        case.origins.of(owner),
        owner if len(most) == 1 else None,
        note="rollout strategies spread what is given, not what is taken away",
        hint="to go slowly, narrow their placements step by step before",
    )

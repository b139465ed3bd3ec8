"""Clusters that leave with something on them, that are shut out, or that taints empty; works for nobody.

Told of clusters and works that this change writes or takes away. Clusters to which the same happens are told
of together, at the first one's line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANAGED_CLUSTER, MANIFEST_WORK, cluster_ref
from gitops_ocm.decide.placement.fleet import taint_of, taints_of
from gitops_ocm.errors import Diagnostic
from gitops_ocm.objects.ref import Ref
from gitops_ocm.preview.hub import Moment
from gitops_ocm.preview.model import Act, Effect
from gitops_ocm.preview.shares import is_accepted
from gitops_ocm.preview.warnings.case import Case, few, many, on, path, there, warning

_EVICTING = "NoSelect"


def clusters(case: Case) -> Iterator[Diagnostic]:
    """All of them."""
    yield from _leaving(case)
    yield from _shut_out(case)
    yield from _tainted(case)
    yield from _for_nobody(case)


def _leaving(case: Case) -> Iterator[Diagnostic]:
    going = [e.ref.name for e in case.of(MANAGED_CLUSTER, Act.DELETE)]
    if not going or not (held := _held(case.hub.before, going)):
        return
    silent = [name for name in going if name in case.silent]
    note = "what these put there is deleted first"
    if silent:
        note += f"; {few(silent)} {_does(silent)} not answer: there it stays, and the deletion waits for it"
    yield warning(
        "cluster-removed",
        f"{'it leaves' if len(going) == 1 else f'{few(going)} leave'} the fleet with {held}",
        case.origins.of(cluster_ref(going[0])),
        cluster_ref(going[0]) if len(going) == 1 else None,
        note=note,
        hint="to keep what runs there, let its works orphan it first: deleteOption.propagationPolicy",
    )


def _shut_out(case: Case) -> Iterator[Diagnostic]:
    """Clusters whose acceptance is withdrawn."""
    out = [
        e.ref.name
        for e in case.of(MANAGED_CLUSTER, Act.CHANGE)
        if _accepted(case.hub.before, e) and not _accepted(case.hub.after, e)
    ]
    if not out or not (held := _held(case.hub.before, out)):
        return
    yield warning(
        "cluster-shut-out",
        f"the hub no longer accepts {'it, which has' if len(out) == 1 else f'{few(out)}, which have'} {held}",
        case.origins.of(cluster_ref(out[0]), "spec", "hubAcceptsClient"),
        cluster_ref(out[0]) if len(out) == 1 else None,
        note="its agent may read nothing then: what is there stays as it is, and no change reaches it",
        hint="to take a cluster out of the fleet, delete it: then what it was given goes first",
    )


def _accepted(moment: Moment, effect: Effect) -> bool:
    return is_accepted(moment.clusters.get(effect.ref.name) or {})


def _held(moment: Moment, names: Sequence[str]) -> str:
    """The works and add-ons on these clusters, in words; `""` for none."""
    works, addons = on(moment, MANIFEST_WORK), on(moment, CLUSTER_ADDON)
    numbers = [sum(len(found.get(name, ())) for name in names) for found in (works, addons)]
    parts = [many(n, what) for n, what in zip(numbers, ("work", "add-on"), strict=True) if n]
    return " and ".join(parts)


def _does(names: Sequence[str]) -> str:
    return "does" if len(names) == 1 else "do"


# --- taints -----------------------------------------------------------------------------------------


def _tainted(case: Case) -> Iterator[Diagnostic]:
    """Taints that take clusters out of placements at once."""
    found: dict[tuple[str, ...], list[str]] = {}
    for effect in case.of(MANAGED_CLUSTER, Act.CHANGE):
        if fresh := _fresh(case, effect.ref.name):
            found.setdefault(fresh, []).append(effect.ref.name)
    for taints, names in found.items():
        lost = {
            path(selection.ref)
            for selection in case.preview.selections
            if any(not t.gained and t.cluster in names and t.why.startswith("taint") for t in selection.turns)
        }
        if lost:
            yield warning(
                "taint-evicts",
                f"{few(taints)} takes {'it' if len(names) == 1 else few(names)} out of {few(lost)}",
                case.origins.of(cluster_ref(names[0]), "spec", "taints"),
                cluster_ref(names[0]) if len(names) == 1 else None,
                note="what is there by these placements is deleted",
                hint="NoSelectIfNew keeps what is there, and selects the cluster for nothing more",
            )


def _fresh(case: Case, name: str) -> tuple[str, ...]:
    """The taints by which a cluster is selected no more, and was before."""
    before, after = (m.clusters.get(name) or {} for m in (case.hub.before, case.hub.after))
    held = {taint_of(wire) for wire in taints_of(before)}
    fresh = (taint_of(wire) for wire in taints_of(after))
    return tuple(
        f"taint {t.key}{f'={t.value}' if t.value else ''}:{t.effect}"
        for t in fresh
        if t not in held and t.effect == _EVICTING
    )


# --- works for nobody -------------------------------------------------------------------------------


def _for_nobody(case: Case) -> Iterator[Diagnostic]:
    """Works in a namespace that is no cluster's: the hub has no such namespace, or nobody looks there."""
    for effect in case.of(MANIFEST_WORK, Act.CREATE, Act.CHANGE):
        home = effect.ref.namespace
        cluster = there(case.hub.after, Ref(*MANAGED_CLUSTER, "", home))
        if cluster is not None and is_accepted(cluster):
            continue
        if cluster is None:
            why = f"there is no cluster {home}: nobody would apply what is in its namespace"
            hint = f"declare a ManagedCluster {home}, or correct the work's namespace"
        else:
            why = f"the cluster {home} is not accepted: it has no namespace, and its agent may read nothing"
            hint = f"set spec.hubAcceptsClient of ManagedCluster {home}"
        yield _nobodys(case, effect.ref, why, hint=hint)
    yield from _left_behind(case)


def _left_behind(case: Case) -> Iterator[Diagnostic]:
    """Works that stay as they are in Git while the cluster whose they are is deleted."""
    going = {effect.ref.name for effect in case.of(MANAGED_CLUSTER, Act.DELETE)}
    if not going:
        return
    for ref in sorted(case.origins.head.objects):
        if ref.of == MANIFEST_WORK and ref.namespace in going and ref not in case.changed:
            why = f"it stays in Git while its cluster {ref.namespace} leaves the fleet"
            note = "the sync makes it again whenever it is deleted, and the cluster's deletion waits for it"
            yield _nobodys(case, ref, why, note=note, hint="delete it in the same change")


def _nobodys(case: Case, work: Ref, why: str, *, note: str = "", hint: str) -> Diagnostic:
    where = case.origins.of(work, "metadata", "namespace")
    return warning("work-without-cluster", why, where, work, note=note, hint=hint)

"""What works hold: deletions that take more along, updates that are refused, objects of two, no namespace.

Told of works that are given, changed or taken off by this change, and of manifests in them that it brings or
drops. A replica set's works are all alike: they are judged once, by its template.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from gitops_ocm.decide.addons.deploy_works import guessed_plural
from gitops_ocm.decide.agent.options import orphans
from gitops_ocm.decide.kinds import NAMESPACE, REPLICA_SET
from gitops_ocm.errors import Diagnostic, Location
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.paths import get
from gitops_ocm.objects.ref import Kind, Ref, ref_of
from gitops_ocm.preview.warnings.case import Case, called, few, many, warning
from gitops_ocm.preview.warnings.contents import Contents, Manifests, Work, changed_works, manifests_in
from gitops_ocm.preview.warnings.updates import is_updated, refusals, told

_TAKES_ALONG = {
    NAMESPACE: "everything in it",
    Kind("apiextensions.k8s.io", "CustomResourceDefinition"): "every object of its kind",
    Kind("", "PersistentVolumeClaim"): "the data it holds",
}
_ALWAYS_THERE = ("default", "kube-system", "kube-public", "kube-node-lease")
_OF_OCM = "open-cluster-management"


def manifests(case: Case) -> Iterator[Diagnostic]:
    """All of them."""
    contents = Contents(case)
    works = list(changed_works(case, contents))
    yield from _taking_along(case, contents, works)
    yield from _refused(case, works)
    yield from _of_two(case, contents, works)
    yield from _homeless(case, contents, works)


def _line(case: Case, work: Work, ref: Ref, *field: str) -> Location:
    """Where a manifest is written; where it is no more, where it was among the others."""
    side = case.origins.head if work.owner in case.origins.head.objects else case.origins.base
    if work.owner not in side.objects:
        return work.origin
    template = ("manifestWorkTemplate",) if work.owner.of == REPLICA_SET else ()
    at = ("spec", *template, "workload", "manifests")
    held = get(side.objects[work.owner].obj, *at, default=None) or ()
    for index, manifest in enumerate(held):
        meta = manifest.get("metadata") if isinstance(manifest, dict) else None
        if meta and meta.get("name") == ref.name and ref_of(manifest) == ref:
            return side.of(work.owner, *at, index, *field)
    return side.of(work.owner, *at) if held else work.origin


# --- deletions that take more with them --------------------------------------------------------------


def _taking_along(case: Case, contents: Contents, works: Sequence[Work]) -> Iterator[Diagnostic]:
    found: dict[tuple[Ref, Ref], list[str]] = defaultdict(list)
    examples: dict[Ref, Work] = {}
    for work in works:
        for ref in {*work.before} - {*work.after}:
            if ref.of not in _TAKES_ALONG or _orphaned(work, ref):
                continue
            examples.setdefault(work.owner, work)
            found[work.owner, ref] += [
                c for c in work.clusters if not any(ref in held for _, held in contents.held(c, fresh=True))
            ]
    for (owner, ref), clusters in sorted(found.items()):
        if clusters:
            yield warning(
                "deletion-takes-along",
                f"{called(ref)} is deleted on {_clusters(clusters)}, with {_TAKES_ALONG[ref.of]}",
                _line(case, examples[owner], ref),
                owner,
                hint="to keep it there, name it under the work's deleteOption (SelectivelyOrphan)",
            )


def _orphaned(work: Work, ref: Ref) -> bool:
    return orphans(work.option, (ref.group, guessed_plural(ref.kind), ref.namespace, ref.name))


def _clusters(names: Sequence[str]) -> str:
    return few(names) if len(names) <= 6 else f"{many(len(names), 'cluster')} ({few(names, 3)})"


# --- updates that a cluster refuses -------------------------------------------------------------------


def _refused(case: Case, works: Sequence[Work]) -> Iterator[Diagnostic]:
    found: dict[tuple[Ref, Ref, Cause], list[str]] = defaultdict(list)
    examples: dict[Ref, Work] = {}
    catalog = case.tried.catalog
    for work in works if catalog is not None else ():
        assert catalog is not None
        for ref in work.before.keys() & work.after.keys():
            old, new = work.before[ref], work.after[ref]
            if old != new and is_updated(ref, work.option):
                examples.setdefault(work.owner, work)
                for cause in refusals(ref, old, new, catalog):
                    found[work.owner, ref, cause] += work.clusters
    for (owner, ref, cause), clusters in sorted(found.items()):
        yield warning(
            "update-refused",
            f"{called(ref)} cannot become that on {_clusters(clusters)}: {told(cause)}",
            _line(case, examples[owner], ref, *cause.field.split(".")),
            owner,
            hint=f"give the {ref.kind} another name, so that the old one is deleted and a new one made",
        )


# --- objects of two owners ---------------------------------------------------------------------------


def _of_two(case: Case, contents: Contents, works: Sequence[Work]) -> Iterator[Diagnostic]:
    """Two works of a cluster that hold the same object fight for it; a namespace they may share."""
    found: dict[tuple[Ref, Ref], tuple[set[Ref], set[str]]] = {}
    examples: dict[Ref, Work] = {}
    for work in works:
        if not (new := {ref for ref in work.new if ref.of != NAMESPACE}):
            continue
        examples.setdefault(work.owner, work)
        for cluster in work.clusters:
            for other, held in contents.held(cluster, fresh=True):
                both = new & held.keys() if other != work.owner else set()
                if both and (other, work.owner) not in found:
                    objects, clusters = found.setdefault((work.owner, other), (set(), set()))
                    objects |= both
                    clusters.add(cluster)
    for (owner, other), (objects, clusters) in sorted(found.items()):
        if fresh := objects - _together(case, contents, owner, other):
            yield warning(
                "object-of-two-works",
                f"{few({called(ref) for ref in fresh}, 3)} {'is' if len(fresh) == 1 else 'are'} in "
                f"{called(other)}, too, on {_clusters(sorted(clusters))}",
                _line(case, examples[owner], min(fresh)),
                owner,
                note="the first has it and the other fails; OCM's own agents let each overwrite the other",
                hint="keep what is in both in one of them, or give it another name",
            )


def _together(case: Case, contents: Contents, owner: Ref, other: Ref) -> frozenset[Ref]:
    """What both held already, on any cluster; all of it, where nobody can know and neither is written to."""
    if not case.state.commit and owner not in case.changed and other not in case.changed:
        return frozenset(_held_by(case, owner))
    both: set[Ref] = set()
    for cluster in contents.before:
        held = dict(contents.held(cluster, fresh=False))
        both |= held.get(owner, {}).keys() & held.get(other, {}).keys()
    return frozenset(both)


def _held_by(case: Case, owner: Ref) -> Manifests:
    spec = (case.hub.after.objects.get(owner) or {}).get("spec") or {}
    return manifests_in(spec.get("manifestWorkTemplate") or spec)


# --- namespaces that nobody makes --------------------------------------------------------------------


def _homeless(case: Case, contents: Contents, works: Sequence[Work]) -> Iterator[Diagnostic]:
    """What is in a namespace that no work on the cluster makes, and that none has used so far.

    Nobody here can know what people made there by hand, so it is only said what is not known.
    """
    found: dict[tuple[Ref, str], list[str]] = defaultdict(list)
    examples: dict[Ref, Work] = {}
    for work in works:
        asked = {ref.namespace for ref in work.new} - _known(work.after, made_only=True)
        asked = {ns for ns in asked if ns and ns not in _ALWAYS_THERE and not ns.startswith(_OF_OCM)}
        asked -= {ref.namespace for ref in work.before}
        examples.setdefault(work.owner, work)
        for cluster in work.clusters if asked else ():
            held = contents.held(cluster, fresh=False)
            known = set().union(*(_known(there) for _, there in held))
            making = contents.held(cluster, fresh=True)
            known |= set().union(*(_known(there, made_only=True) for _, there in making))
            for namespace in asked - known:
                found[work.owner, namespace].append(cluster)
    for (owner, namespace), clusters in sorted(found.items()):
        yield warning(
            "namespace-unknown",
            f"nothing in Git makes the namespace {namespace} on {_clusters(clusters)}",
            _line(case, examples[owner], min(r for r in examples[owner].new if r.namespace == namespace)),
            owner,
            note="unless it is there already, what is to be in it cannot be applied",
            hint=f"put a Namespace {namespace} before it in the work",
        )


def _known(held: Manifests, *, made_only: bool = False) -> set[str]:
    """The namespaces that manifests make, and those they are in."""
    made = {ref.name for ref in held if ref.of == NAMESPACE}
    return made if made_only else made | {ref.namespace for ref in held}

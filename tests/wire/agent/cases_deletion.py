"""The end of a work: what goes with it, what stays, and what holds it up."""

from __future__ import annotations

from gitops_ocm.objects.ref import Object
from tests.wire.agent.cases import Case
from tests.wire.agent.expected import Entry
from tests.wire.agent.kinds import GROUP, config_map, gadget, note, obj
from tests.wire.agent.moves import Begun, Change, Deleting, End, Ended, Expect, Work

_A, _B, _C = config_map("$me-a"), config_map("$me-b"), note("$me-c", spec={"a": 1})


def orphaning(*rules: Object) -> Object:
    """Options of a work that leaves some objects."""
    return {
        "deleteOption": {
            "propagationPolicy": "SelectivelyOrphan",
            "selectivelyOrphans": {"orphaningRules": list(rules)},
        }
    }


def rule(resource: str, name: str, namespace: str = "$ns", group: str = "") -> Object:
    """One object that is left."""
    found = {"group": group, "resource": resource, "name": name}
    return {**found, "namespace": namespace} if namespace else found


def _ends(name: str, options: Object, *, left: list[Object], gone: list[Object]) -> Case:
    manifests = [_A, _B, _C]
    entries = [Entry(m, owned=m in gone) for m in manifests]
    return Case(name, [Work(manifests, options), Expect(entries), End(), Ended(left=left, gone=gone)])


_FOREGROUND = {"deleteOption": {"propagationPolicy": "Foreground"}}
_ORPHAN = {"deleteOption": {"propagationPolicy": "Orphan"}}
_GADGET = gadget(spec={"a": 1})
_CHILD = note("$me-child", spec={})

OPTIONS = [
    _ends("no option", {}, left=[], gone=[_A, _B, _C]),
    _ends("foreground", _FOREGROUND, left=[], gone=[_A, _B, _C]),
    _ends("orphan", _ORPHAN, left=[_A, _B, _C], gone=[]),
    _ends("selectively without rules", orphaning(), left=[], gone=[_A, _B, _C]),
    _ends("one by rule", orphaning(rule("configmaps", "$me-a")), left=[_A], gone=[_B, _C]),
    _ends(
        "two by rules",
        orphaning(rule("configmaps", "$me-a"), rule("notes", "$me-c", group=GROUP)),
        left=[_A, _C],
        gone=[_B],
    ),
    _ends("another namespace", orphaning(rule("configmaps", "$me-a", "other")), left=[], gone=[_A, _B, _C]),
    _ends("no namespace", orphaning(rule("configmaps", "$me-a", "")), left=[], gone=[_A, _B, _C]),
    _ends("another group", orphaning(rule("notes", "$me-c")), left=[], gone=[_A, _B, _C]),
    _ends("a kind is no resource", orphaning(rule("ConfigMap", "$me-a")), left=[], gone=[_A, _B, _C]),
    _ends("a star is itself", orphaning(rule("configmaps", "*")), left=[], gone=[_A, _B, _C]),
    Case(
        "a cluster-scoped rule",
        [
            Work([_GADGET, _A], orphaning(rule("gadgetry", "$me", "", GROUP))),
            Expect([Entry(_GADGET, owned=False), Entry(_A)]),
            End(),
            Ended(left=[_GADGET], gone=[_A]),
        ],
    ),
]

CHANGED = [
    Case(
        "orphan later",
        [
            Work([_A]),
            Expect([Entry(_A)]),
            Work([_A], _ORPHAN),
            Expect([Entry(_A, owned=False)]),
            End(),
            Ended(left=[_A]),
        ],
    ),
    Case(
        "orphan no longer",
        [
            Work([_A], _ORPHAN),
            Expect([Entry(_A, owned=False)]),
            Work([_A]),
            Expect([Entry(_A)]),
            End(),
            Ended(gone=[_A]),
        ],
    ),
    Case(
        "an orphan dropped stays",
        [
            Work([_A, _B], _ORPHAN),
            Expect([Entry(_A, owned=False), Entry(_B, owned=False)]),
            Work([_B], _ORPHAN),
            Expect([Entry(_B, owned=False)]),
            End(),
            Ended(left=[_A, _B]),
        ],
    ),
    Case(
        "by rule, dropped, stays",
        [
            Work([_A, _B], orphaning(rule("configmaps", "$me-a"))),
            Expect([Entry(_A, owned=False), Entry(_B)]),
            Work([_B], orphaning(rule("configmaps", "$me-a"))),
            Expect([Entry(_B)]),
            End(),
            Ended(left=[_A], gone=[_B]),
        ],
    ),
]

_HELD = note(metadata={"finalizers": ["example.com/hold"]})
_FREED = {"metadata": {"finalizers": None}}
HELD_UP = [
    Case(
        "by a finalizer",
        [
            Work([_HELD, _A]),
            Expect([Entry(_HELD), Entry(_A)]),
            End(),
            Deleting(lingering=[_HELD], gone=[_A]),
            Change(_HELD, _FREED),
            Ended(gone=[_HELD, _A]),
        ],
    ),
    Case(
        "by a finalizer, freed by force",
        [
            Work([_HELD]),
            Expect([Entry(_HELD)]),
            End(),
            Deleting(lingering=[_HELD]),
            Change(_HELD, _FREED),
            Ended(gone=[_HELD]),
        ],
    ),
    Case(
        "an object that was gone already",
        [Work([_A, _B]), Expect([Entry(_A), Entry(_B)]), End(), Ended(gone=[_A, _B])],
    ),
    Case(
        "with an unknown kind",
        [
            Work([_A, obj("nowhere.example.com/v1", "Nothing")]),
            Begun(),
            End(),
            Ended(gone=[_A]),
        ],
    ),
    Case(
        "without manifests that could be applied",
        [Work([obj("v1", "ConfigMap", "$me", "$me-lost")]), Begun(), End(), Ended()],
    ),
    Case("at once", [Work([_A, _B, _C]), Begun(), End(), Ended(gone=[_A, _B, _C])]),
    Case(
        "and again under the same name",
        [
            Work([_A]),
            Expect([Entry(_A)]),
            End(),
            Ended(gone=[_A]),
            Work([_A, _B]),
            Expect([Entry(_A), Entry(_B)]),
        ],
    ),
]

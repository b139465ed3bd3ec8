"""What becomes of the objects of desired state: changes by field, moves, and what looks like a rename."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.objects.ref import Object
from gitops_ocm.plan.changes import Policy
from gitops_ocm.preview.model import Act
from gitops_ocm.preview.objects import SAME, object_effects
from gitops_ocm.preview.origins import Origins
from gitops_ocm.preview.run import planned
from gitops_ocm.testing import objects as make
from tests.preview.edits import drop, put
from tests.preview.fleets import Files, repository
from tests.preview.merged import Edit, previewed

ALL = Policy(max_prune_percent=100)


def config(name: str, data: dict[str, str], namespace: str = "fleet", **meta: Any) -> Object:
    """A ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, **meta},
        "data": data,
    }


def effects(base: Files, head: Files, policy: Policy = ALL) -> list[tuple[str, str, str]]:
    """Each effect on what is no namespace: what, whom, and why."""
    fleet = {"hub/ns.yaml": [make.namespace("fleet"), make.namespace("other")]}
    before, after = (repository({**fleet, **files}, commit) for files, commit in ((base, "b"), (head, "h")))
    plan = planned(before, after, policy, owner="fleet")
    found = object_effects(plan.notable, Origins(before, after))
    return [
        (e.act.value, f"{e.ref.namespace}/{e.ref.name}", e.why) for e in found if e.ref.kind == "ConfigMap"
    ]


A, B = {"k": "a"}, {"k": "b"}
RENAME = "looks like a rename to fleet/new: it is deleted, not renamed"
RENAMED = "looks like a rename of fleet/old: it is made anew"
GONE = "removed from Git"
CASES: dict[str, tuple[Files, Files, list[tuple[str, str, str]]]] = {
    "nothing": ({"hub/a.yaml": [config("a", A)]}, {"hub/a.yaml": [config("a", A)]}, []),
    "new": ({}, {"hub/a.yaml": [config("a", A)]}, [("create", "fleet/a", "")]),
    "gone": ({"hub/a.yaml": [config("a", A)]}, {}, [("delete", "fleet/a", GONE)]),
    "moved to another file": (
        {"hub/a.yaml": [config("a", A)]},
        {"hub/moved/b.yaml": [config("a", A)]},
        [("move", "fleet/a", "")],
    ),
    "moved within its file": (
        {"hub/a.yaml": [config("a", A), config("b", B)]},
        {"hub/a.yaml": [config("b", B), config("a", A)]},
        [],
    ),
    "moved and changed": (
        {"hub/a.yaml": [config("a", A)]},
        {"hub/b.yaml": [config("a", B)]},
        [("change", "fleet/a", "")],
    ),
    "written otherwise": (
        {"hub/a.yaml": [config("a", A)]},
        {"hub/a.yaml": [config("a", A, annotations={})]},
        [("change", "fleet/a", SAME)],
    ),
    "renamed": (
        {"hub/a.yaml": [config("old", A)]},
        {"hub/a.yaml": [config("new", A)]},
        [("create", "fleet/new", RENAMED), ("delete", "fleet/old", RENAME)],
    ),
    "to another namespace": (
        {"hub/a.yaml": [config("x", A)]},
        {"hub/a.yaml": [config("x", A, "other")]},
        [
            ("delete", "fleet/x", "looks like a rename to other/x: it is deleted, not renamed"),
            ("create", "other/x", "looks like a rename of fleet/x: it is made anew"),
        ],
    ),
    "renamed and changed is none": (
        {"hub/a.yaml": [config("old", A)]},
        {"hub/a.yaml": [config("new", B)]},
        [("create", "fleet/new", ""), ("delete", "fleet/old", GONE)],
    ),
    "other labels are another object": (
        {"hub/a.yaml": [config("old", A, labels={"x": "1"})]},
        {"hub/a.yaml": [config("new", A, labels={"x": "2"})]},
        [("create", "fleet/new", ""), ("delete", "fleet/old", GONE)],
    ),
    "of two nobody knows which": (
        {"hub/a.yaml": [config("o1", A), config("o2", A)]},
        {"hub/a.yaml": [config("n1", A), config("n2", A)]},
        [
            ("create", "fleet/n1", ""),
            ("create", "fleet/n2", ""),
            ("delete", "fleet/o1", GONE),
            ("delete", "fleet/o2", GONE),
        ],
    ),
    "one of two that differ": (
        {"hub/a.yaml": [config("old", A), config("gone", B)]},
        {"hub/a.yaml": [config("new", A)]},
        [("delete", "fleet/gone", GONE), ("create", "fleet/new", RENAMED), ("delete", "fleet/old", RENAME)],
    ),
    "what says nothing has no rename": (
        {"hub/a.yaml": [config("old", {})]},
        {"hub/a.yaml": [config("new", {})]},
        [("create", "fleet/new", ""), ("delete", "fleet/old", GONE)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_becomes_of_objects(case: str) -> None:
    """Each case's effects, and no others."""
    base, head, expected = CASES[case]
    assert effects(base, head) == expected


def test_a_move_names_both_files() -> None:
    """Where it is now, and where it was; so does what is moved and changed, with its fields."""
    for data, act, paths in ((A, Act.MOVE, []), (B, Act.CHANGE, ["data.k"])):
        before = repository({"hub/ns.yaml": [make.namespace("fleet")], "hub/a.yaml": [config("a", A)]}, "b")
        after = repository({"hub/ns.yaml": [make.namespace("fleet")], "hub/z.yaml": [config("a", data)]}, "h")
        plan = planned(before, after, ALL, owner="fleet")
        (found,) = object_effects(plan.notable, Origins(before, after))
        assert (found.act, [str(field.path) for field in found.fields]) == (act, paths)
        assert (found.origin.path, found.source.path) == ("hub/z.yaml", "hub/a.yaml")


@pytest.mark.parametrize(
    ("policy", "annotations", "act", "why"),
    [
        (
            ALL,
            {"sync.gitops-ocm.io/prune": "disabled"},
            "keep",
            "removed from Git; its annotation disables pruning",
        ),
        (Policy(prune=False), {}, "keep", "removed from Git; spec.prune.mode is Disabled"),
    ],
)
def test_what_stays(policy: Policy, annotations: dict[str, str], act: str, why: str) -> None:
    """What leaves Git and stays on the hub is told so, with why."""
    base: Files = {"hub/a.yaml": [config("a", A, annotations=annotations)]}
    assert effects(base, {}, policy) == [(act, "fleet/a", why)]


PLAIN: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "plain"}}


@pytest.mark.parametrize(
    ("edit", "act"),
    [
        (drop("Namespace", "plain"), Act.DELETE),
        (put("Namespace", "plain", "metadata", "labels", value={"team": "a"}), Act.CHANGE),
    ],
)
def test_what_has_only_a_name(edit: Edit, act: Act) -> None:
    """An object of which the sync owns no field at all is deleted and changed as any other."""
    before = {"hub/ns.yaml": [PLAIN, make.namespace("a"), make.namespace("b")]}
    assert [(e.act, e.ref.name) for e in previewed(before, edit).effects] == [(act, "plain")]

"""What a reviewer is warned of in works: what a deletion takes along, what clusters refuse, what two want."""

from __future__ import annotations

import pytest

from gitops_ocm.testing import objects as make
from tests.preview.edits import add, drop, nothing, put, selecting
from tests.preview.merged import Edit, edited, previewed, small, warned_at

FROZEN = {**make.config_map("x"), "immutable": True}
ONCE = [
    {
        "resourceIdentifier": {"group": "", "resource": "configmaps", "namespace": "default", "name": "x"},
        "updateStrategy": {"type": "CreateOnly"},
    }
]
ORPHANED = {
    "propagationPolicy": "SelectivelyOrphan",
    "selectivelyOrphans": {
        "orphaningRules": [{"group": "", "resource": "namespaces", "namespace": "", "name": "shop"}]
    },
}
CASES: dict[str, tuple[Edit, Edit, list[tuple[str, str]]]] = {
    "a namespace leaves a work": (
        add("works/x.yaml", make.manifest_work("x", "c4", [make.namespace("shop"), make.config_map("x")])),
        add("works/x.yaml", make.manifest_work("x", "c4", [make.config_map("x")])),
        [("deletion-takes-along", "works/x.yaml: manifests:")],
    ),
    "a namespace goes from one work to another": (
        add("works/x.yaml", make.manifest_work("x", "c4", [make.namespace("shop"), make.config_map("x")])),
        add(
            "works/x.yaml",
            make.manifest_work("x", "c4", [make.config_map("x")]),
            make.manifest_work("y", "c4", [make.namespace("shop")]),
        ),
        [],
    ),
    "a namespace leaves a work that orphans it": (
        add("works/x.yaml", make.manifest_work("x", "c4", [make.namespace("shop")], deleteOption=ORPHANED)),
        drop("ManifestWork"),
        [],
    ),
    "a selector that cannot change": (
        add("works/x.yaml", make.manifest_work("x", "c4", [make.deployment("x")])),
        selecting("works/x.yaml", "other"),
        [("update-refused", "works/x.yaml: selector:")],
    ),
    "an image that can": (
        add("works/x.yaml", make.manifest_work("x", "c4", [make.deployment("x")])),
        add("works/x.yaml", make.manifest_work("x", "c4", [make.deployment("x", image="example.com/web:2")])),
        [],
    ),
    "a map that is frozen": (
        add("works/x.yaml", make.manifest_work("x", "c4", [{**make.config_map("x"), "immutable": True}])),
        add(
            "works/x.yaml",
            make.manifest_work(
                "x", "c4", [{**make.config_map("x", data={"key": "other"}), "immutable": True}]
            ),
        ),
        [("update-refused", "works/x.yaml: data:")],
    ),
    "a map that is made once": (
        add("works/x.yaml", make.manifest_work("x", "c4", [FROZEN], manifestConfigs=ONCE)),
        add("works/x.yaml", make.manifest_work("x", "c4", [{**FROZEN, "data": {}}], manifestConfigs=ONCE)),
        [],
    ),
    "two works of one object": (
        add("works/x.yaml", make.manifest_work("x", "c4", [make.config_map("x")])),
        add("works/y.yaml", make.manifest_work("y", "c4", [make.config_map("x")])),
        [("object-of-two-works", "works/y.yaml: - apiVersion: v1")],
    ),
    "two works of one object before": (
        add("works/x.yaml", *(make.manifest_work(n, "c4", [make.config_map("x")]) for n in ("x", "y"))),
        put("ManifestWork", "x", "metadata", "labels", value={"a": "b"}),
        [],
    ),
    "a namespace that nobody makes": (
        nothing,
        add("works/x.yaml", make.manifest_work("x", "c4", [make.config_map("x", "shop")])),
        [("namespace-unknown", "works/x.yaml: - apiVersion: v1")],
    ),
    "a namespace that the work makes": (
        nothing,
        add(
            "works/x.yaml",
            make.manifest_work("x", "c4", [make.namespace("shop"), make.config_map("x", "shop")]),
        ),
        [],
    ),
    "a namespace in use": (
        add("works/x.yaml", make.manifest_work("x", "c4", [make.config_map("x", "shop")])),
        add("works/y.yaml", make.manifest_work("y", "c4", [make.config_map("y", "shop")])),
        [],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_warnings(name: str) -> None:
    """What works bring is told of at the manifest; what is no danger is not."""
    prepare, edit, expected = CASES[name]
    before = edited(small(), prepare)
    found = previewed(before, edit)
    assert warned_at(found, before, edited(before, edit)) == expected
    assert all(w.message and (w.hint or w.note) for w in found.warnings)


def test_a_refused_update_shows_no_value() -> None:
    """Why an update would be refused is told without the value, which may be a secret."""
    files = small(works_x=[make.manifest_work("x", "c4", [make.deployment("x")])])
    (found,) = previewed(files, selecting("works/x.yaml", "hunter2")).warnings
    assert found.message == (
        "Deployment default/x cannot become that on c4: spec.selector: field is immutable"
    )

"""Which configurations apply, how a status names them, and what of a status is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.addons.config_objects import spec_hash
from gitops_ocm.decide.addons.progressions import progression
from gitops_ocm.decide.addons.references import (
    Config,
    configs_in,
    defaults_of,
    desired_in,
    merged,
    named,
    overriding,
)
from gitops_ocm.objects.ref import Object

A, B, C = "a.example.com", "b.example.com", ""
X1, X2, X3 = (Config(A, "xs", "n", name) for name in ("one", "two", "three"))
Y1, Y2 = Config(A, "ys", "n", "one"), Config(A, "ys", "", "cluster-scoped")
Z1 = Config(C, "configmaps", "n", "one")


OVERRIDES: Mapping[str, tuple[list[Config], list[Config], list[Config]]] = {
    "nothing special": ([X1, Y1], [], [X1, Y1]),
    "one kind in place of another source's": ([X1, Y1], [X2], [X2, Y1]),
    "several of one kind, in their order": ([X1, Y1], [X3, X2], [X3, X2, Y1]),
    "a kind that has no default": ([X1], [Y2], [X1, Y2]),
    "each once": ([X1], [X2, X2, X3, X2], [X2, X3]),
    "the same as the default": ([X1, Y1], [X1], [X1, Y1]),
    "the core group is first": ([X1], [Z1], [Z1, X1]),
    "nothing at all": ([], [], []),
}


@pytest.mark.parametrize("case", OVERRIDES)
def test_the_more_special_source_counts_by_kind(case: str) -> None:
    """Whoever mentions a kind replaces all others of it; the rest is inherited."""
    base, special, expected = OVERRIDES[case]
    assert list(overriding(base, special)) == expected


_KINDS = st.sampled_from([("", "a"), ("", "b"), ("g", "a")])
_CONFIGS = st.builds(
    lambda kind, namespace, name: Config(kind[0], kind[1], namespace, name),
    _KINDS, st.sampled_from(["", "n"]), st.sampled_from("xyz"),
)  # fmt: skip
_SOME = st.lists(_CONFIGS, max_size=5)


@given(base=_SOME, special=_SOME, most=_SOME)
@settings(derandomize=True, deadline=None)
def test_sources_stack(base: list[Config], special: list[Config], most: list[Config]) -> None:
    """Three levels: each kind comes from the last that has it, sorted by kind, in that source's order."""
    found = overriding(overriding(base, special), most)
    assert [c.kind for c in found] == sorted(c.kind for c in found)
    for kind in {c.kind for c in (*base, *special, *most)}:
        source = next(s for s in (most, special, base) if any(c.kind == kind for c in s))
        assert [c for c in found if c.kind == kind] == list(
            dict.fromkeys(c for c in source if c.kind == kind)
        )


def entry(config: Config, desired: str = "h", **more: Any) -> Object:
    """An entry of a ManagedClusterAddOn's `configReferences`."""
    kind = {"group": config.group, "resource": config.resource}
    return {**kind, "desiredConfig": named(config, desired), "lastObservedGeneration": 3, **more}


APPLIED = {"lastAppliedConfig": named(X1, "old")}
MERGED: Mapping[str, tuple[list[Object], Mapping[Config, str], list[Object]]] = {
    "all new": ([], {X1: "1"}, [entry(X1, "1", lastObservedGeneration=0)]),
    "history is kept, the hash is new": (
        [entry(X1, "old", **APPLIED)],
        {X1: "2"},
        [entry(X1, "2", **APPLIED)],
    ),
    "what is no longer wanted goes": ([entry(X1), entry(Y1)], {Y1: "h"}, [entry(Y1)]),
    "places are kept although the order is another": (
        [entry(X1), entry(X2)],
        {X2: "h", X1: "h"},
        [entry(X1), entry(X2)],
    ),
    "a new one comes behind those of its kind": (
        [entry(X2), entry(Y1)],
        {X1: "h", X2: "h", Y1: "h"},
        [entry(X2), entry(X1, lastObservedGeneration=0), entry(Y1)],
    ),
    "what is not sorted by kind gets so": (
        [entry(Y1), entry(X1)],
        {X1: "h", Y1: "h"},
        [entry(X1), entry(Y1)],
    ),
    "an entry that names nothing goes": ([{"group": A, "resource": "xs", "desiredConfig": None}], {}, []),
    "nulls are no history": ([entry(X1, lastAppliedConfig=None)], {X1: "h"}, [entry(X1)]),
    "twice the same": ([entry(X1), entry(X1)], {X1: "h"}, [entry(X1)]),
}


@pytest.mark.parametrize("case", MERGED)
def test_references_keep_place_and_history(case: str) -> None:
    """What a cluster's add-on has already stays where it is, with what was applied of it."""
    held, wanted, expected = MERGED[case]
    found = merged(held, wanted)
    assert found == expected
    assert merged(found, wanted) == found


def test_defaults_without_a_name_are_none() -> None:
    """A kind that is taken but has no default is told with a reserved name, or with none."""
    kinds = [
        {"group": A, "resource": "xs", "name": "__reserved_no_default__"},
        {"group": A, "resource": "ys"},
    ]
    given_ = {"group": A, "resource": "zs", "name": "z", "namespace": "n"}
    assert defaults_of({"spec": {"defaultConfigs": [*kinds, given_]}}) == (Config(A, "zs", "n", "z"),)
    assert defaults_of({}) == ()
    assert configs_in({"configs": [given_]}) == (Config(A, "zs", "n", "z"),)
    assert desired_in({"group": A, "resource": "zs"}) is None


@pytest.mark.parametrize(
    "obj",
    [
        {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "status": {"a": 1}, "spec": {}},
        {"apiVersion": "v2", "kind": "Y", "metadata": {"name": "y", "generation": 7}, "spec": {}},
    ],
)
def test_only_the_content_is_hashed(obj: Object) -> None:
    """Neither who an object is nor what became of it counts."""
    assert spec_hash(obj) == "53aa778a9b137a0ca7ab79937d069870b14440dae5922f51d940ffa4b178d5cb"


# --- what is kept of a placement's progress ---------------------------------------------------------

ENTRY = {"namespace": "fleet", "name": "all"}
DONE = [{"type": "Progressing", "status": "False"}]
KEPT = {"lastAppliedConfig": named(X1, "old"), "lastKnownGoodConfig": named(X1, "good")}


def told(*references: Object) -> Object:
    """A ClusterManagementAddOn whose status tells this of the placement."""
    progress = {**ENTRY, "configReferences": list(references), "conditions": DONE}
    return {"status": {"installProgressions": [{**ENTRY, "name": "other"}, progress]}}


def plain(config: Config, spec_hash: str, **more: Any) -> Object:
    """An entry of a placement's `configReferences`."""
    return {
        "group": config.group,
        "resource": config.resource,
        "desiredConfig": named(config, spec_hash),
        **more,
    }


PROGRESSIONS: Mapping[str, tuple[Object, Mapping[Config, str], list[Object], bool]] = {
    "the first time": ({}, {X1: "1"}, [plain(X1, "1")], False),
    "another content": (told(plain(X1, "1", **KEPT)), {X1: "2"}, [plain(X1, "2", **KEPT)], True),
    "one less": (told(plain(X1, "1", **KEPT), plain(Y1, "1")), {X1: "1"}, [plain(X1, "1", **KEPT)], True),
    "one more": (told(plain(X1, "1", **KEPT)), {X1: "1", Y1: "1"}, [plain(X1, "1"), plain(Y1, "1")], False),
    "another name": (told(plain(X1, "1", **KEPT)), {X2: "1"}, [plain(X2, "1")], False),
    "none any more": (told(plain(X1, "1", **KEPT)), {}, [], True),
}


@pytest.mark.parametrize("case", PROGRESSIONS)
def test_progress_is_kept_until_something_new_is_wanted(case: str) -> None:
    """One configuration that was not there before, and what was reached counts for none of them."""
    cma, wanted, references, keeps = PROGRESSIONS[case]
    found = progression(cma, ENTRY, wanted)
    assert found.get("configReferences", []) == references
    assert found.get("conditions", []) == (DONE if keeps else [])

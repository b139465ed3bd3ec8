"""Server-side apply: laws that hold for any managers and fragments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects import fieldset, ownership
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.schema import Schema

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)
TEXT = {"type": "string"}
SCHEMA = Schema.from_openapi(
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "text": TEXT,
                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    "map": {"type": "object", "additionalProperties": TEXT},
                    "whole": {
                        "type": "object",
                        "x-kubernetes-map-type": "atomic",
                        "additionalProperties": TEXT,
                    },
                    "set": {"type": "array", "x-kubernetes-list-type": "set", "items": TEXT},
                    "list": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                        "items": {"type": "object", "properties": {"name": TEXT, "v": TEXT, "w": TEXT}},
                    },
                },
            }
        },
    }
)

WORDS = st.sampled_from(("x", "y", "z"))
MAPS = st.dictionaries(st.sampled_from("abc"), WORDS, min_size=1, max_size=3)
ITEMS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abc")}, optional={"v": WORDS, "w": WORDS}),
    unique_by=lambda item: item["name"],
    min_size=1,
    max_size=3,
)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "text": WORDS,
        "map": MAPS,
        "whole": MAPS,
        "free": st.dictionaries(st.sampled_from("ab"), MAPS, min_size=1, max_size=2),
        "set": st.lists(WORDS, unique=True, min_size=1, max_size=3),
        "list": ITEMS,
    },
).filter(bool)
AGREEING = st.builds(
    lambda spec, keys: {k: v for k, v in spec.items() if k in keys} or {"text": "x"},
    st.just(
        {"text": "x", "map": {"a": "x"}, "free": {"a": {"b": "x"}}, "set": ["x", "y"], "whole": {"a": "x"}}
    ),
    st.sets(st.sampled_from(("text", "map", "free", "set", "whole"))),
)
"""Parts of one spec: two of them never want different things."""
SETTINGS = settings(derandomize=True, deadline=None)


def fragment(spec: Any) -> Object:
    """An applied configuration."""
    return {"apiVersion": "e.io/v1", "kind": "K", "metadata": {"name": "n"}, "spec": spec}


def applied(
    live: Object | None, spec: Any, manager: str, *, force: bool = True, now: datetime = NOW
) -> Object:
    """One apply."""
    return ownership.apply(live, fragment(spec), manager=manager, force=force, schema=SCHEMA, now=now)


@SETTINGS
@given(first=SPECS, second=SPECS)
def test_applying_the_same_again_changes_nothing(first: Any, second: Any) -> None:
    """The second apply of one fragment hands back the live object itself, whoever else is there."""
    live = applied(applied(None, first, "other"), second, "me")
    assert applied(live, second, "me", now=LATER) is live


@SETTINGS
@given(first=SPECS, second=SPECS)
def test_a_sole_applier_gets_exactly_what_it_said_last(first: Any, second: Any) -> None:
    """After two applies by one manager the object is what a first apply of the second would be."""
    assert _content(applied(applied(None, first, "me"), second, "me")) == _content(
        applied(None, second, "me")
    )


@pytest.mark.slow
@SETTINGS
@given(mine=SPECS, theirs=SPECS)
def test_what_was_applied_is_there(mine: Any, theirs: Any) -> None:
    """Everything a forced fragment says is in the object, whatever was there before."""
    live = applied(applied(None, theirs, "other"), mine, "me")
    owned = ownership.fields_owned_by(live, "me")
    fresh = applied(None, mine, "me")
    assert _content(ownership.extract(live, owned, SCHEMA)) == _content(
        ownership.extract(fresh, owned, SCHEMA)
    )


@SETTINGS
@given(mine=MAPS, theirs=MAPS)
def test_disjoint_managers_come_in_any_order(mine: Any, theirs: Any) -> None:
    """Two appliers of different keys end in the same object and owners, whoever comes first."""
    one = {"map": {f"m{k}": v for k, v in mine.items()}}
    two = {"map": {f"t{k}": v for k, v in theirs.items()}}
    there = applied(applied(None, one, "a", force=False), two, "b", force=False)
    back = applied(applied(None, two, "b", force=False), one, "a", force=False)
    assert _content(there) == _content(back)
    assert _owners(there) == _owners(back)


@SETTINGS
@given(mine=AGREEING, theirs=AGREEING)
def test_leaving_takes_along_only_what_nobody_else_owns(mine: Any, theirs: Any) -> None:
    """A manager that applies nothing any more leaves the object to what the others own."""
    live = applied(applied(None, theirs, "other"), mine, "me")
    left = applied(live, {}, "me")
    kept = ownership.fields_owned_by(left, "other")
    assert kept == ownership.fields_owned_by(live, "other")
    assert ownership.extract(left, kept, SCHEMA) == ownership.extract(live, kept, SCHEMA)


@SETTINGS
@given(a=SPECS, b=SPECS)
def test_set_operations_agree(a: Any, b: Any) -> None:
    """Union, intersection and difference of two field sets are those of their members."""
    one, two = (ownership.fields_owned_by(applied(None, spec, "m"), "m") for spec in (a, b))
    members = [set(fieldset.members(s)) for s in (one, two)]
    assert set(fieldset.members(fieldset.union(one, two))) == members[0] | members[1]
    assert set(fieldset.members(fieldset.intersection(one, two))) == members[0] & members[1]
    assert set(fieldset.members(fieldset.difference(one, two))) == members[0] - members[1]
    assert fieldset.contains(one, two) == (members[1] <= members[0])


def test_an_empty_map_stays_with_its_owner() -> None:
    """Where a manager takes its keys out of a map that another applied empty, the empty map stays."""
    live = applied(applied(None, {"map": {}}, "other"), {"map": {"a": "x"}}, "me")
    left = applied(live, {"text": "x"}, "me")
    assert left["spec"] == {"map": {}, "text": "x"}
    assert ownership.fields_owned_by(left, "other") == {"f:spec": {"f:map": {}}}


def test_a_conflict_names_the_owner_and_the_field() -> None:
    """Another value for a field of somebody else is a 409 with a cause for each field."""
    live = applied(None, {"text": "x", "map": {"a": "x"}}, "other")
    with pytest.raises(ApiError) as refused:
        applied(live, {"text": "y", "map": {"a": "y"}}, "me", force=False)
    assert refused.value.http_code == 409
    assert [(c.reason, c.field) for c in refused.value.causes] == [
        ("FieldManagerConflict", ".spec.map.a"),
        ("FieldManagerConflict", ".spec.text"),
    ]


def test_more_than_ten_updaters_are_folded() -> None:
    """The oldest Update entries become one, and no field loses its owner."""
    live = ownership.track(None, fragment({}), manager="m", schema=SCHEMA, now=NOW)
    for at in range(15):
        new = {**live, "spec": {"map": {**live["spec"].get("map", {}), f"k{at:02}": "x"}}}
        now = datetime(2026, 1, 1, 0, at, tzinfo=UTC)
        live = ownership.track(live, new, manager=f"u{at}", schema=SCHEMA, now=now)
    owned: fieldset.FieldSet = {}
    for held in ownership.managers_of(live):
        owned = fieldset.union(owned, held.fields)
    assert len(ownership.managers_of(live)) == ownership.MAX_UPDATE_MANAGERS
    assert {f"f:k{at:02}" for at in range(15)} <= owned["f:spec"]["f:map"].keys()


def _content(obj: Object) -> Object:
    return {k: _pruned(v) for k, v in obj.items() if k != "metadata" and _pruned(v) not in ({}, [])}


def _pruned(value: Any) -> Any:
    """Without empty containers, which nobody owns."""
    if isinstance(value, dict):
        return {k: p for k, v in value.items() if (p := _pruned(v)) not in ({}, [])}
    if isinstance(value, list) and all(isinstance(v, dict) for v in value):
        return sorted((_pruned(v) for v in value), key=lambda item: str(item.get("name")))
    return sorted(value) if isinstance(value, list) else value


def _owners(obj: Object) -> dict[str, Any]:
    return {held.name: held.fields for held in ownership.managers_of(obj)}

"""The table of a kind's objects, against a plain dictionary."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.live.table import Table, number
from gitops_ocm.objects.ref import Object

NAMES = st.tuples(st.sampled_from("xy"), st.sampled_from("abc"))
STEPS = st.one_of(
    st.tuples(st.just("put"), NAMES, st.sampled_from("rgb")),
    st.tuples(st.just("remove"), NAMES),
    st.tuples(
        st.just("replace"), st.sampled_from(["", "x", "y"]), st.dictionaries(NAMES, st.sampled_from("rgb"))
    ),
)


def thing(name: tuple[str, str], colour: str, version: int) -> Object:
    return {
        "metadata": {"namespace": name[0], "name": name[1], "resourceVersion": str(version), "uid": "u"},
        "colour": colour,
    }


class Mirror:
    """A follower that keeps what it is told."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], Object] = {}

    def change(self, old: Object | None, new: Object | None) -> None:
        """Keep it; what it replaces must be what was there."""
        meta = (new or old or {})["metadata"]
        key = (meta["namespace"], meta["name"])
        assert self.held.get(key) == old
        if new is None:
            del self.held[key]
        else:
            self.held[key] = new


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(STEPS, max_size=25))
def test_behaves_like_a_dictionary(steps: list[tuple[Any, ...]]) -> None:
    """After any history the table, its order, index, followers and the changes it told agree with a dict."""
    table, model, told = Table(), dict[tuple[str, str], Object](), dict[tuple[str, str], Object]()
    table.add_index("colour", lambda o: [o["colour"]])
    version, early, late = 0, Mirror(), Mirror()
    table.follow(early)
    for step in steps:
        version += 1
        match step:
            case ("put", name, colour):
                model[name] = thing(name, colour, version)
                changes = [table.put(model[name])]
            case ("remove", name):
                model.pop(name, None)
                changes = [table.remove(*name)]
            case (_, namespace, content):
                content = {n: c for n, c in content.items() if namespace in ("", n[0])}
                model = {n: o for n, o in model.items() if namespace not in ("", n[0])}
                model |= {n: thing(n, c, version) for n, c in content.items()}
                changes = list(table.replace([model[n] for n in content], namespace))
        for change in changes:
            if change is None:
                continue
            old, new = change
            meta = (new or old or {})["metadata"]
            key = (meta["namespace"], meta["name"])
            assert told.get(key) == old
            if new is None:
                del told[key]
            else:
                told[key] = new
        if version == 3:
            table.follow(late)
        assert told == early.held == model
        assert version < 3 or late.held == model
        assert len(table) == len(model)
        assert table.list() == [model[n] for n in sorted(model)]
        assert table.list("x") == [model[n] for n in sorted(model) if n[0] == "x"]
        for colour in "rgb":
            assert table.indexed("colour", colour) == [
                model[n] for n in sorted(model) if model[n]["colour"] == colour
            ]


def test_an_older_version_does_not_replace_a_newer_one() -> None:
    """Two watches of one kind may speak out of turn; time does not go back."""
    table = Table()
    table.put(thing(("x", "a"), "new", 10))
    assert table.put(thing(("x", "a"), "old", 9)) is None
    assert table.list()[0]["colour"] == "new"


def test_versions_that_are_no_numbers() -> None:
    """A foreign server's versions are only compared for equality."""
    assert number("abc") is None
    assert number("") is None
    assert number("12") == 12

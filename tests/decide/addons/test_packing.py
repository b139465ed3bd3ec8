"""How manifests are spread over works: worked cases, and what holds whatever comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.addons.packing import LIMIT, Packed, Unpackable, manifest_size, pack
from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.objects import config_map

Sizes = Mapping[str, int]


def manifest(name: str, size: int) -> Object:
    """A ConfigMap of about so many bytes."""
    return config_map(name, "ns", {"k": "x" * size})


def packed(wanted: Sizes, existing: Sequence[Sizes] = ()) -> Packed:
    """What becomes of manifests of these sizes, given works that hold others."""
    held = [
        (f"work-{n}", [manifest(name, size) for name, size in work.items()])
        for n, work in enumerate(existing)
    ]
    return pack([manifest(name, size) for name, size in wanted.items()], held)


def names(found: Packed) -> tuple[list[list[str]], dict[str, list[str]], list[str]]:
    """New works, kept ones and emptied ones, by the names of what is in them."""
    new = [[m["metadata"]["name"] for m in each.manifests] for each in found.new]
    kept = {each.name: [m["metadata"]["name"] for m in each.manifests] for each in found.kept}
    return new, kept, [each.name for each in found.emptied]


K = 1000
CASES: Mapping[str, tuple[Sizes, list[Sizes], object]] = {
    "largest first": ({"a": 1, "b": 3, "c": 2}, [], ([["b", "c", "a"]], {}, [])),
    "two works": ({"a": 300 * K, "b": 200 * K, "c": 100 * K}, [], ([["a"], ["b", "c"]], {}, [])),
    "one that is as it was": ({"a": 1, "b": 1}, [{"b": 1, "a": 1}], ([], {"work-0": ["b", "a"]}, [])),
    "one more": ({"a": 1, "b": 9}, [{"a": 1}], ([], {"work-0": ["a", "b"]}, [])),
    "one that grows": ({"a": 450 * K}, [{"a": 1}], ([], {"work-0": ["a"]}, [])),
    "where most room is": (
        {"a": 200 * K, "b": 100 * K, "c": 50 * K},
        [{"a": 1}, {"b": 1}],
        ([], {"work-0": ["a"], "work-1": ["b", "c"]}, []),
    ),
    "no room": ({"a": 300 * K, "b": 200 * K}, [{"a": 1}], ([["b"]], {"work-0": ["a"]}, [])),
    "what is gone": ({"b": 1}, [{"a": 1}, {"b": 1}], ([], {"work-1": ["b"]}, ["work-0"])),
}


@pytest.mark.parametrize("case", CASES)
def test_worked_cases(case: str) -> None:
    """Existing works keep what they have; the rest goes where most room is, the largest first."""
    wanted, existing, expected = CASES[case]
    assert names(packed(wanted, existing)) == expected


def test_what_fits_into_no_work() -> None:
    """Said with its kind, name and size, before anything is written."""
    with pytest.raises(Unpackable, match=r"ConfigMap big has 600106 bytes"):
        packed({"big": 600_000})


SIZES = st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, 380_000), max_size=8)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(wanted=SIZES, existing=st.lists(SIZES, max_size=3))
def test_every_manifest_is_in_one_work(wanted: Sizes, existing: list[Sizes]) -> None:
    """Whatever was there before; new works stay within the limit; a second look changes nothing."""
    before: set[str] = set()
    held = []
    for work in existing:
        held.append({name: size for name, size in work.items() if name not in before})
        before |= set(work)
    found = packed(wanted, held)
    everywhere = [m["metadata"]["name"] for p in (*found.new, *found.kept) for m in p.manifests]
    assert sorted(everywhere) == sorted(wanted)
    assert all(sum(map(manifest_size, p.manifests)) < LIMIT for p in found.new)
    works = [(p.name or f"new-{n}", p.manifests) for n, p in enumerate((*found.kept, *found.new))]
    again = pack([manifest(name, size) for name, size in wanted.items()], works)
    assert [(p.name, p.manifests) for p in again.kept] == works
    assert (again.new, again.emptied) == ((), ())

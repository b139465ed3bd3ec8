"""The order a plan is carried out in: total, what others stand on first, deletions last and backwards."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects.ref import Ref
from gitops_ocm.plan.changes import Action, Change, Live, Reason
from gitops_ocm.plan.wanted import Wanted
from gitops_ocm.plan.waves import needs, wave_key, waves

KINDS = [
    "Namespace",
    "CustomResourceDefinition",
    "ClusterRole",
    "ConfigMap",
    "Placement",
    "ManifestWork",
    "Other",
]


def change(kind: str, name: str, action: Action = Action.CREATE, wave: int = 0) -> Change:
    ref = Ref("", kind, "", name)
    if action is Action.PRUNE:
        return Change(ref, action, Reason.REMOVED, live=Live(wave=wave))
    return Change(ref, action, Reason.NEW, Wanted(ref, {}, "", wave))


CHANGES = st.builds(
    change,
    st.sampled_from(KINDS),
    st.sampled_from("abcd"),
    st.sampled_from([Action.CREATE, Action.PRUNE]),
    st.integers(-2, 2),
)


def test_a_fleet_goes_out_in_order() -> None:
    """Namespaces before definitions before config before works; the annotation orders inside a kind."""
    given_order = [
        change("ManifestWork", "w"),
        change("ConfigMap", "late", wave=1),
        change("ConfigMap", "early", wave=-1),
        change("ConfigMap", "b"),
        change("ConfigMap", "a"),
        change("Namespace", "n"),
        change("ManifestWork", "old", Action.PRUNE),
        change("Namespace", "old", Action.PRUNE),
    ]
    assert [[c.ref.name for c in wave.changes] for wave in waves(given_order)] == [
        ["n"],
        ["early"],
        ["a", "b"],
        ["late"],
        ["w"],
        ["old"],
        ["old"],
    ]
    assert [c.ref.kind for wave in waves(given_order) if wave.prunes for c in wave.changes] == [
        "ManifestWork",
        "Namespace",
    ]


@settings(derandomize=True, deadline=None)
@given(
    st.lists(CHANGES, max_size=20, unique_by=lambda c: (c.ref, c.action)), st.randoms(use_true_random=False)
)
def test_order_is_total_and_independent_of_input_order(changes: list[Change], rng: Random) -> None:
    """Shuffled input gives the same waves; keys rise; every change is in exactly one wave."""
    ordered = waves(changes)
    shuffled = list(changes)
    rng.shuffle(shuffled)
    assert waves(shuffled) == ordered
    keys = [wave.key for wave in ordered]
    assert keys == sorted(set(keys))
    assert sorted(c.ref for wave in ordered for c in wave.changes) == sorted(c.ref for c in changes)
    for wave in ordered:
        assert {wave_key(c) for c in wave.changes} == {wave.key}


@settings(derandomize=True, deadline=None)
@given(st.lists(CHANGES, max_size=20))
def test_deletion_runs_the_order_backwards(changes: list[Change]) -> None:
    """The order in which objects are deleted is the reverse of the order of creation."""
    created = [wave.key for wave in waves([c for c in changes if c.applies])]
    deleted = [
        wave.key
        for wave in waves(
            [change(c.ref.kind, c.ref.name, Action.PRUNE, c.wanted.wave) for c in changes if c.wanted]
        )
    ]
    assert [(-rank, -number) for _, rank, number in reversed(deleted)] == [(r, n) for _, r, n in created]


def test_unchanged_and_skipped_are_in_no_wave() -> None:
    """Only what means a request goes out."""
    assert (
        waves(
            [Change(Ref("", "A", "", "a"), action, Reason.SAME) for action in (Action.UNCHANGED, Action.SKIP)]
        )
        == ()
    )


def test_a_namespaced_object_needs_its_namespace() -> None:
    """The gate of a namespaced object is its namespace; others have none."""
    assert needs(Ref("", "ConfigMap", "n", "a")) == Ref("", "Namespace", "", "n")
    assert needs(Ref("", "Namespace", "", "n")) is None

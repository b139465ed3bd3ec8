"""The order of causality: what is a root, what is folded, and that the table of causes is sound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.decide import diagnosis
from gitops_ocm.decide.diagnosis.causes import BY_CODE, CAUSES, RANK, Cause
from gitops_ocm.decide.diagnosis.finding import Finding
from gitops_ocm.decide.diagnosis.ranking import grouped, ranked


def finding(cause: str, cluster: str = "", subject: str = "", through: tuple[str, ...] = ()) -> Finding:
    """A finding, as far as ranking looks at it."""
    return Finding(cause, subject or f"{cause} of {cluster}", f"{cause}!", cluster=cluster, through=through)


def shape(findings: list[Finding]) -> list[tuple[str, list[str]]]:
    """Roots with what is folded right under them."""
    return [(f.cause, [g.cause for g in f.follows]) for f in findings]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([("agent-silent", "a"), ("cluster-unavailable", "a")], [("agent-silent", ["cluster-unavailable"])]),
        (
            [("agent-silent", "a"), ("cluster-unavailable", "b")],
            [("agent-silent", []), ("cluster-unavailable", [])],
        ),
        (
            [("addon-unavailable", "a"), ("agent-silent", "a"), ("certificate-expired", "a")],
            [("certificate-expired", ["agent-silent", "addon-unavailable"])],
        ),
        (
            [("hub-ca-changed", "a"), ("agent-silent", "a"), ("klusterlet-degraded", "a")],
            [("hub-ca-changed", ["agent-silent", "klusterlet-degraded"])],
        ),
        (
            [("controllers-stopped", ""), ("acceptance-not-handled", "a"), ("placement-not-decided", "")],
            [("controllers-stopped", ["acceptance-not-handled", "placement-not-decided"])],
        ),
        ([("set-not-bound", ""), ("placement-empty", "")], [("set-not-bound", []), ("placement-empty", [])]),
        ([("csr-pending", "a"), ("cluster-not-accepted", "a")], [("csr-pending", ["cluster-not-accepted"])]),
        ([("name-clash", "a"), ("csr-pending", "a")], [("name-clash", ["csr-pending"])]),
        (
            [("work-not-applied", "a"), ("addon-unavailable", "a")],
            [("work-not-applied", ["addon-unavailable"])],
        ),
    ],
)
def test_what_follows_from_what(found: list[tuple[str, str]], expected: list[tuple[str, list[str]]]) -> None:
    """The most fundamental cause is the root, and what it explains, near enough, is folded under it."""
    assert shape(ranked(finding(*each) for each in found)) == expected
    assert shape(ranked(finding(*each) for each in reversed(found))) == expected


def test_the_same_object() -> None:
    """What is wrong with one object of the hub explains what else is wrong with it, and nothing of others."""
    same = [finding("sync-suspended", subject="HubSync a"), finding("sync-drift", subject="HubSync a")]
    other = [finding("sync-drift", subject="HubSync b")]
    assert shape(ranked(same + other)) == [("sync-suspended", ["sync-drift"]), ("sync-drift", [])]


def test_through_clusters() -> None:
    """A placement follows from its clusters' trouble where each of them has some, and else stands alone."""
    lost = [finding("agent-silent", "a"), finding("agent-silent", "b")]
    both = finding("placement-empty", subject="Placement x/y", through=("a", "b"))
    assert shape(ranked([*lost, both])) == [("agent-silent", ["placement-empty"]), ("agent-silent", [])]
    assert ("placement-empty", []) in shape(ranked([lost[0], both]))


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.code)
def test_the_table_is_sound(cause: Cause) -> None:
    """A cause explains only known ones that come after it: no circles, and no row that says nothing."""
    assert {code for code in cause.explains if RANK.get(code, -1) <= RANK[cause.code]} == set()


def test_every_cause_is_found_by_somebody() -> None:
    """Each row of the table is named where findings are made, and no finding has a cause without a row."""
    package = Path(diagnosis.__file__).parent
    makers = [p.read_text() for p in package.glob("*.py") if p.name not in ("causes.py", "ranking.py")]
    named = {code for text in makers for code in re.findall(r'"([a-z]+(?:-[a-z]+)+)"', text)}
    assert set(BY_CODE) - named == set()


FOUND = st.lists(
    st.builds(
        finding,
        st.sampled_from(sorted(BY_CODE)),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["x", "y"]),
    ),
    max_size=12,
)


@given(FOUND, st.randoms(use_true_random=False))
@settings(derandomize=True, deadline=None)
def test_nothing_is_lost_or_told_twice(found: list[Finding], random: object) -> None:
    """Every finding is there once, as a root or under one; the order they came in does not matter."""

    def all_of(findings: list[Finding]) -> list[tuple[str, str, str]]:
        deep = [each for f in findings for each in all_of(list(f.follows))]
        return [*((f.cause, f.cluster, f.subject) for f in findings), *deep]

    roots = ranked(found)
    assert sorted(all_of(roots)) == sorted({(f.cause, f.cluster, f.subject) for f in found})
    mixed = list(found)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert ranked(mixed) == roots
    ranks = [RANK[f.cause] for f in roots]
    assert ranks == sorted(ranks)


def test_groups() -> None:
    """Roots of one cause are one group, with their clusters sorted."""
    groups = grouped(
        [finding("agent-silent", "b"), finding("csr-pending", "c"), finding("agent-silent", "a")]
    )
    assert [(g.cause, g.clusters) for g in groups] == [("csr-pending", ("c",)), ("agent-silent", ("a", "b"))]
    assert not any(group.notice for group in groups)

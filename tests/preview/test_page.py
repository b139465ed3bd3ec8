"""The page as a value: its data, its axis, what it leaves out; the same preview has the same page."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects.ref import Ref
from gitops_ocm.preview.formats import Format
from gitops_ocm.preview.formats.page import page
from gitops_ocm.preview.formats.page.axis import Axis, axis_of
from gitops_ocm.preview.formats.page.groups import in_order, members
from gitops_ocm.preview.formats.page.markup import Markup, joined, tag
from gitops_ocm.preview.model import Preview, Rollout, Wave
from tests.preview.golden.cases import CASES, Case
from tests.preview.golden.stage import looks
from tests.preview.shown import HOSTILE, NOW, fleet, hostile

pytestmark = pytest.mark.slow

MIB = 1 << 20
PROPERTY = settings(derandomize=True, deadline=None, max_examples=60)


def test_it_is_the_same_for_the_same_preview() -> None:
    """Two previews that are equal have the same page, byte for byte."""
    assert page(fleet(60)) == page(fleet(60))
    assert page(fleet(60)) != page(fleet(61))


@pytest.mark.parametrize(("clusters", "rollouts", "objects"), [(10_000, 40, 10_000), (500, 1_000, 100)])
def test_it_is_bounded(clusters: int, rollouts: int, objects: int) -> None:
    """A page of very many clusters, rollouts or objects can still be opened, and says what it leaves out."""
    text = page(fleet(clusters, rollouts, objects))
    assert len(text.encode()) < 10 * MIB
    assert re.search(r"… and [\d,]+ more (objects|rollouts): <code>gitops-ocm preview -o json", text)


def test_nothing_hostile_is_markup() -> None:
    """No text of a stranger begins an element, ends the data, or stays invisible."""
    text = page(hostile())
    shown = re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.DOTALL)
    assert HOSTILE.startswith("</script><script>")
    assert not re.search(r"<(img|iframe|a href=javascript|style\*|svg onload|link rel=stylesheet)", shown)
    assert shown.count("<script") == shown.count("</script>") == 1
    assert not re.search("[\x00\u2028\u202e]", text)
    assert "\\u202e" in text


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (tag("p", "<b>"), "<p>&lt;b&gt;</p>"),
        (tag("p", Markup("<b></b>"), "&"), "<p><b></b>&amp;</p>"),
        (tag("a", title='"\n<'), '<a title="&quot;\\n&lt;"></a>'),
        (tag("input", hidden=True, disabled=False), "<input hidden>"),
        (joined("a<", [tag("i")]), "a&lt;<i></i>"),
    ],
)
def test_markup(made: Markup, text: str) -> None:
    """Text and attributes are escaped where an element is made; what is markup stays."""
    assert made == text


@PROPERTY
@given(st.integers(1, 3_000).flatmap(lambda of: st.tuples(st.just(of), st.sets(st.integers(0, of - 1)))))
def test_members_are_told_briefly(drawn: tuple[int, set[int]]) -> None:
    """Who is in a group can be read back, and takes no more than a few bits of each cluster."""
    of, numbers = drawn
    found = members(sorted(numbers), of)
    if isinstance(found, str):
        bits = b64decode(found)
        assert {n for n in range(of) if bits[n // 8] >> n % 8 & 1} == numbers
    else:
        assert set(found) == numbers
    assert len(json.dumps(found)) <= of / 5 + 40


@PROPERTY
@given(st.lists(st.text("a01-9é", max_size=6), max_size=8))
def test_clusters_stand_in_a_person_s_order(names: list[str]) -> None:
    """The order is total, so it does not depend on where it began; `c2` stands before `c10`."""
    assert sorted(dict.fromkeys(names), key=in_order) == sorted({*names}, key=in_order)
    assert sorted(("c10", "c2", "b", "c02"), key=in_order) == ["b", "c02", "c2", "c10"]


def test_a_preview_that_was_stopped_says_so() -> None:
    """What is shown of two hours from now is not taken for the end."""
    told = "This is how it is after 2 h, 2026-01-05 11:30 UTC; what comes later is not in it."
    assert told in page(replace(fleet(3), until=NOW + timedelta(hours=2)))
    assert "This is how it is" not in page(fleet(3))


def test_data() -> None:
    """The data name each cluster once, with its sets and all groups it is in."""
    found = fleet(20)
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page(found))
    data = json.loads(text)
    assert {name for name, _ in data["clusters"]} == {cluster.name for cluster in found.clusters}
    assert {data["sets"][n] for _, sets in data["clusters"] for n in sets} == {
        name for cluster in found.clusters for name in cluster.sets
    }
    titles = [data["texts"][group[0]] for group in data["groups"]]
    assert "ManifestWork of apps/web changed" in titles
    assert "wave 1: starts at once, done after 5 min" in titles
    assert "selected: label env=prod is new" in titles
    assert "not reached: stopped: 2 clusters failed, at most 1 may" in titles


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_all_who_are_told_of_are_known(case: Case) -> None:
    """Each cluster that a placement or a rollout names is given something, or a bystander, and never both."""
    document = json.loads(looks(case, Format.JSON))
    touched, others = ([each["name"] for each in document[key]] for key in ("clusters", "bystanders"))
    told = {name for one in document["selections"] for name in (*one["before"], *one["after"])}
    for rollout in document["rollouts"]:
        told.update(name for wave in rollout["waves"] for name in wave["clusters"])
        told.update(*(rollout[key] for key in ("waiting", "failed", "underWay", "unfinished")))
    assert told <= {*touched, *others}
    assert others == sorted(told - {*touched})


@pytest.mark.parametrize(
    ("span", "marks"),
    [
        (timedelta(seconds=8), ["now", "2 s", "4 s", "6 s", "8 s"]),
        (timedelta(minutes=20), ["now", "5 min", "10 min", "15 min", "20 min"]),
        (timedelta(hours=30), ["now", "6 h", "12 h", "18 h", "24 h", "30 h"]),
        (timedelta(days=90), ["now", "20 d", "40 d", "60 d", "80 d"]),
        (timedelta(days=4000), ["now", "1000 d", "2000 d", "3000 d", "4000 d"]),
    ],
)
def test_axis_marks(span: timedelta, marks: list[str]) -> None:
    """An axis is marked at a handful of even moments, whatever its span."""
    assert [name for _, name in Axis(NOW, span).marks()] == marks


@PROPERTY
@given(st.integers(1, 10**9))
def test_an_axis_is_never_crowded(seconds: int) -> None:
    """There are two marks at least and six at most, in order, and all on the axis."""
    marks = [at for at, _ in Axis(NOW, timedelta(seconds=seconds)).marks()]
    assert 2 <= len(marks) <= 6
    assert marks == sorted(set(marks))
    assert 0 <= marks[0] <= marks[-1] <= 100


def _with(*waves: Wave) -> Preview:
    return Preview("a", "b", "c", NOW, rollouts=(Rollout(Ref("", "Thing", "", "x"), waves),))


def test_axis_of() -> None:
    """The axis holds what is planned; of what is at once it holds the deadlines, or is none."""
    minute = timedelta(minutes=1)
    planned = Wave(NOW, ("c1",), soaked=NOW + 5 * minute, deadline=NOW + 600 * minute)
    assert axis_of(_with(planned)).at(NOW + 5 * minute) == pytest.approx(100 / 1.06)
    assert not axis_of(_with(planned)).holds(NOW + 600 * minute)
    late = replace(planned, soaked=None)
    assert axis_of(_with(late)).holds(NOW + 600 * minute)
    assert not axis_of(_with(Wave(NOW, ("c1",)))).any
    assert not axis_of(_with()).any

"""What people read stays readable at any size: ten thousand clusters, values of a megabyte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from gitops_ocm.errors import Diagnostic, Location, Severity
from gitops_ocm.objects.diff import ABSENT, Difference
from gitops_ocm.objects.ref import Ref
from gitops_ocm.preview.formats import Format, render
from gitops_ocm.preview.formats.findings import of_diagnostics
from gitops_ocm.preview.formats.junit import junit
from gitops_ocm.preview.formats.markdown import LIMIT, comment
from gitops_ocm.preview.model import (
    Act,
    AddOnConfig,
    Effect,
    OnCluster,
    Preview,
    Rollout,
    Selection,
    Share,
    Turn,
    Value,
    Wave,
)

pytestmark = pytest.mark.slow

NOW = datetime(2026, 1, 5, tzinfo=UTC)
MANY = 10_000
MEGABYTE = 1_000_000
NAMES = tuple(f"cluster-{number:05}" for number in range(MANY))
OWNER = Ref("work.open-cluster-management.io", "ManifestWorkReplicaSet", "apps", "web")
CONFIG = Ref("addon.open-cluster-management.io", "AddOnDeploymentConfig", "apps", "logs")
PLACEMENT = Ref("cluster.open-cluster-management.io", "Placement", "apps", "all")


def _work(cluster: str, *fields: Difference, owner: Ref | None = OWNER) -> Effect:
    ref = Ref("work.open-cluster-management.io", "ManifestWork", cluster, "web")
    return Effect(ref, Act.CHANGE, Location("works/web.yaml", 1), fields, owner=owner)


def _value(path: str, before: object, after: object, line: int = 1) -> Value:
    where = Location("addons/logs.yaml", line)
    return Value(CONFIG, path, before, after, "default", "placement apps/all", where, where)


def _preview(clusters: tuple[OnCluster, ...], *, warnings: int = 0) -> Preview:
    told = tuple(
        Diagnostic("a-warning", f"cluster {n}", Location("a.yaml", n), severity=Severity.WARNING)
        for n in range(warnings)
    )
    effects = tuple(e for cluster in clusters for e in cluster.effects)
    found = Preview("a" * 40, "b" * 40, "c" * 40, NOW, MANY, effects)
    return replace(found, clusters=clusters, diagnostics=told)


def _all_alike() -> Preview:
    changed = Difference("spec.replicas", 1, 2)
    config = AddOnConfig("logs", (_value("customizedVariables[LEVEL]", "info", "debug"),))
    return _preview(tuple(OnCluster(name, (_work(name, changed),), (config,)) for name in NAMES))


def _all_different() -> Preview:
    clusters = tuple(
        OnCluster(
            name,
            (_work(name, Difference("spec.replicas", number, number + 1), owner=None),),
            (AddOnConfig("logs", (_value("customizedVariables[ID]", ABSENT, number, number),)),),
        )
        for number, name in enumerate(NAMES)
    )
    return _preview(clusters, warnings=MANY)


def _large_values() -> Preview:
    was, now = "x" * MEGABYTE, "x" * (MEGABYTE // 2) + "y" * (MEGABYTE // 2)
    lines = "\n".join(f"line {n}" for n in range(MEGABYTE // 10))
    fields = (
        Difference("one line", was, now),
        Difference("many lines", lines, lines.replace("line 5", "line five")),
        Difference("new", ABSENT, {f"key{n}": "v" * 90 for n in range(MEGABYTE // 100)}),
        Difference("nested", [was], [now]),
    )
    values = (_value("one line", was, now), _value("many lines", lines, lines[::-1]))
    return _preview((OnCluster("c1", (_work("c1", *fields),), (AddOnConfig("logs", values),)),))


def _large_rollout() -> Preview:
    waves = tuple(
        Wave(NOW + timedelta(minutes=n), NAMES[10 * n : 10 * n + 10], (f"group-{n}",)) for n in range(1000)
    )
    rollouts = (
        Rollout(OWNER, waves, NAMES, "w" * MEGABYTE, strategy="Progressive", kind="Progressive"),
    ) * 50
    turns = tuple(Turn(name, True, f"for reason {name}") for name in NAMES)
    return replace(
        _preview(()),
        rollouts=rollouts,
        selections=(Selection(PLACEMENT, (), NAMES, "m" * MEGABYTE, turns),) * 20,
        shares=tuple(Share(f"set-{n}" if n else "", 1, 2, 1) for n in range(1000)),
    )


LARGE: dict[str, Callable[[], Preview]] = {
    "all alike": _all_alike,
    "all different": _all_different,
    "large values": _large_values,
    "large rollouts": _large_rollout,
}


@pytest.mark.parametrize("name", LARGE)
def test_a_comment_fits(name: str) -> None:
    """A comment on a change of any size fits, says where the rest is, and begins with the verdict."""
    found = LARGE[name]()
    text = comment(found, artifact="preview.html")
    assert len(text.encode()) <= LIMIT
    assert "preview.html" in text
    assert text.splitlines()[1].startswith("### ")


@pytest.mark.parametrize("name", LARGE)
def test_a_terminal_is_not_flooded(name: str) -> None:
    """Without --full a terminal shows only so many lines, none longer than a word cut short."""
    lines = render(LARGE[name](), Format.TEXT, width=110).splitlines()
    assert len(lines) < 3_000
    assert max(map(len, lines)) <= 1_020


def test_alike_is_told_once() -> None:
    """What ten thousand clusters have in common is one entry, with how many they are."""
    text = comment(_all_alike())
    assert text.count("customizedVariables[LEVEL]") == 2  # what it was and what it is
    assert "10,000 clusters: cluster-00000" in text


def test_cases_have_names_of_their_own() -> None:
    """No two cases of a JUnit report are called the same in one file, however alike their findings are."""
    found = [
        Diagnostic("wrong-type", f"field {n} is wrong", Location("a.yaml", n // 2), subject="Thing apps/web")
        for n in range(9)
    ]
    report = ET.fromstring(junit(of_diagnostics(found)))
    names = [(case.attrib["classname"], case.attrib["name"]) for case in report.iter("testcase")]
    assert names[:2] == [
        ("a.yaml", "Thing apps/web: wrong type"),
        ("a.yaml", "Thing apps/web: wrong type (2)"),
    ]
    assert len(set(names)) == len(names) == 9


def test_large_numbers_are_grouped() -> None:
    """Whoever a rollout does not reach is counted as all others are."""
    rollout = Rollout(OWNER, (Wave(NOW, NAMES[:1200]),), waiting=NAMES[1200:], why="stopped")
    found = replace(_preview(()), rollouts=(rollout,), selections=(Selection(PLACEMENT, (), NAMES),))
    text = render(found, Format.TEXT)
    assert "at once: 1,200  " in text
    assert "not reached: 8,800  " in text

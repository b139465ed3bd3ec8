"""The page in a real Chromium: nothing hostile runs, all can be read, and everything answers to keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.preview.formats import Format
from gitops_ocm.preview.formats.page import page
from gitops_ocm.preview.formats.page.groups import in_order
from gitops_ocm.preview.model import Preview, Share
from tests.preview.chromium import Chromium, ChromiumError, chromium
from tests.preview.golden.cases import CASES, Case
from tests.preview.golden.stage import looks
from tests.preview.shown import fleet, hostile

pytestmark = pytest.mark.slow

CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8")
SHOWN = "[...document.querySelectorAll('#grid [role=gridcell] .name')].map((e) => e.textContent)"
ACTIVE = "document.querySelector('#grid [aria-selected] .name').textContent"
DETAIL = "document.querySelector('#detail').innerText"
STATUS = "document.querySelector('#found').textContent"
SIZES = (320, 1024, 3840)


@pytest.fixture(scope="module")
def tab() -> Iterator[Chromium]:
    """A browser for all tests of this file."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages that are looked at."""
    folder = tmp_path_factory.mktemp("pages")
    found = fleet(9)
    left = replace(found, shares=(*found.shares, Share("gone", 2, 2)))
    made: dict[str, Preview] = {
        "left": left,
        "60": fleet(60),
        "hostile": hostile(),
        "10000": fleet(10_000, 6, 300),
    }
    texts = {name: page(found) for name, found in made.items()}
    texts |= {case.name: looks(case, Format.HTML) for case in CASES}
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return {name: folder / f"{name}.html" for name in texts}


def _search(tab: Chromium, text: str) -> None:
    tab.run("document.querySelector('#search').select()")
    tab.press("Backspace")
    tab.call("Input.insertText", text=text)
    tab.settle()


# Every page


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_pull_requests(tab: Chromium, pages: dict[str, Path], case: Case) -> None:
    """A page complains of nothing, asks for nothing, and is never wider than a window, small or large."""
    for width in SIZES:
        tab.show(pages[case.name], width=width)
        assert tab.run("document.documentElement.scrollWidth") <= width
        assert (tab.asked, tab.complaints) == ([], [])


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    "name", ["60", "rollout-stopped", "mass-deletion", "directory-rename", "broken-yaml"]
)
def test_contrast(tab: Chromium, pages: dict[str, Path], name: str, dark: bool) -> None:
    """All text, and the edges of what is operated or drawn, can be told from what is behind (WCAG's AA)."""
    tab.show(pages[name], dark=dark)
    if tab.run("Boolean(document.querySelector('#grid [role=gridcell]'))"):
        tab.click("#grid [role=gridcell]")
    tab.run("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    tab.settle()
    found = tab.run(CONTRAST)
    assert found["poor"] == []
    assert found["checked"] > 20
    paper = tab.run("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") is not dark


def test_contrast_is_judged(tab: Chromium, pages: dict[str, Path]) -> None:
    """What cannot be read is found: grey on white, and a border that is hardly there."""
    tab.show(pages["60"])
    tab.run("document.querySelector('h1').style.color = '#999'")
    tab.run("document.querySelector('#search').style.borderColor = '#ddd'")
    assert [needed for _, needed, _ in tab.run(CONTRAST)["poor"]][-1] == 3
    assert tab.run(CONTRAST)["poor"][0][0] == pytest.approx(2.7, abs=0.2)


def test_assistive_technology(tab: Chromium, pages: dict[str, Path]) -> None:
    """There are landmarks, headings without gaps, and a name for all that is operated."""
    tab.show(pages["60"])
    nodes = [node for node in tab.call("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
    roles = [node["role"]["value"] for node in nodes]
    for landmark in ("banner", "navigation", "main", "search"):
        assert roles.count(landmark) == 1, landmark
    levels = [_property(node, "level") for node in nodes if node["role"]["value"] == "heading"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - before <= 1 for before, later in pairwise(levels))
    operated = {"button", "textbox", "searchbox", "checkbox", "combobox", "link", "grid", "gridcell"}
    named = [node for node in nodes if node["role"]["value"] in operated]
    assert len(named) > 40
    assert [node for node in named if not node["name"]["value"].strip()] == []
    cell = next(node["name"]["value"] for node in nodes if node["role"]["value"] == "gridcell")
    assert cell == "ap-south-1; set ap-south; 2 changed, deleted, selected now, configured otherwise"


def _property(node: dict[str, Any], name: str) -> Any:
    return next(p["value"]["value"] for p in node["properties"] if p["name"] == name)


# Hostile


def test_nothing_hostile_runs(tab: Chromium, pages: dict[str, Path]) -> None:
    """Whatever strangers name their things, nothing of it runs or is fetched, and it is shown as it is."""
    tab.show(pages["hostile"])
    tab.click("#grid [role=gridcell]")
    for button in range(tab.run("document.querySelectorAll('button.show').length")):
        tab.run(f"document.querySelectorAll('button.show')[{button}].click()")
    tab.run("document.querySelectorAll('#kinds input, .tools button').forEach((e) => e.click())")
    _search(tab, '<script>alert(1)</script> "set:')
    tab.show(pages["hostile"], fragment="#cluster/" + "%3Cimg%20src%3Dx%20onerror%3Dwindow.hacked%3D1%3E")
    assert tab.run("window.hacked") is None
    assert (tab.asked, tab.complaints) == ([], [])
    assert tab.run("document.querySelectorAll('script').length") == 2
    assert (
        tab.run("document.querySelectorAll('img, iframe, object, a:not([href^=\"#\"]), [style]').length") <= 5
    )
    assert "</script><script>window.hacked=1</script>" in tab.run("document.body.innerText")
    assert tab.run("document.body.textContent.includes('\\u202e')") is False


def test_its_policy_forbids_what_escaping_might_let_through(tab: Chromium, pages: dict[str, Path]) -> None:
    """Were there a hole, the browser would refuse: handlers, styles, HTML from text, images, requests."""
    tab.show(pages["60"])
    with pytest.raises(ChromiumError, match="TrustedScript"):
        tab.run("document.querySelector('h1').setAttribute('onclick', 'window.hacked = 1')")
    tab.run("document.querySelector('h1').setAttribute('style', 'display: none')")
    with pytest.raises(ChromiumError, match="TrustedHTML"):
        tab.run("document.querySelector('h1').innerHTML = '<b>x</b>'")
    with pytest.raises(ChromiumError, match="Failed to fetch"):
        tab.run("fetch('http://127.0.0.1:9/')")
    failed = (
        "new Promise((done) => { const i = new Image(); i.onerror = () => done('no'); i.src = 'x.png'; })"
    )
    assert tab.run(failed) == "no"
    assert tab.run("window.hacked") is None
    assert tab.run("getComputedStyle(document.querySelector('h1')).display") == "flex"
    assert sum("Content Security Policy" in text for text in tab.complaints) >= 4


# Search, filters, keys


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("us-west-3", lambda c: "us-west-3" in c.name),
        ("set:us", lambda c: c.sets[0].startswith("us")),
        ("SET:EU-WEST", lambda c: c.sets == ("eu-west",)),
        ("effect:deleted", lambda c: any(e.act == "delete" for e in c.effects)),
        (
            "effect:managedcluster set:us",
            lambda c: len(c.effects) > 1 and _own(c) and c.sets[0].startswith("us"),
        ),
        ('"old deleted"', lambda c: any(e.ref.name == "old" for e in c.effects)),
        ("logs", lambda c: bool(c.configs)),
        ("placement:apps/prod", lambda c: True),
        ("name:set", lambda c: False),
        ("", lambda c: True),
    ],
)
def test_search(tab: Chromium, pages: dict[str, Path], query: str, expected: Any) -> None:
    """Search leaves the clusters of which all words are true: by name, set, placement, and effect."""
    tab.show(pages["60"], height=4000)
    _search(tab, query)
    names = sorted((c.name for c in fleet(60).clusters if expected(c)), key=in_order)
    assert tab.run(STATUS) == ("all 60" if len(names) == 60 else f"{len(names)} of 60")
    assert tab.run(SHOWN) == names[: len(tab.run(SHOWN))]
    assert bool(tab.run(SHOWN)) is bool(names)


def _own(cluster: Any) -> bool:
    return any(effect.ref.kind == "ManagedCluster" for effect in cluster.effects)


def test_filters(tab: Chromium, pages: dict[str, Path]) -> None:
    """Kinds of effects add up, a set narrows, a group's button shows it alone, and its mark lets go of it."""
    found = fleet(60)
    deleted = {c.name for c in found.clusters if any(e.act == "delete" for e in c.effects)}
    failed = {name for rollout in found.rollouts for name in rollout.failed}
    tab.show(pages["60"])
    tab.click("#kinds input[value=deleted]")
    assert tab.run(STATUS) == f"{len(deleted)} of 60"
    tab.click("#kinds input[value=failed]")
    assert tab.run(STATUS) == f"{len(deleted | failed)} of 60"
    tab.run("document.querySelector('#set').focus()")
    tab.press("ArrowDown", "ArrowDown", "ArrowDown")
    assert tab.run("document.querySelector('#set').value") == "eu-west"
    assert tab.run(STATUS) == f"{sum(name.startswith('eu-west') for name in deleted | failed)} of 60"
    tab.click(".ends button.show")
    assert tab.run(STATUS) == f"{len(failed)} of 60"
    assert set(tab.run(SHOWN)) == failed
    assert tab.run("document.activeElement.id") == "grid"
    tab.click("#only .chip")
    assert tab.run(STATUS) == "all 60"
    tab.click(".bars button[data-set=us-east]")
    assert tab.run(STATUS) == "12 of 60"


def test_who_is_not_reached(tab: Chromium, pages: dict[str, Path]) -> None:
    """Clusters that nothing changes for are found by their sets, too: whom of one a rollout never reaches."""
    tab.show(pages["rollout-stopped"])
    tab.click("#kinds input[value='not reached']")
    assert tab.run(STATUS) == "7 of 9"
    _search(tab, "set:eu")
    assert tab.run(SHOWN) == ["eu-2", "eu-3"]


def test_sets_that_clusters_left(tab: Chromium, pages: dict[str, Path]) -> None:
    """A set's button shows who is in it now; it is of no use where the grid has nobody of that set."""
    tab.show(pages["cluster-set-split"])
    for name, members in (("us-west", ["us-3", "us-4"]), ("us", ["us-1", "us-2"])):
        tab.click(f".bars button[data-set={name}]")
        assert tab.run(SHOWN) == members
    tab.show(pages["left"])
    assert tab.run("document.querySelector('.bars button[data-set=gone]').disabled") is True
    assert tab.run("document.querySelector('.bars button[data-set=us-east]').disabled") is False


def test_keys(tab: Chromium, pages: dict[str, Path]) -> None:
    """From search into the grid, about in it, into a cluster and back, all without a mouse."""
    tab.show(pages["60"])
    names = sorted((c.name for c in fleet(60).clusters), key=in_order)
    columns = int(tab.run("document.querySelector('#grid').getAttribute('aria-colcount')"))
    assert columns > 2
    tab.run("document.querySelector('#search').focus()")
    tab.press("ArrowDown")
    for keys, at in (
        (["ArrowRight", "ArrowRight"], 2),
        (["ArrowDown"], 2 + columns),
        (["ArrowLeft"], 1 + columns),
        (["ArrowUp", "ArrowUp"], 1),
        (["End"], 59),
        (["ArrowRight"], 59),
        (["Home"], 0),
    ):
        tab.press(*keys)
        assert tab.run(ACTIVE) == names[at], keys
        assert tab.run("document.activeElement.getAttribute('aria-activedescendant')") == tab.run(
            "document.querySelector('#grid [aria-selected]').id"
        )
    tab.press("PageDown", "Enter")
    opened = tab.run("document.querySelector('#detail h3').textContent")
    assert opened in names[columns:]
    assert tab.run("document.activeElement.id") == "detail-title"
    assert tab.run("location.hash") == f"#cluster/{opened}"
    tab.press("Escape")
    assert tab.run("document.activeElement.id") == "grid"
    assert tab.run(ACTIVE) == opened


def test_details(tab: Chromium, pages: dict[str, Path]) -> None:
    """A cluster's details say all that the preview says of it, with its diffs; an address leads there."""
    tab.show(pages["60"], fragment="#cluster/ap-south-1")
    (cluster,) = (c for c in fleet(60).clusters if c.name == "ap-south-1")
    assert {e.ref.kind for e in cluster.effects} == {"ManifestWork", "ManagedCluster"}
    text = tab.run(DETAIL)
    for said in (
        *("cluster set ap-south", "ManifestWork of apps/web", "ManifestWork old", "web:1.27", "web:1.28"),
        *("metadata.labels[rack]", "LEVEL", "info", "debug", "addons/logs.yaml:4", "addons/logs.yaml:9"),
        *("placement apps/prod", "label env=prod is new", "clusters.yaml:7"),
        *("ManifestWorkReplicaSet apps/web-0 on apps/prod", "wave 1", "starts at once", "after 15 min"),
    ):
        assert said in text, said
    other = next(c.name for c in fleet(60).clusters if not c.configs)
    tab.show(pages["60"], fragment=f"#cluster/{other}")
    assert "LEVEL" not in tab.run(DETAIL)
    tab.click("#detail .close")
    assert tab.run("document.querySelector('#detail').hidden") is True


def test_folds(tab: Chromium, pages: dict[str, Path]) -> None:
    """A diff folds and unfolds by key and by mouse, all at once by buttons, and objects can be found."""
    tab.show(pages["60"])
    first = "document.querySelector('#objects details')"
    opened = "[...document.querySelectorAll('#objects details')].map((fold) => fold.open)"
    before = tab.run(f"{first}.open")
    tab.run(f"{first}.querySelector('summary').focus()")
    tab.press("Enter")
    assert tab.run(f"{first}.open") is not before
    tab.click("#objects summary")
    assert tab.run(f"{first}.open") is before
    tab.click("#objects .tools button:last-of-type")
    assert set(tab.run(opened)) == {False}
    tab.click("#objects .tools button")
    assert set(tab.run(opened)) == {True}
    tab.run("document.querySelector('#objects input').focus()")
    tab.call("Input.insertText", text="deleted web-6")
    shown = "[...document.querySelectorAll('#objects .entry')].filter((e) => e.checkVisibility()).length"
    assert tab.run(shown) == 1


# Large, and without scripts


def test_ten_thousand_clusters(tab: Chromium, pages: dict[str, Path]) -> None:
    """Of ten thousand only those in view are in the document; the last is a key away, search finds all."""
    tab.show(pages["10000"])
    cells = "document.querySelectorAll('#grid [role=gridcell]').length"
    names = sorted((c.name for c in fleet(10_000, 0).clusters), key=in_order)
    assert 10 < tab.run(cells) < 400
    tab.run("document.querySelector('#grid').focus()")
    tab.press("End")
    assert tab.run(ACTIVE) == names[-1]
    assert 10 < tab.run(cells) < 400
    columns = tab.run("document.querySelector('#grid').getAttribute('aria-colcount')")
    assert int(tab.run("document.querySelector('#grid').getAttribute('aria-rowcount')")) == -(
        -10_000 // int(columns)
    )
    _search(tab, "eu-west-1234 effect:changed")
    assert (tab.run(STATUS), tab.run(SHOWN)) == ("1 of 10,000", ["eu-west-1234"])
    tab.click("#grid [role=gridcell]")
    assert "web:1.28" in tab.run(DETAIL)
    assert (tab.asked, tab.complaints) == ([], [])


def test_without_scripts(tab: Chromium, pages: dict[str, Path]) -> None:
    """Without scripts all is there to be read but the grid, and diffs fold all the same."""
    shown = "document.body.innerText.includes({})"
    # All of it is in the window: what is not is laid out only when it comes into view.
    size = {"width": 1280, "height": 12_000, "deviceScaleFactor": 1, "mobile": False}
    tab.call("Emulation.setDeviceMetricsOverride", **size)
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.call("Page.navigate", url=pages["60"].as_uri())
        for said in ("60 of 60 clusters", "wave 1", "weekend", "The grid of clusters needs scripts"):
            tab.until(shown.format(json.dumps(said)))
        assert tab.run(shown.format("'web:1.28'")) is False
        tab.run("document.querySelector('#clusters summary').click()")
        tab.until(shown.format("'web:1.28'"))
        assert tab.run("document.querySelector('#finder').checkVisibility()") is False
        assert tab.run("document.querySelector('.who button').disabled") is True
    finally:
        tab.call("Emulation.setScriptExecutionDisabled", value=False)


def test_print(tab: Chromium, pages: dict[str, Path]) -> None:
    """On paper there is black on white, and nothing that is only for a screen."""
    tab.show(pages["60"], dark=True)
    dark = {"name": "prefers-color-scheme", "value": "dark"}
    tab.call("Emulation.setEmulatedMedia", media="print", features=[dark])
    try:
        for selector in ("nav", "#finder", ".tools"):
            assert tab.run(f"document.querySelector('{selector}').checkVisibility()") is False, selector
        assert tab.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert tab.run(CONTRAST)["poor"] == []
    finally:
        tab.call("Emulation.setEmulatedMedia", media="", features=[])


def test_the_window_may_be_made_smaller(tab: Chromium, pages: dict[str, Path]) -> None:
    """The grid has as many columns as fit, and keeps its place."""
    columns = "Number(document.querySelector('#grid').getAttribute('aria-colcount'))"
    tab.show(pages["60"], width=1600)
    wide = tab.run(columns)
    size = {"width": 320, "height": 700, "deviceScaleFactor": 1, "mobile": False}
    tab.call("Emulation.setDeviceMetricsOverride", **size)
    tab.until(f"{columns} === 1")
    assert wide > 4
    assert tab.run(SHOWN)[0] == "ap-south-1"

"""What a preview looks like in each format: pull requests as files, and whatever may be in one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_ocm.errors import Diagnostic, Location, Severity
from gitops_ocm.objects.diff import ABSENT, Difference
from gitops_ocm.objects.ref import Ref
from gitops_ocm.preview.formats import Format, render
from gitops_ocm.preview.formats.document import schema
from gitops_ocm.preview.formats.inert import code, prose
from gitops_ocm.preview.formats.markdown import LEAST, LIMIT, MARKER, comment
from gitops_ocm.preview.model import (
    Act,
    AddOnConfig,
    Effect,
    OnCluster,
    Preview,
    Rollout,
    Ruling,
    Selection,
    Share,
    Turn,
    Value,
    Verdict,
    Wave,
)
from tests.preview.golden.cases import CASES, Case
from tests.preview.golden.stage import ARTIFACT, WIDTH, Stage, looks

NOW = datetime(2026, 1, 5, tzinfo=UTC)
NASTY = (
    "``` `",
    "|",
    "</details>",
    "<script>alert(1)</script>",
    "@ann",
    "#12",
    "\u202e",
    "ä🎉",
    "-->",
    "\n",
    "a/b",
)
TEXTS = st.lists(st.sampled_from((*NASTY, "web", "x" * 400)), max_size=6).map("".join)
VALUES = st.one_of(st.just(ABSENT), TEXTS, st.integers(), st.lists(TEXTS, max_size=3), TEXTS.map("\n".join))
PLACES = st.builds(Location, TEXTS, st.integers(0, 99))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The fleet's clone with a branch for each pull request."""
    return Stage(tmp_path_factory.mktemp("golden") / "fleet")


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden(stage: Stage, case: Case) -> None:
    """A pull request looks as it was last read by a person (`python -m tests.preview.golden` writes anew)."""
    found = stage.preview(case)
    for wanted in Format:
        shown = render(found, wanted, width=WIDTH, artifact=ARTIFACT)
        assert shown == looks(case, wanted), wanted


def test_schema() -> None:
    """The published schema is the model's."""
    published = files("gitops_ocm.preview.formats") / "preview.schema.json"
    assert published.read_text(encoding="utf-8") == schema()


def _faults(value: Any, wanted: dict[str, Any], whole: dict[str, Any], at: str = "$") -> Iterator[str]:
    """Where a value is not what the schema says, as far as ours says anything; unknown keys are faults."""
    if ref := wanted.get("$ref"):
        wanted = whole["$defs"][ref.rsplit("/", 1)[1]]
    types = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
    if (name := wanted.get("type")) and not isinstance(value, types[name]):
        yield f"{at} is no {name}"
    elif "const" in wanted and value != wanted["const"]:
        yield f"{at} is not {wanted['const']}"
    elif "enum" in wanted and value not in wanted["enum"]:
        yield f"{at} is none of {wanted['enum']}"
    elif name == "array":
        for number, item in enumerate(value):
            yield from _faults(item, wanted["items"], whole, f"{at}[{number}]")
    elif name == "object":
        yield from (f"{at} lacks {key}" for key in wanted["required"] if key not in value)
        for key, item in value.items():
            if key not in wanted["properties"]:
                yield f"{at} may not have {key}"
            else:
                yield from _faults(item, wanted["properties"][key], whole, f"{at}.{key}")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_documents_fit_the_schema(case: Case) -> None:
    """Each pull request's JSON is what the schema says, and holds nothing that it does not know."""
    document = json.loads(looks(case, Format.JSON))
    whole = json.loads(schema())
    assert list(_faults(document, whole, whole)) == []
    assert list(_faults({**document, "fleet": "nine", "more": 1}, whole, whole)) == [
        "$.fleet is no integer",
        "$ may not have more",
    ]


@st.composite
def previews(draw: st.DrawFn) -> Preview:
    """Anything a preview could hold, some of it very often."""
    many = draw(st.sampled_from((1, 3, 300)))
    names = tuple(f"c{number}" for number in range(many))
    fields = tuple(draw(st.lists(st.builds(Difference, TEXTS, VALUES, VALUES), max_size=4)))
    effect = Effect(
        Ref("", "Thing", draw(TEXTS), draw(TEXTS)),
        draw(st.sampled_from(Act)),
        draw(PLACES),
        fields,
        draw(TEXTS),
    )
    wave = Wave(NOW, names, (draw(TEXTS),), NOW + timedelta(minutes=5), NOW + timedelta(hours=1))
    rollout = Rollout(effect.ref, (wave,) * draw(st.integers(0, 40)), names, draw(TEXTS), draw(TEXTS))
    turns = tuple(Turn(name, True, draw(TEXTS)) for name in names[:3])
    problem = Diagnostic(
        "some-code",
        draw(TEXTS),
        draw(PLACES),
        draw(TEXTS),
        hint=draw(TEXTS),
        severity=draw(st.sampled_from(Severity)),
    )
    values = st.builds(Value, st.just(effect.ref), TEXTS, VALUES, VALUES, TEXTS, TEXTS, PLACES, PLACES)
    configs = (AddOnConfig(draw(TEXTS), tuple(draw(st.lists(values, max_size=3)))),)
    ruling = Ruling("rule", draw(st.sampled_from(Verdict)), draw(TEXTS), draw(PLACES), draw(TEXTS), "abc")
    return Preview(
        "a" * 40,
        "b" * 40,
        "c" * 40,
        NOW,
        many,
        (effect,) * draw(st.sampled_from((0, 1, 120))),
        (Selection(effect.ref, (), names, draw(TEXTS), turns),) * draw(st.sampled_from((0, 1, 30))),
        tuple(OnCluster(name, (effect,), configs) for name in names),
        (rollout,) * draw(st.sampled_from((0, 1, 30))),
        (problem,) * draw(st.sampled_from((0, 1, 100))),
        (draw(TEXTS),) * draw(st.integers(0, 5)),
        tuple(Share(f"s{number}", 1, 2) for number in range(draw(st.sampled_from((0, 2, 500))))),
        (ruling,) * draw(st.sampled_from((0, 1, 30))),
    )


BOUNDED = settings(
    derandomize=True,
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@BOUNDED
@given(previews(), TEXTS, st.sampled_from((LEAST, LIMIT)))
def test_a_comment_is_bounded(found: Preview, artifact: str, limit: int) -> None:
    """Whatever a preview holds, its comment fits, is marked, and closes what it opens."""
    text = comment(found, artifact=artifact, limit=limit)
    assert len(text.encode()) <= limit
    assert text.startswith(MARKER + "\n")
    outside, inside = [], ""
    for line in text.split("\n"):
        ticks = len(line) - len(line.lstrip("`"))
        if inside:
            inside = "" if line == inside else inside
        elif ticks >= 3:
            inside = "`" * ticks
        else:
            outside.append(line)
    assert not inside
    assert sum(line.startswith("<details") for line in outside) == outside.count("</details>")
    assert not any(
        "<script" in line.replace("\\<", "").replace("`", "") and "`" not in line for line in outside
    )


@pytest.mark.parametrize(
    "text", ["thanks @ann", "fixes #12", "see https://evil.example", "a/b!3", "GH-7", "www.x.y"]
)
def test_prose_links_nothing(text: str) -> None:
    """What a forge would link is parted by a character nobody sees, and nothing else is changed."""
    shown = prose(text)
    assert shown != text
    assert shown.replace("\u200b", "") == text


@pytest.mark.parametrize("text", ["`", "``a``", " b ", "a`"])
def test_code_spans_hold_backticks(text: str) -> None:
    """A code span is closed by nothing in it."""
    shown = code(text)
    ticks = shown[: len(shown) - len(shown.lstrip("`"))]
    assert shown.endswith(ticks)
    assert ticks not in shown[len(ticks) : -len(ticks)].replace("`" * (len(ticks) + 1), "")


PAGE_TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "link",
        "body",
        "header",
        "nav",
        "main",
        "section",
        "article",
    ),
    *("h1", "h2", "h3", "div", "p", "span", "b", "code", "pre", "ins", "del", "a", "time", "script"),
    *("ul", "ol", "li", "dl", "dt", "dd", "details", "summary", "svg", "rect", "line", "text"),
    *("search", "label", "input", "select", "option", "output", "fieldset", "legend", "button"),
}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert all(name not in ("src", "style") and not name.startswith("on") for name, _ in attrs)
        assert all(value and value.startswith(("#", "data:,")) for name, value in attrs if name == "href")


@pytest.mark.slow
@BOUNDED
@given(previews())
def test_machines_can_read_it(found: Preview) -> None:
    """Whatever a preview holds, JSON, SARIF and JUnit can be parsed, and its page has no tag of others."""
    whole = json.loads(schema())
    assert list(_faults(json.loads(render(found, Format.JSON)), whole, whole)) == []
    log = json.loads(render(found, Format.SARIF))
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    report = ET.fromstring(render(found, Format.JUNIT))
    assert int(report.attrib["tests"]) == len(report.findall(".//testcase")) > 0
    assert int(report.attrib["failures"]) == len(report.findall(".//failure"))
    tags = _Tags()
    tags.feed(render(found, Format.HTML))
    assert tags.seen <= PAGE_TAGS


@BOUNDED
@given(previews(), st.sampled_from((40, 110)))
def test_a_terminal_shows_what_is_there(found: Preview, width: int) -> None:
    """Whatever a preview holds, its lines have nothing that hides or turns what stands beside it."""
    shown = render(found, Format.TEXT, width=width)
    assert all(line.isprintable() for line in shown.split("\n"))


def test_what_is_meant_is_suppressed() -> None:
    """A rule that a commit overrides is told with its reason, and fails nothing."""
    ruling = Ruling("freeze", Verdict.OVERRIDDEN, "frozen", Location("gitops-ocm.yaml", 3), "INC-7", "abcdef")
    found = Preview("a", "b", "c", NOW, rulings=(ruling,))
    (result,) = json.loads(render(found, Format.SARIF))["runs"][0]["results"]
    assert result["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "INC-7 (commit abcdef)"}
    ]
    report = ET.fromstring(render(found, Format.JUNIT))
    assert report.attrib["failures"] == "0"
    assert "meant: INC-7" in str(report.findtext(".//system-out"))


def test_a_file_is_written_for_each_format(tmp_path: Path) -> None:
    """`-o FORMAT=FILE` may be given several times; what the command ends with is the verdict's."""
    from gitops_ocm.cli.preview_output import show

    outputs = tuple((wanted.value, tmp_path / wanted.value) for wanted in Format)
    assert (
        show(Preview("a", "b", "c", NOW, effects=(Effect(Ref("", "A", "", "b"), Act.CREATE),)), outputs) == 1
    )
    assert all(path.stat().st_size > 0 for _, path in outputs)

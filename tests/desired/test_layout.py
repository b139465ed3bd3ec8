"""`gitops-ocm.yaml`: what is wrong is told at its line, and editors have a schema of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from gitops_ocm.cli.repo import repo
from gitops_ocm.desired.layout import Layout, read_layout, schema

ROOT = Path(__file__).parents[2]
HEAD = "apiVersion: config.gitops-ocm.io/v1alpha1\nkind: FleetRepository\n"


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("previw: {}", 3, "unknown key 'previw'", 'did you mean "preview"?'),
        ("preview: {assumeTake: 5m}", 3, "unknown key 'preview.assumeTake'", 'did you mean "assumeTakes"?'),
        ("preview:\n  statusRef: status", 4, "unknown key", "known keys: rolloutCompat, assumeTakes"),
        ("preview:\n  assumeTakes: five", 4, "preview.assumeTakes: ", "5m"),
        ("preview:\n  assumeTakes: 5", 4, "preview.assumeTakes: input should be a valid string", ""),
        ("preview:\n  rolloutCompat: yes", 4, "preview.rolloutCompat: ", ""),
        ("preview: []", 3, "preview: must be a mapping", ""),
        ("sync:\n  path: [hub/]", 4, "unknown key 'sync.path'", 'did you mean "paths"?'),
        ("sync:\n  paths: hub/", 4, "sync.paths: must be a list", ""),
        ("sync:\n  paths:\n  - hub/\n  - ../other", 6, "'../other' is not a path inside the repository", ""),
    ],
)
def test_what_is_wrong(text: str, line: int, message: str, hint: str) -> None:
    """Each slip is one error at its own line, with what was probably meant."""
    _, (problem,) = read_layout(f"{HEAD}{text}\n".encode(), "gitops-ocm.yaml", "c0ffee")
    assert problem.where.line == line
    assert message in problem.message
    assert hint in problem.hint


def faults(value: Any, wanted: dict[str, Any], whole: dict[str, Any], at: str = "$") -> Iterator[str]:
    """Where a value is not what the schema says, as far as ours says anything."""
    if ref := wanted.get("$ref"):
        wanted = whole["$defs"][ref.rsplit("/", 1)[1]]
    if choices := wanted.get("anyOf"):
        found = [list(faults(value, choice, whole, at)) for choice in choices]
        yield from min(found, key=len)
        return
    types = {
        "string": str,
        "integer": int,
        "boolean": bool,
        "array": list,
        "object": dict,
        "null": type(None),
    }
    if (name := wanted.get("type")) and not isinstance(value, types[name]):
        yield f"{at} is no {name}"
    elif "enum" in wanted and value not in wanted["enum"]:
        yield f"{at} is none of {wanted['enum']}"
    elif name == "array":
        for number, item in enumerate(value):
            yield from faults(item, wanted["items"], whole, f"{at}[{number}]")
    elif name == "object":
        known, ways = wanted.get("properties", {}), wanted.get("oneOf", [{"required": []}])
        if sum(all(key in value for key in way["required"]) for way in ways) != 1:
            yield f"{at} says not exactly one of what it may"
        yield from (f"{at} lacks {key}" for key in wanted.get("required", ()) if key not in value)
        for key, item in value.items():
            if key in known:
                yield from faults(item, known[key], whole, f"{at}.{key}")
            elif wanted["additionalProperties"] is False:
                yield f"{at} may not have {key}"


def documents() -> Iterator[str]:
    """The policy that README shows, the template's file, and what is commented out there."""
    readme = (ROOT / "README.md").read_text()
    start = readme.index("policy:\n  rules:")
    yield readme[start : readme.index("```", start)]
    template = (ROOT / "repo-template/gitops-ocm.yaml").read_text()
    yield template
    for section in ("# preview:", "# policy:"):
        commented = template[template.index(section) :].partition("\n\n")[0]
        yield "\n".join(line.removeprefix("# ") for line in commented.splitlines())


@pytest.mark.parametrize("text", [*documents()])
def test_examples_fit_the_schema(text: str) -> None:
    """What is shown to people is what editors take; what is misspelt there is not."""
    whole = schema()
    value = YAML(typ="safe", pure=True).load(text)
    assert list(faults(value, whole, whole)) == []
    assert list(faults({**value, "polcy": {}}, whole, whole)) == ["$ may not have polcy"]
    assert read_layout(text.encode(), "gitops-ocm.yaml", "c0ffee")[1] == ()


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"policy": {"rules": [{"name": "a"}]}}, "$.policy.rules[0] says not exactly one of what it may"),
        (
            {"policy": {"rules": [{"name": "a", "maxDeletions": 1, "maxClusterSets": 1}]}},
            "$.policy.rules[0] says not exactly one of what it may",
        ),
        ({"policy": {"rules": [{"maxDeletions": 1}]}}, "$.policy.rules[0] lacks name"),
        ({"preview": {"rolloutCompat": "OCM"}}, "$.preview.rolloutCompat is none of ['', 'ocm']"),
        ({"preview": {"assumeTakes": 5}}, "$.preview.assumeTakes is no string"),
        ({"sync": {"paths": "hub/"}}, "$.sync.paths is no array"),
    ],
)
def test_what_an_editor_marks(value: Any, fault: str) -> None:
    """What the file may not say does not fit the schema either."""
    whole = schema()
    assert list(faults(value, whole, whole)) == [fault]


def test_the_command_prints_it() -> None:
    """As JSON, with every section of the file."""
    shown = CliRunner().invoke(repo, ["schema"])
    assert shown.exit_code == 0
    assert json.loads(shown.output) == schema()
    assert set(schema()["properties"]) == {field.alias or name for name, field in Layout.model_fields.items()}

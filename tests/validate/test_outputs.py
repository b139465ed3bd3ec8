"""`gitops-ocm validate -o`: the same problems in every format, at the same file and line."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from gitops_ocm.cli.validate import validate

BROKEN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\ndada: {}\n"
EXPRESSION = """\
apiVersion: cluster.open-cluster-management.io/v1beta1
kind: Placement
metadata: {name: web, namespace: default}
spec: {numberOfClusters: many}
"""
WARNED = """\
apiVersion: v1
kind: Secret
metadata: {name: NAME, namespace: default}
stringData: {key: value}
"""
PLACES = [("hub/a.yaml", 4), ("hub/b.yaml", 4)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two broken files."""
    found = tmp_path / "fleet"
    (found / "hub").mkdir(parents=True)
    (found / "hub/a.yaml").write_text(BROKEN)
    (found / "hub/b.yaml").write_text(EXPRESSION)
    return found


def ran(*args: str) -> Result:
    """The command in this process."""
    return CliRunner().invoke(validate, args, standalone_mode=False)


def places(text: str, form: str) -> list[tuple[str, int]]:
    """Where a document says that problems are."""
    match form:
        case "json":
            problems = json.loads(text)["judged"][0]["problems"]
            return [(found["path"], found["line"]) for found in problems]
        case "junit":
            cases = ET.fromstring(text.encode()).iter("testcase")
            return [(case.get("file", ""), int(case.get("line", "0"))) for case in cases]
        case "sarif":
            results = json.loads(text)["runs"][0]["results"]
            spots = [result["locations"][0]["physicalLocation"] for result in results]
            return [(spot["artifactLocation"]["uri"], spot["region"]["startLine"]) for spot in spots]
    lines = [line.split(":") for line in text.splitlines()]
    return [(line[0], int(line[1])) for line in lines]


@pytest.mark.parametrize("form", ["text", "json", "junit", "sarif"])
def test_every_format_says_the_same(folder: Path, tmp_path: Path, form: str) -> None:
    """A file written beside the terminal's text has each problem at its place."""
    file = tmp_path / "found"
    result = ran(str(folder), "-o", f"{form}={file}", "-o", "text")
    assert result.return_value == 1
    assert "hub/a.yaml:4: ConfigMap default/a" in result.stderr
    assert places(file.read_text(), form) == PLACES


@pytest.mark.parametrize("form", ["json", "junit", "sarif"])
def test_nothing_is_wrong(tmp_path: Path, form: str) -> None:
    """A folder that the sync would take gives a whole document without a problem, on standard output."""
    result = ran(str(tmp_path), "-o", form)
    assert result.return_value == 0
    if form == "junit":
        root = ET.fromstring(result.stdout.encode())
        assert (root.get("tests"), root.get("failures")) == ("1", "0")
    else:
        assert places(result.stdout, form) == []


def test_errors_come_before_warnings_that_are_too_many(tmp_path: Path) -> None:
    """Whoever has a hundred warnings still sees the one error in the terminal."""
    (tmp_path / "hub").mkdir()
    for number in range(60):
        (tmp_path / f"hub/a{number}.yaml").write_text(WARNED.replace("NAME", f"p{number}"))
    (tmp_path / "hub/z.yaml").write_text(BROKEN)
    result = ran(str(tmp_path))
    assert result.return_value == 1
    assert result.stderr.startswith("error hub/z.yaml:4")
    assert "and 11 more" in result.stderr

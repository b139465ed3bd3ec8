"""Findings as SARIF 2.1.0, which GitHub, GitLab and editors show at the lines they are about.

A rule that is overridden is a suppressed result: it is seen, and counts no more. A result's fingerprint does
not hold its line, so it stays the same finding when lines above it come or go.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from gitops_ocm.preview.formats.findings import LAYOUT, Finding, Level

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LONGEST = 1_000
"""GitHub cuts messages at 1,024 characters, in the middle of a word."""


def sarif(found: Sequence[Finding], *, version: str = "", run: str = "preview") -> str:
    """The log of one run; `run` tells runs apart that a forge keeps side by side."""
    rules = {finding.rule: finding for finding in reversed(found)}
    order = sorted(rules)
    driver: dict[str, Any] = {"name": "gitops-ocm"}
    if version:
        driver["semanticVersion"] = version
    driver["rules"] = [_rule(rules[rule]) for rule in order]
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "automationDetails": {"id": f"gitops-ocm/{run}/"},
                "columnKind": "unicodeCodePoints",
                "results": list(_results(found, {rule: at for at, rule in enumerate(order)})),
            }
        ],
    }
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _rule(found: Finding) -> dict[str, Any]:
    level = Level.ERROR if found.meant else found.level
    return {
        "id": found.rule,
        "shortDescription": {"text": found.about},
        "defaultConfiguration": {"level": level.value},
    }


def _results(found: Sequence[Finding], index: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    seen: Counter[str] = Counter()
    for finding in found:
        mark = _fingerprint(finding)
        seen[mark] += 1
        result: dict[str, Any] = {
            "ruleId": finding.rule,
            "ruleIndex": index[finding.rule],
            "level": finding.level.value,
            "message": {"text": _cut(finding.message)},
            "locations": [{"physicalLocation": _place(finding)}],
            "partialFingerprints": {"gitopsOcm/v1": f"{mark}:{seen[mark]}"},
        }
        if finding.meant:
            why = {"kind": "external", "status": "accepted", "justification": finding.meant}
            result["suppressions"] = [why]
        yield result


def _place(found: Finding) -> dict[str, Any]:
    where = found.where
    path = {"artifactLocation": {"uri": quote(where.path or LAYOUT, safe="/"), "uriBaseId": "%SRCROOT%"}}
    region = {"startLine": max(1, where.line)}
    if where.line and where.column:
        region["startColumn"] = where.column
    return {**path, "region": region}


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _fingerprint(found: Finding) -> str:
    parts = (found.rule, found.where.path, found.subject, found.message)
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]

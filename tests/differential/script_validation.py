"""Good objects of the kinds that people apply most, each spoiled in one place at a time: what is refused, and how.

A spoiling is `path: value`, the value in YAML, or several parted by ` ; `. Nothing is stored (`dryRun=All`), but
for the objects that the updates begin with: those are spoiled by merge patches. The cases are `validation.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from tests.differential.calls import Call, delete, patch, post

_CASES: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent / "validation.yaml").read_text("utf-8"))


def spoiled(good: Mapping[str, Any], change: str) -> dict[str, Any]:
    """The object with other values at some paths; a null takes the field away."""
    result = deepcopy(dict(good))
    for one in change.split(" ; "):
        path, _, text = one.partition(": ")
        _put(result, path.split("."), yaml.safe_load(text))
    return result


def _put(owner: Any, path: list[str], value: Any) -> None:
    *way, last = (step.replace("~", ".") for step in path)
    for step in way:
        owner = owner[int(step)] if isinstance(owner, list) else owner.setdefault(step, {})
    if isinstance(owner, list):
        owner[int(last) : int(last) + 1] = [value]
    elif value is None:
        owner.pop(last, None)
    else:
        owner[last] = value


def _difference(change: str) -> dict[str, Any]:
    """The merge patch that makes such a change; no step in it is a place in a list."""
    result: dict[str, Any] = {}
    for one in change.split(" ; "):
        path, _, text = one.partition(": ")
        owner = result
        *way, last = (step.replace("~", ".") for step in path.split("."))
        for step in way:
            owner = owner.setdefault(step, {})
        owner[last] = yaml.safe_load(text)
    return result


def _calls(case: Mapping[str, Any]) -> list[Call]:
    where, good = case["path"], case["good"]
    name = good["metadata"]["name"]
    calls = [post(f"{where}?dryRun=All", good)]
    calls += [post(f"{where}?dryRun=All", spoiled(good, change)) for change in case.get("bad", ())]
    if case.get("updates"):
        calls.append(post(where, good))
        calls += [patch(f"{where}/{name}?dryRun=All", _difference(change)) for change in case["updates"]]
        calls += [
            patch(f"{where}/{name}/status?dryRun=All", _difference(change))
            for change in case.get("statuses", ())
        ]
        calls.append(delete(f"{where}/{name}"))
    return calls


SCRIPT: dict[str, list[Call]] = {f"valid {kind}": _calls(case) for kind, case in _CASES.items()}

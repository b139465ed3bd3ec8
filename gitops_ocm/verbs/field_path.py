"""The path of a field as people write it, and what it leads to in an object.

spec.replicas                       a map's key
metadata.labels[example.com/team]   a key with dots in it
manifests[0], manifests[web]        an item of a list: by its place, or by its name, key or type
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gitops_ocm.objects.diff import ABSENT
from gitops_ocm.objects.paths import Step
from gitops_ocm.verbs.voice import VerbError

_STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\[\]]+)\]")
_NAMES = ("name", "key", "type", "clusterName")


class NoSuchField(VerbError):
    """A path that is none, or leads nowhere."""

    code = "no-such-field"


def words_of(path: str) -> tuple[str, ...]:
    """The steps of a path, as written."""
    found, end = [], 0
    for step in _STEP.finditer(path):
        if step.start() != end:
            break
        found.append(step[1] or step[2])
        end = step.end()
    if end != len(path):
        raise NoSuchField(
            f"{path!r} is no path of a field",
            hint="write it like spec.template.spec or metadata.labels[a.b/c]",
        )
    return tuple(found)


def follow(obj: Any, words: tuple[str, ...]) -> tuple[tuple[Step, ...], Any]:
    """The steps to what a path names in an object, and its value; `ABSENT` where there is none."""
    steps: list[Step] = []
    for word in words:
        step: Step | None = word
        if isinstance(obj, list):
            step = _place(obj, word)
            obj = ABSENT if step is None else obj[step]
        else:
            obj = obj.get(word, ABSENT) if isinstance(obj, Mapping) else ABSENT
        if obj is ABSENT or step is None:
            return tuple(steps), ABSENT
        steps.append(step)
    return tuple(steps), obj


def _place(items: list[Any], word: str) -> int | None:
    if word.isdigit():
        return int(word) if int(word) < len(items) else None
    for at, item in enumerate(items):
        if isinstance(item, Mapping):
            names = [item.get(key) for key in _NAMES] + [(item.get("metadata") or {}).get("name")]
            if word in names:
                return at
        elif item == word:
            return at
    return None

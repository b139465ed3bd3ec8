"""`ignoreFields` of server-side apply: fields of a manifest that somebody else on the cluster decides.

Where the object exists, an ignored field is applied with the value it has, so that it is neither changed
nor given up. `OnSpokePresent` ignores always, `OnSpokeChange` only until the manifest changes.
(OCM stops correcting drift in the whole object instead, and keeps a hash annotation for that.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitops_ocm.decide.agent.jq import BadExpression, jq_paths
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.jsonpath import BadPath, field_steps
from gitops_ocm.objects.paths import Step, get, with_value, without
from gitops_ocm.objects.ref import Object

ON_PRESENT, ON_CHANGE = "OnSpokePresent", "OnSpokeChange"


class IgnoreFieldError(GitopsError):
    """An `ignoreFields` entry that cannot be followed."""

    code = "ignore-fields"


def with_live_values(
    manifest: Object, live: Object, rules: Sequence[Mapping[str, Any]], *, applied: bool
) -> Object:
    """The manifest with the live value of every ignored field; raises `IgnoreFieldError`."""
    for rule in rules:
        if (rule.get("condition") or ON_PRESENT) == ON_CHANGE and not applied:
            continue
        for path in _paths(rule, manifest):
            if get(manifest, *path, default=_NONE) is _NONE:
                continue
            value = get(live, *path, default=_NONE)
            manifest = without(manifest, path) if value is _NONE else with_value(manifest, path, value)
    return manifest


def check(manifest: Object, rules: Sequence[Mapping[str, Any]]) -> None:
    """Raise `IgnoreFieldError` for an entry that cannot be followed, before there is anything to ignore."""
    for rule in rules:
        if (rule.get("condition") or ON_PRESENT) == ON_PRESENT:
            list(_paths(rule, manifest))


_NONE = object()


def _paths(rule: Mapping[str, Any], manifest: Object) -> Iterable[list[Step]]:
    for expression in rule.get("jqPathExpressions") or ():
        try:
            yield from jq_paths(expression, manifest)
        except BadExpression as fault:
            message = (
                f"Failed to process ignoreFields: JQ expression error in '{expression}': {fault.message}"
            )
            raise IgnoreFieldError(message, hint=fault.hint) from fault
    for pointer in rule.get("jsonPointers") or ():
        if pointer.startswith("/"):
            yield _pointer(pointer, manifest)
    for text in rule.get("jsonPaths") or ():
        try:
            yield list(field_steps(text))
        except BadPath:
            continue  # as OCM: a path that cannot be read ignores nothing


def _pointer(pointer: str, manifest: Object) -> list[Step]:
    """RFC 6901; a number is a position where the manifest has a list."""
    steps: list[Step] = []
    for part in pointer[1:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        here = get(manifest, *steps)
        steps.append(int(key) if isinstance(here, list) and key.isascii() and key.isdigit() else key)
    return steps

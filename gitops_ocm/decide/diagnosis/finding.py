"""A finding: one cause, in one sentence, with its evidence and the command that mends it.

Which causes there are, and which of them follow from which, is the table in `causes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.decide.writes import name_of, namespace_of
from gitops_ocm.objects.ref import Object

LONGEST = 600
"""Characters kept of a text that somebody else wrote."""


@dataclass(frozen=True)
class Fact:
    """One piece of evidence: a field of an object, what it says, and since when (`""`: not known)."""

    subject: str
    field: str
    value: str
    time: str = ""


@dataclass(frozen=True)
class Finding:
    """What is wrong with `subject`.

    `cause` is a code of the table. `cluster` is the managed cluster concerned, `""` for what concerns the
    whole hub; what concerns the hub only `through` some clusters names them. `mend` is a command. What would
    not be wrong without it is in `follows`; where it explains a part alone of what its cause may, that is
    `only`.
    """

    cause: str
    subject: str
    sentence: str
    facts: tuple[Fact, ...] = ()
    mend: str = ""
    cluster: str = ""
    through: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    follows: tuple[Finding, ...] = ()


def named(obj: Object) -> str:
    """`ManifestWork cluster1/web`: an object in evidence and sentences."""
    namespace = namespace_of(obj)
    return (
        f"{obj.get('kind', '')} {namespace}/{name_of(obj)}" if namespace else f"{obj['kind']} {name_of(obj)}"
    )


def condition_fact(obj: Object, condition: Mapping[str, Any]) -> Fact:
    """A condition as evidence."""
    reason, message = str(condition.get("reason") or ""), str(condition.get("message") or "")
    said = ": ".join(part for part in (reason, message) if part)
    return Fact(
        named(obj),
        f"status.conditions[{condition.get('type')}]",
        cut(f"{condition.get('status')}{f' ({said})' if said else ''}"),
        str(condition.get("lastTransitionTime") or ""),
    )


def cut(text: str) -> str:
    """A text on one line, of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"

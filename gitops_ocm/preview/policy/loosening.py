"""A change of the policy itself: what it comes to, and whether it loosens anything.

A rule is as strict as it was where that can be seen: the same, or a lower limit. Anything else counts as
loosened, though it may not be: a person's word settles that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gitops_ocm.desired.policy import OWN_RULE, PolicySection, Rule
from gitops_ocm.errors import Location
from gitops_ocm.preview.model import Ruling, Verdict

_WORDS = ("message", "messageExpression")
_LIMITS = ("maxDeletions", "maxClustersAtOnce", "maxClustersLosing", "maxClusterSets")


class _Turn(NamedTuple):
    """What becomes of one rule."""

    text: str
    loosens: bool
    where: Location


def of_policy(base: PolicySection, head: PolicySection) -> Ruling | None:
    """What is to be said of a change of the policy; None where nothing changes."""
    turns = list(_turns({r.name: r for r in base.rules}, {r.name: r for r in head.rules}))
    if not turns:
        return None
    loosened = [turn for turn in turns if turn.loosens]
    where = (loosened or turns)[0].where
    if not loosened:
        return Ruling(OWN_RULE, Verdict.ALLOWED, f"the policy {_joined(turns)}", where)
    return Ruling(OWN_RULE, Verdict.REFUSED, f"the policy is loosened: it {_joined(loosened)}", where)


def _joined(turns: list[_Turn]) -> str:
    return "; ".join(turn.text for turn in turns)


def _turns(before: Mapping[str, Rule], after: Mapping[str, Rule]) -> Iterator[_Turn]:
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            yield _Turn(f"loses the rule {name!r}", True, old.where)
        elif turn := _turn(old, new):
            yield turn
    for name, new in after.items():
        if name not in before:
            yield _Turn(f"gains the rule {name!r}", False, new.where)


def _turn(old: Rule, new: Rule) -> _Turn | None:
    was, now = _said(old), _said(new)
    differing = [key for key in {**was, **now} if was.get(key) != now.get(key)]
    if not differing:
        return None
    loosened = [key for key in differing if not _as_strict(key, was.get(key), now.get(key))]
    shown = ", ".join(_shown(key, was.get(key), now.get(key)) for key in loosened or differing)
    return _Turn(f"changes the rule {old.name!r}: {shown}", bool(loosened), new.where)


def _said(rule: Rule) -> dict[str, Any]:
    return rule.model_dump(by_alias=True, exclude_unset=False, exclude_none=True)


def _as_strict(key: str, was: Any, now: Any) -> bool:
    if key in _WORDS:
        return True
    if key == "overridable":
        return now is False
    if key in _LIMITS and was is not None and now is not None:
        one, other = str(was), str(now)
        same_unit = one.endswith("%") == other.endswith("%")
        return same_unit and int(other.rstrip("%")) <= int(one.rstrip("%"))
    return False


def _shown(key: str, was: Any, now: Any) -> str:
    """`maxDeletions 10% → 50%`, or the key alone of what is too much for a line."""
    if key in _LIMITS or key == "overridable":
        return f"{key} {_text(was)} → {_text(now)}"
    return key


def _text(value: Any) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

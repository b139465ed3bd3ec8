"""The words that all formats of a preview share: its verdict, names, counts and times.

Nothing about the fleet is found out here; what a `Preview` holds is only said.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gitops_ocm.errors import Location
from gitops_ocm.objects.ref import Ref
from gitops_ocm.preview.model import Act, Preview, Rollout, Share, Verdict, Wave
from gitops_ocm.preview.state import FILES, LIVE

TITLE = "gitops-ocm preview"
SIGNS = {Act.CREATE: "+", Act.CHANGE: "~", Act.DELETE: "-", Act.MOVE: "»", Act.KEEP: "!"}
WORDS = {
    Act.CREATE: "new",
    Act.CHANGE: "changed",
    Act.DELETE: "deleted",
    Act.MOVE: "moved",
    Act.KEEP: "kept",
}
RULED = {Verdict.ALLOWED: "✓", Verdict.REFUSED: "✗", Verdict.OVERRIDDEN: "≈"}
# Control characters, and those that hide or reorder what stands beside them ("Trojan Source").
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff"
    "\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
_GROUP = re.compile(r"^(\w+)\.[\w.-]+(?= )")
_LONGEST = 1_000
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    """The text on one line, with escapes for what a reader could not see."""
    return _HIDDEN.sub(lambda found: _SHORT.get(found[0]) or f"\\u{ord(found[0]):04x}", text)


def cut(text: str, most: int) -> str:
    """No more than so many characters; how many there are is said where some are missing."""
    if len(text) <= most:
        return text
    rest = f"… ({len(text):,} characters)"
    return text[: max(0, most - len(rest))] + rest


def said(text: str) -> str:
    """What others say, on one line and not without end."""
    return visible(cut(text, _LONGEST))


# The verdict


def verdict(found: Preview) -> str:
    """One line: would it be taken, and whom does it touch?"""
    if found.refused_by_hub:
        refused = number_of(len(found.refused_by_hub), "object")
        return f"the hub would refuse {refused}: {_change(found)}"
    if found.broken:
        return "refused: the sync would not apply this commit"
    if found.forbidden:
        rules = few([ruling.rule for ruling in found.forbidden])
        return f"refused by policy ({rules}): {_change(found)}"
    return _change(found)


def _change(found: Preview) -> str:
    if not found.changes_anything:
        return "nothing changes"
    objects = ", ".join(f"{number} {word}" for word, number in counts(found))
    parts = [f"{objects or 'no object of Git changes'}; {_touched(found)}"]
    if end := ends(found):
        parts.append(f"done {after(end, found.now)} at the earliest")
    if stuck := sum(bool(rollout.waiting) for rollout in found.rollouts):
        parts.append(f"{number_of(stuck, 'rollout')} would not finish")
    return "; ".join(parts)


def _touched(found: Preview) -> str:
    whole = fleet_share(found)
    share = f" ({percent(whole.touched, whole.clusters)})" if whole.clusters else ""
    text = f"{whole.touched:,} of {number_of(whole.clusters, 'cluster')}{share} touched"
    staged = 0 < whole.at_once < whole.touched
    return f"{text}, at most {whole.at_once:,} at once" if staged else text


def fleet_share(found: Preview) -> Share:
    """How much of the whole fleet is touched."""
    first = found.shares[0] if found.shares else None
    return first if first and not first.name else Share("", len(found.clusters), found.fleet)


def counts(found: Preview) -> list[tuple[str, int]]:
    """How many objects are new, changed, and so on; only what there is."""
    numbers = Counter(effect.act for effect in found.effects)
    return [(word, numbers[act]) for act, word in WORDS.items() if numbers[act]]


def outcome(found: Preview) -> str:
    """The verdict as one word that programs read: `Refused`, `Changed` or `Unchanged`."""
    if found.refused:
        return "Refused"
    return "Changed" if found.changes_anything else "Unchanged"


def exit_status(found: Preview) -> int:
    """What the command ends with."""
    return {"Refused": 3, "Changed": 1, "Unchanged": 0}[outcome(found)]


# What it is made of


def stamp(found: Preview) -> str:
    """Which commits were compared, and how old the account of the fleet is."""
    return f"{short(found.head)} against {short(found.base)}, {_state(found)}"


def subject_of(text: str) -> str:
    """What a problem is about, as people name it: its kind without the group."""
    return _GROUP.sub(r"\1", visible(text), count=1)


def short(commit: str) -> str:
    """A commit for people."""
    return commit[:12] or "the work tree"


def _state(found: Preview) -> str:
    if not found.state:
        return "of a fleet without a status branch"
    if found.state in (LIVE, FILES):
        return "the fleet as its hub has it now" if found.state == LIVE else "the fleet as files tell of it"
    if found.state_at is None:
        return f"the fleet as of {short(found.state)}"
    age = max(found.now - found.state_at, timedelta(0))
    return f"the fleet as of {short(found.state)}, {lasting(age)} ago"


def name_of(ref: Ref) -> str:
    """`ManifestWork c1/web`: people know a kind without its group."""
    return f"{visible(ref.kind)} {path_of(ref)}"


def path_of(ref: Ref) -> str:
    """`c1/web`, or `web` for what is in no namespace."""
    return visible(f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name)


def place(where: Location) -> str:
    """`path:line`, for a person who has the files before them."""
    return f"{where.path}:{where.line}" if where.line else where.path


def few(names: Sequence[str], most: int = 6) -> str:
    """A few names, and how many there are beside."""
    text = ", ".join(map(visible, names[:most]))
    return text if len(names) <= most else f"{text} and {len(names) - most:,} more"


def number_of(number: int, what: str) -> str:
    """`1 cluster`, `2 clusters`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def percent(part: int, whole: int) -> str:
    """A share for people: something is never 0 %, and not all is never 100 %."""
    if not whole:
        return "0%"
    value = round(100 * part / whole)
    if 0 < part < whole:
        value = min(max(value, 1), 99)
    return f"{value}%"


# Time


def ends(found: Preview) -> datetime | None:
    """When the last rollout is done at the earliest; None where one never is, or all are at once."""
    moments = [rollout.end for rollout in found.rollouts]
    known = [moment for moment in moments if moment is not None]
    if len(known) < len(moments) or not known or max(known) - found.now < timedelta(seconds=1):
        return None
    return max(known)


def after(moment: datetime, now: datetime) -> str:
    """`at once`, `after 5 min`."""
    span = moment - now
    return "at once" if span < timedelta(seconds=1) else f"after {lasting(span)}"


def lasting(span: timedelta) -> str:
    """`90 s`, `5 min`, `2 h 5 min`, `3 d`."""
    seconds = round(span.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 120:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"


def clock(moment: datetime) -> str:
    """`2026-11-23 10:04 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def done_by(wave: Wave, now: datetime) -> str:
    """When a wave is done at the earliest; `""` where that is not told."""
    return after(wave.soaked, now) if wave.soaked is not None and wave.soaked > wave.at else ""


def fails_by(wave: Wave, now: datetime) -> str:
    """When what is not good counts as failed; `""` for never."""
    return after(wave.deadline, now) if wave.deadline is not None else ""


def groups_of(wave: Wave) -> str:
    """The decision groups a wave is of, where they have names or more than one number."""
    return few([f"group {group}" if group.isdecimal() else group for group in wave.groups if group])


def rollout_title(rollout: Rollout) -> str:
    """Whose rollout it is, and under which placement."""
    under = f" on {visible(rollout.placement)}" if rollout.placement else ""
    return f"{name_of(rollout.owner)}{under}"


def rollout_rule(rollout: Rollout) -> str:
    """Its strategy in words."""
    return visible(rollout.strategy)

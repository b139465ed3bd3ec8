"""The repository's policy, asked again after the merge: whether a commit may come in force.

The commit in force judges the next one, by the same functions as a preview before the merge
(`preview.policy`), on the fleet as the `status` branch tells of it. A commit that was let through is noted on
the HubSync before anything of it is applied, and not judged again; a refused one is looked at again when a
freeze ends, when somebody asks for a pass, and now and then. Where judging fails or takes too long the commit
is refused, unless it says itself, as of the rule `policy`, that it is meant. A hub on which nothing is in
force has nothing to judge by.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import Counter

from gitops_ocm.api.fleet import MAX_PROBLEMS
from gitops_ocm.api.scalars import format_time
from gitops_ocm.desired.layout import FILE_NAME
from gitops_ocm.desired.policy import OWN_RULE
from gitops_ocm.errors import Diagnostic, GitopsError, Location
from gitops_ocm.git.errors import Interrupted
from gitops_ocm.objects.ref import Object
from gitops_ocm.preview.model import Ruling, Verdict
from gitops_ocm.preview.policy.overrides import Override
from gitops_ocm.runtime.metrics import REGISTRY
from gitops_ocm.sync.source import Checked
from gitops_ocm.sync.spec import SyncSpec
from gitops_ocm.sync.status import LONGEST_MESSAGE
from gitops_ocm.sync.status import Verdict as PassVerdict

POLICY_RULINGS = Counter(
    "gitops_ocm_policy_rulings", "Rulings of repositories' policies on merged commits",
    ("sync", "rule", "verdict"), registry=REGISTRY,
)  # fmt: skip
LOOK_AGAIN = timedelta(minutes=10)
"""A refusal is judged anew after this, for the fleet may have changed."""
LIMIT = 60.0
"""Seconds that judging may take."""
REFUSED, FROZEN = "RefusedByPolicy", "FrozenByPolicy"

Judge = Callable[[Checked, Checked, SyncSpec, datetime, float], Awaitable[tuple[Ruling, ...]]]
"""What the policy of the first says of the second; the last is how many seconds that may take."""
Meaning = Callable[[str, SyncSpec], Awaitable[Checked | None]]
Word = Callable[[str, SyncSpec], Awaitable[Override | None]]
"""What a commit itself says of its not being judged."""


@dataclass(frozen=True)
class Judged:
    """What the policy says of a commit: `record` is for the HubSync (None: there is no policy)."""

    record: Mapping[str, Any] | None = None
    trouble: PassVerdict | None = None
    problems: tuple[Diagnostic, ...] = ()
    until: datetime | None = None


class Gate:
    """Judges the commits of one HubSync; a refusal is remembered."""

    def __init__(self, judge: Judge, meaning: Meaning, word: Word, now: Callable[[], datetime]) -> None:
        self._judge = judge
        self._meaning = meaning
        self._word = word
        self._now = now
        self._refused: tuple[tuple[str, ...], Judged] | None = None

    async def judged(self, head: Checked, spec: SyncSpec, status: Mapping[str, Any]) -> Judged:
        """Whether a good commit may come in force where `status` is the HubSync's."""
        base, commit = str(status.get("lastAppliedCommit") or ""), head.state.commit
        held: Mapping[str, Any] = status.get("policy") or {}
        allowed = Judged(_record(commit, len(head.state.layout.policy.rules)))
        if base in ("", commit) or not held.get("rulesInForce"):
            known = held.get("commit") == commit and held.get("allowed")
            return Judged(held) if known and held.get("rulings") else allowed
        if held.get("commit") == commit and held.get("allowed"):
            return Judged(held)
        key = (base, commit, spec.path, spec.requested_at, str(spec.generation))
        if (
            self._refused
            and self._refused[0] == key
            and self._now() < (self._refused[1].until or self._now())
        ):
            return self._refused[1]
        found = await self._asked(base, head, spec)
        self._refused = (key, found) if found.trouble is not None else None
        return found

    async def _asked(self, base: str, head: Checked, spec: SyncSpec) -> Judged:
        now, before = self._now(), await self._meaning(base, spec)
        rules = len(before.state.layout.policy.rules) if before else 1
        if before is None or before.errors:
            why = f"commit {base[:12]}, which is in force, cannot be read: its policy is not known"
            rulings: tuple[Ruling, ...] = (await self._unjudged(why, head, spec),)
        else:
            try:
                rulings = await self._judge(before, head, spec, now, min(LIMIT, spec.timeout / 2))
            except Interrupted:
                raise
            except GitopsError as error:
                why = f"the commit could not be judged: {error.message}"
                rulings = (await self._unjudged(why, head, spec),)
        for ruling in rulings:
            POLICY_RULINGS.labels(spec.name, ruling.rule, ruling.verdict.value).inc()
        return _told(rulings, head, rules, base, now)

    async def _unjudged(self, why: str, head: Checked, spec: SyncSpec) -> Ruling:
        where = Location(FILE_NAME, 0, head.state.commit)
        word = await self._word(head.state.commit, spec)
        if word is None:
            return Ruling(OWN_RULE, Verdict.REFUSED, why, where)
        return Ruling(OWN_RULE, Verdict.OVERRIDDEN, why, where, word.reason, word.commit)


def _told(rulings: tuple[Ruling, ...], head: Checked, rules: int, base: str, now: datetime) -> Judged:
    """The rulings as the sync needs them."""
    commit = head.state.commit
    refusing = [ruling for ruling in rulings if ruling.verdict is Verdict.REFUSED]
    notable = [_entry(ruling) for ruling in rulings if ruling.verdict is not Verdict.ALLOWED]
    if not refusing:
        return Judged(_record(commit, len(head.state.layout.policy.rules), notable))
    ends = [ruling.until for ruling in refusing if ruling.until is not None]
    frozen = max(ends) if len(ends) == len(refusing) else None
    record = _record(commit, rules, notable, allowed=False, until=frozen)
    problems = tuple(
        Diagnostic("policy-refuses", f"rule {r.rule!r}: {r.message}", r.where, hint=_hint(r))
        for r in refusing
    )
    end = f" until {format_time(frozen)}" if frozen else ""
    text = f"commit {commit[:12]} is refused by the policy{end}; {base[:12]} stays in force"
    reason = FROZEN if frozen else REFUSED
    trouble = PassVerdict(
        False, reason, text, reconciling=bool(frozen), stalled=not frozen, detail=f"first: {problems[0]}"
    )
    again = min([now + LOOK_AGAIN, *ends])
    return Judged(record, trouble, problems, again)


def _hint(ruling: Ruling) -> str:
    if ruling.until is not None:
        return "it goes on by itself then"
    return f"revert it, or commit a trailer that says why it is meant: Gitops-Override: {ruling.rule}: REASON"


def _record(
    commit: str,
    rules: int,
    notable: list[Object] | None = None,
    *,
    allowed: bool = True,
    until: datetime | None = None,
) -> Mapping[str, Any] | None:
    """`status.policy`; None where there is no policy, and nothing to tell of one."""
    if not rules and not notable:
        return None
    found: Object = {"rulesInForce": rules, "commit": commit, "allowed": allowed}
    if until is not None:
        found["until"] = format_time(until)
    if notable:
        found["rulings"] = notable[:MAX_PROBLEMS]
    return found


def _entry(ruling: Ruling) -> Object:
    entry = {
        "rule": ruling.rule,
        "verdict": ruling.verdict.value,
        "message": ruling.message[:LONGEST_MESSAGE],
        "path": ruling.where.path,
        "line": ruling.where.line,
        "override": ruling.override,
        "by": ruling.by,
    }
    return {key: value for key, value in entry.items() if value}

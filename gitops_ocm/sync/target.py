"""Which commit is to be in force: the newest one, or the last good one while that cannot be.

Fetching and checking; what is then done on the hub is `pull`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops_ocm.errors import Diagnostic
from gitops_ocm.git.errors import GitError
from gitops_ocm.git.refs import short
from gitops_ocm.git.source import Fetched
from gitops_ocm.preview.model import Ruling
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.sync.events import Level, Listener, Phase, SyncEvent, of_diagnostic
from gitops_ocm.sync.gate import Gate, Judged
from gitops_ocm.sync.kinds import HubKinds
from gitops_ocm.sync.source import Checked, Source
from gitops_ocm.sync.spec import SyncSpec
from gitops_ocm.sync.status import Verdict
from gitops_ocm.sync.verdicts import of_git, of_invalid


@dataclass(frozen=True)
class Target:
    """What is to be in force (None: no good commit is known), and what is wrong with the newest one.

    `judged` is what the policy says of that; None where it was not asked.
    """

    attempted: str = ""
    checked: Checked | None = None
    trouble: Verdict | None = None
    problems: tuple[Diagnostic, ...] = ()
    judged: Judged | None = None


class Targets:
    """Finds the target of each pass; what a commit means is worked out once."""

    def __init__(self, source: Source, kinds: HubKinds, listener: Listener, clock: Clock) -> None:
        self._source = source
        self._kinds = kinds
        self._listener = listener
        self._good: tuple[str, str, Checked] | None = None
        self._bad: tuple[str, str, Checked] | None = None
        self._gate = Gate(self._rulings, self._before, source.word, clock.now)

    async def find(self, spec: SyncSpec, status: Mapping[str, Any]) -> Target:
        """Fetch and check; `status` is the HubSync's, for what was in force before this process began."""
        try:
            # The hub and the repository are asked side by side: a start waits for the slower of both.
            fetched = await self._fetched(spec)
            checked = await self._check(fetched.new, spec)
        except GitError as error:
            problem = error.diagnostic()
            self._listener(of_diagnostic(Phase.FETCH, problem))
            attempted, kept = (
                str(status.get("lastAttemptedCommit") or ""),
                await self._last_good(spec, status),
            )
            return Target(attempted, kept, of_git(error, kept=kept is not None), (problem,))
        commit = fetched.new
        if fetched.forced:
            text = f"{short(spec.ref)} was rewritten: {fetched.old[:12]} is not part of {commit[:12]}"
            self._listener(SyncEvent(Phase.FETCH, text, Level.WARNING))
        if not checked.errors:
            judged = await self._gate.judged(checked, spec, status)
            if judged.trouble is None:
                self._good = (commit, spec.path, checked)
                return Target(commit, checked, judged=judged)
            self._bad = (commit, spec.path, checked)
            for problem in judged.problems:
                self._listener(of_diagnostic(Phase.CHECK, problem))
            in_force = await self._last_good(spec, status)
            return Target(commit, in_force, judged.trouble, judged.problems, judged)
        kept = await self._last_good(spec, status)
        verdict = of_invalid(commit, checked.errors, kept=kept.state.commit if kept else "")
        return Target(commit, kept, verdict, checked.errors)

    async def _fetched(self, spec: SyncSpec) -> Fetched:
        fetching = asyncio.create_task(self._source.fetch(spec), name="fetch")
        try:
            await self._kinds.catalog()
            return await fetching
        finally:
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)

    async def _check(self, commit: str, spec: SyncSpec) -> Checked:
        """The commit's meaning, made once: the answer for the last good and the last bad one is kept."""
        for known in (self._good, self._bad):
            if known is not None and known[:2] == (commit, spec.path) and not await self._outdated(known[2]):
                return known[2]
        checked = await self._source.check(commit, spec, await self._kinds.catalog())
        if await self._outdated(checked):
            checked = await self._source.check(commit, spec, await self._kinds.catalog())
        for problem in (*checked.errors, *checked.warnings):
            self._listener(of_diagnostic(Phase.CHECK, problem))
        if checked.errors:
            self._bad = (commit, spec.path, checked)
        return checked

    async def _outdated(self, checked: Checked) -> bool:
        """Whether a commit was refused for kinds that the hub may serve by now."""
        return any(d.code == "unknown-kind" for d in checked.errors) and await self._kinds.refresh()

    async def _last_good(self, spec: SyncSpec, status: Mapping[str, Any]) -> Checked | None:
        """The commit that stays in force; after a restart it is read again, if it is still there."""
        commit = str(status.get("lastAppliedCommit") or "")
        if self._good is None and commit:
            checked = await self.meaning(commit, spec)
            if checked is not None and not checked.errors:
                self._good = (commit, spec.path, checked)
        return self._good[2] if self._good else None

    async def _before(self, commit: str, spec: SyncSpec) -> Checked | None:
        """What the commit in force means; None where the repository does not have it any more."""
        if self._good is not None and self._good[:2] == (commit, spec.path):
            return self._good[2]
        return await self.meaning(commit, spec)

    async def _rulings(
        self, base: Checked, head: Checked, spec: SyncSpec, now: datetime, seconds: float
    ) -> tuple[Ruling, ...]:
        catalog = self._kinds.known
        return await self._source.rulings(base, head, spec, catalog=catalog, now=now, seconds=seconds)

    async def meaning(self, commit: str, spec: SyncSpec) -> Checked | None:
        """What an earlier commit means; None where the repository does not have it any more."""
        try:
            return await self._source.check(commit, spec, await self._kinds.catalog())
        except GitError:
            return None

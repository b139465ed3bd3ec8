"""What became of commits: the fleet's history, from the repository and its status branch alone.

    for entry in history(Path("fleet"), limit=10).entries: ...

Each commit that the sync brought in force, or did not, newest first: what it changed, on which clusters, and
when they all had it. `history_events` tells what befell one cluster or object. No hub is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.layout import FILE_NAME
from gitops_ocm.desired.selection import IGNORE_FILE
from gitops_ocm.desired.tree import Tree, memory_tree
from gitops_ocm.errors import GitopsError
from gitops_ocm.git.clone import Authored, Clone, Told
from gitops_ocm.git.errors import RefNotFound
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.plan.wanted import Wanted
from gitops_ocm.runtime.catalog import committed_kinds
from gitops_ocm.runtime.memory import uncollected
from gitops_ocm.verbs.history_fleet import Reach, Versions, Works, reach

SYNC_FILE = "sync.yaml"
REFUSALS = ("InvalidCommit", "RefusedByPolicy", "FrozenByPolicy")
"""Reasons of a HubSync that say no to a commit."""
PARTIAL = ("ApplyFailed", "OwnedByAnotherSync", "WaitingForDependency", "PruneGuarded", "TimedOut")
"""Reasons that say that a commit came in force but for some of it; any other is a sync that failed."""


class NoHistory(GitopsError):
    """There is no status branch, which would tell what came of commits."""

    code = "no-history"


class Outcome(StrEnum):
    """What came of a commit."""

    IN_FORCE = "in force"
    PARTLY = "partly"
    """Some of its objects wait, or could not be written; all others are as it says."""
    REFUSED = "refused"
    FAILED = "failed"


class Changed(NamedTuple):
    """The objects that a commit made, changed and took away."""

    created: tuple[Ref, ...] = ()
    changed: tuple[Ref, ...] = ()
    deleted: tuple[Ref, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.created or self.changed or self.deleted)


NOTHING = Changed()


@dataclass(frozen=True)
class Overridden:
    """A rule of the policy that a commit was let past: by which commit, for which reason."""

    rule: str
    reason: str
    by: str


@dataclass(frozen=True)
class Entry:
    """What came of one commit, `at` the moment the status branch first told of it.

    `authored` is None where the commit is not here any more. `also` are commits that came with it, `problems`
    what kept it out of force, `before` the commit that was in force until then, or that stayed so, `back_to`
    an earlier one with the same files.
    """

    commit: str
    outcome: Outcome
    at: datetime
    told: str
    authored: Authored | None = None
    also: tuple[Authored, ...] = ()
    objects: Changed = NOTHING
    reach: Reach | None = None
    why: str = ""
    problems: tuple[str, ...] = ()
    before: str = ""
    overridden: tuple[Overridden, ...] = ()
    back_to: str = ""


class History(NamedTuple):
    """Entries, newest first, whether there are older ones, and whether the clone lacks what is older."""

    entries: tuple[Entry, ...]
    more: bool
    cut: bool = False


def history(
    folder: Path, *, path: str = ".", status_ref: str = "status", limit: int, since: datetime | None = None
) -> History:
    """The newest commits that the sync tried, those before `since` left out."""
    clone = Clone.at(folder)
    try:
        tip = status_tip(clone, status_ref)
        with uncollected():
            found, more = attempts(clone, tip, limit=limit, since=since)
            return History(tuple(_completed(clone, tip, found, path)), more, clone.is_shallow)
    finally:
        clone.close()


def status_tip(clone: Clone, status_ref: str) -> str:
    """The status branch's commit; raises `NoHistory` where there is none."""
    try:
        return clone.newest(status_ref)
    except RefNotFound:
        raise NoHistory(
            f"{clone.root} has no {status_ref} that would tell of the fleet",
            hint=f"git fetch origin {status_ref}:{status_ref}; or name the branch that the sync writes",
        ) from None


def attempts(
    clone: Clone, tip: str, *, limit: int, since: datetime | None = None
) -> tuple[list[Entry], bool]:
    """What came of which commit, as the sync's own file tells, newest first; whether there was more."""
    versions, entries = Versions(clone, tip), list[Entry]()
    told = [one for one in clone.reported(tip, SYNC_FILE) if one.files[0].after]
    # An entry is a version of the file that tells of another attempt than the version before it.
    for one in told:
        at = datetime.fromtimestamp(one.seconds, UTC)
        if since is not None and at < since:
            return entries, True
        status = _status(versions.read(one.files[0].after))
        older = _status(versions.read(one.files[0].before))
        entry = _entry(status, older, at, one.commit)
        if entry is not None:
            if len(entries) == limit:
                return entries, True
            entries.append(entry)
    return entries, False


def _status(told: Object | None) -> Mapping[str, Any]:
    return (told or {}).get("status") or {}


def _entry(status: Mapping[str, Any], older: Mapping[str, Any], at: datetime, told: str) -> Entry | None:
    """What a version of the sync's file tells that the one before it did not."""
    applied, tried = str(status.get("lastAppliedCommit") or ""), str(status.get("lastAttemptedCommit") or "")
    ready = conditions.find(status.get("conditions"), "Ready") or {}
    before = conditions.find(older.get("conditions"), "Ready") or {}
    reason = str(ready.get("reason") or "")
    why = "" if ready.get("status") != "False" else str(ready.get("message") or reason)
    if applied and applied != older.get("lastAppliedCommit"):
        was = str(older.get("lastAppliedCommit") or "")
        passed = _overridden(status, applied)
        return Entry(applied, Outcome.IN_FORCE, at, told, why=why, before=was, overridden=passed)
    if not tried or not why or (tried, reason) == (older.get("lastAttemptedCommit"), before.get("reason")):
        return None
    outcome = Outcome.REFUSED if reason in REFUSALS else Outcome.FAILED
    outcome = Outcome.PARTLY if reason in PARTIAL else outcome
    problems = tuple(_problem(problem) for problem in status.get("problems") or ())
    return Entry(tried, outcome, at, told, why=why, problems=problems, before=applied)


def _problem(told: Mapping[str, Any]) -> str:
    line = f":{told['line']}" if told.get("line") else ""
    place = f"{told['path']}{line}: " if told.get("path") else ""
    return f"{place}{told.get('message', '')}"


def _overridden(status: Mapping[str, Any], commit: str) -> tuple[Overridden, ...]:
    policy = status.get("policy") or {}
    if policy.get("commit") != commit:
        return ()
    return tuple(
        Overridden(str(one.get("rule", "")), str(one.get("override", "")), str(one.get("by", "")))
        for one in policy.get("rulings") or ()
        if one.get("verdict") == "overridden"
    )


def _completed(clone: Clone, tip: str, found: Sequence[Entry], path: str) -> Iterator[Entry]:
    """The entries with what the repository has to say, and what the status branch told after them."""
    files = {one.commit: clone.files_of(one.commit) for one in found if one.outcome is Outcome.IN_FORCE}
    until, works, told = tip, Works(), clone.told(tip)
    for place, entry in enumerate(found):
        authored = next(iter(clone.authored(entry.commit, most=1)), None)
        entry = replace(entry, authored=authored)
        if entry.outcome not in (Outcome.IN_FORCE, Outcome.PARTLY):
            yield entry
            continue
        begun = _before(told, entry, found[place + 1].told if place + 1 < len(found) else "")
        earlier = found[place + 1 :]
        partly = bool(earlier) and earlier[0].outcome is Outcome.PARTLY
        before = earlier[0].commit if partly else entry.before
        known = authored is not None and (not before or bool(clone.files_of(before)))
        also = clone.authored(f"{before}..{entry.commit}")[1:] if before and known else ()
        same = (one.commit for one in earlier if one.commit != before and files.get(one.commit))
        yield replace(
            entry,
            also=also,
            objects=changed_objects(clone, before, entry.commit, path) if known else NOTHING,
            reach=reach(clone, begun, until, works),
            back_to=next((one for one in same if files[one] == files[entry.commit]), ""),
        )
        until = begun


def _before(told: Sequence[Told], entry: Entry, earlier: str) -> str:
    """The last report before a commit's works could change, `""` for the first.

    A commit in force is told of before its works are. Of one that is partly so the sync tells when it is done
    waiting: then its works may have been told of since it was made.
    """
    places = {one.commit: place for place, one in enumerate(told)}
    last = places[entry.told]
    first = last
    if entry.outcome is Outcome.PARTLY and entry.authored is not None:
        made, since = entry.authored.at.timestamp(), places.get(earlier, 0) + 1
        first = next((place for place in range(since, last) if told[place].seconds >= made), last)
    return told[first - 1].commit if first else ""


def changed_objects(clone: Clone, before: str, after: str, path: str) -> Changed:
    """What differs between the objects of two commits; only the files that differ are read."""
    was, now = declared(clone, before, after, path), declared(clone, after, before, path)
    return Changed(
        tuple(sorted(now.keys() - was.keys())),
        tuple(sorted(ref for ref in now.keys() & was.keys() if now[ref].digest != was[ref].digest)),
        tuple(sorted(was.keys() - now.keys())),
    )


def declared(clone: Clone, commit: str, other: str, path: str) -> Mapping[Ref, Wanted]:
    """The objects of a commit that are in files which another has not, or not so."""
    if not clone.files_of(commit):
        return {}
    tree = clone.tree_at(commit)
    if clone.files_of(other):
        differ = clone.changed_paths(commit, other)
        rules = (FILE_NAME, IGNORE_FILE)
        if not any(name.endswith(rules) for name in differ):
            kept = {p: e for p, e in tree.entries.items() if p in differ or p.endswith(rules)}
            tree = Tree(tree.commit, kept, tree.reader)
    wanted = compile_tree(tree if tree.entries else memory_tree({}), committed_kinds(), path=path).objects
    return {one.ref: one for one in wanted}

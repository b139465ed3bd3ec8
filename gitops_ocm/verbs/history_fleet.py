"""How far a commit reached: the clusters whose works it changed, and when they all had it.

Read off the status branch: a work's file has the digest of its spec, and the generation its agent speaks of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from gitops_ocm.api.fleet import SPEC_ANNOTATION
from gitops_ocm.desired.documents import parse
from gitops_ocm.desired.tree import Tree
from gitops_ocm.git.clone import Clone
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object
from gitops_ocm.report.status_files import WORK, cluster_of, ref_at
from gitops_ocm.report.trimmed import observed_generation


@dataclass(frozen=True)
class Reach:
    """Clusters whose works changed, of `fleet` clusters (those that left with theirs count, too); `done` when
    all had applied them, None if not (yet).

    `failing` are those that could not apply them, or where they do not run; `waiting` have not answered yet.
    """

    clusters: tuple[str, ...]
    fleet: int
    done: datetime | None = None
    failing: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class Versions:
    """Files of a status branch by blob, each read once."""

    def __init__(self, clone: Clone, commit: str) -> None:
        self.tree = clone.tree_at(commit)
        self._known: dict[str, Object | None] = {"": None}

    def read(self, blob: str) -> Object | None:
        """The object a file tells of; None for no file, or one that cannot be read."""
        self.fetch([blob])
        return self._known[blob]

    def fetch(self, blobs: Iterable[str]) -> None:
        """Have many at hand at the price of one."""
        self._known.update(_read(self.tree, {blob for blob in blobs if blob not in self._known}))


class Work(NamedTuple):
    """What a work's file says that counts here: a few words of each, for there may be very many."""

    spec: str
    generation: int
    applied: bool
    fails: bool


class Works:
    """Works' files by blob, each read once, however many commits are looked at."""

    def __init__(self) -> None:
        self._known: dict[str, Work | None] = {"": None}

    def fetch(self, tree: Tree, blobs: Iterable[str]) -> None:
        """Read those that are not known yet."""
        missing = {blob for blob in blobs if blob not in self._known}
        for blob, obj in _read(tree, missing):
            self._known[blob] = None if obj is None else _work(obj)

    def of(self, tree: Tree, blob: str) -> Work | None:
        """What a file says; None where there is none."""
        self.fetch(tree, [blob])
        return self._known[blob]


def _read(tree: Tree, blobs: Iterable[str]) -> Iterator[tuple[str, Object | None]]:
    for blob, data in tree.read_blobs(sorted(blobs)):
        documents = parse(data).documents
        yield blob, documents[0].value if documents else None


def _work(obj: Object) -> Work:
    notes = (obj.get("metadata") or {}).get("annotations") or {}
    told = (obj.get("status") or {}).get("conditions")
    unavailable = _false(told, "Available")
    return Work(
        str(notes.get(SPEC_ANNOTATION) or ""),
        observed_generation(obj),
        conditions.is_true(obj, "Applied") and not unavailable,
        _false(told, "Applied") or unavailable or conditions.is_true(obj, "Degraded"),
    )


def _false(told: Iterable[Mapping[str, object]] | None, condition: str) -> bool:
    found = conditions.find(told, condition)
    return found is not None and found.get("status") == "False"


class _Version(NamedTuple):
    """A file as a commit of the status branch left it."""

    seconds: int
    blob: str


class _Change(NamedTuple):
    """A work's file before, and its versions since, newest first."""

    before: str
    since: list[_Version]


def reach(clone: Clone, before: str, last: str, works: Works) -> Reach:
    """What changed on clusters after a commit of the status branch (`""`: from the start), up to another."""
    tree = clone.tree_at(last)
    told: dict[str, _Change] = {}
    for one in clone.reported(last, "clusters", since=before):
        for file in one.files:
            if (ref := ref_at(file.path)) is not None and ref.of == WORK:
                known = told.get(file.path, _Change("", []))
                known.since.append(_Version(one.seconds, file.after))
                told[file.path] = _Change(file.before, known.since)
    works.fetch(tree, (blob for change in told.values() for blob in (change.before, change.since[0].blob)))
    changed = {path: change for path, change in sorted(told.items()) if _differs(tree, works, change)}
    # Of nearly all the version before the last one is asked for, too.
    works.fetch(tree, (version.blob for change in changed.values() for version in change.since[1:2]))
    there = {cluster_of(path) for path in tree.entries if path.endswith("/cluster.yaml")}
    fleet = len(there.union(map(cluster_of, changed)))
    return _summed_up(tree, works, changed, fleet)


def _differs(tree: Tree, works: Works, change: _Change) -> bool:
    was, now = works.of(tree, change.before), works.of(tree, change.since[0].blob)
    return (was and was.spec) != (now and now.spec)


def _summed_up(tree: Tree, works: Works, changed: Mapping[str, _Change], fleet: int) -> Reach:
    since: list[int] = []
    failing, waiting = set(), set()
    for path, change in changed.items():
        had, newest = works.of(tree, change.before), works.of(tree, change.since[0].blob)
        if newest is None or _has(newest, newest, had):
            since.append(_since(tree, works, change, had))
        elif newest.fails:
            failing.add(cluster_of(path))
        else:
            waiting.add(cluster_of(path))
    clusters = tuple(sorted({cluster_of(path) for path in changed}))
    done = datetime.fromtimestamp(max(since), UTC) if since and not failing | waiting else None
    return Reach(clusters, fleet, done, tuple(sorted(failing)), tuple(sorted(waiting - failing)))


def _since(tree: Tree, works: Works, change: _Change, had: Work | None) -> int:
    """Since when a work is as it is in the end."""
    newest, seconds = works.of(tree, change.since[0].blob), change.since[0].seconds
    for version in change.since[1:]:
        work = works.of(tree, version.blob)
        if (newest is None) != (work is None) or (newest and work and not _has(work, newest, had)):
            break
        seconds = version.seconds
    return seconds


def _has(work: Work, wanted: Work, had: Work | None) -> bool:
    """Whether a cluster has applied the wanted spec, and it is available."""
    if work.spec != wanted.spec:
        return False
    if had is not None and had.spec != wanted.spec and work.generation <= had.generation:
        return False
    return work.applied

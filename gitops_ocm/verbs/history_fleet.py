"""How far a commit reached: the clusters whose works it changed, and when they all had it.

Read off the status branch: a work's file has the digest of its spec, and the generation its agent speaks of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from gitops_ocm.api.fleet import SPEC_ANNOTATION
from gitops_ocm.desired.documents import parse
from gitops_ocm.git.clone import Clone
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object
from gitops_ocm.report.status_files import WORK, cluster_of, ref_at
from gitops_ocm.report.trimmed import observed_generation

_CHUNK = 500


@dataclass(frozen=True)
class Reach:
    """Clusters whose works changed, of `fleet` clusters; `done` when all had applied them, None if not (yet).

    `failing` are those that could not apply them, or where they do not run; `waiting` have not answered yet.
    """

    clusters: tuple[str, ...]
    fleet: int
    done: datetime | None = None
    failing: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class Versions:
    """Files of a status branch by blob, each parsed once."""

    def __init__(self, clone: Clone, commit: str) -> None:
        self.tree = clone.tree_at(commit)
        self._known: dict[str, Object | None] = {"": None}

    def read(self, blob: str) -> Object | None:
        """The object a file tells of; None for no file, or one that cannot be read."""
        self.fetch([blob])
        return self._known[blob]

    def fetch(self, blobs: Iterable[str]) -> None:
        """Have many at hand at the price of one."""
        missing = sorted({blob for blob in blobs if blob not in self._known})
        for start in range(0, len(missing), _CHUNK):
            for blob, data in self.tree.read_blobs(missing[start : start + _CHUNK]):
                documents = parse(data).documents
                self._known[blob] = documents[0].value if documents else None


class _Version(NamedTuple):
    """A file as a commit of the status branch left it."""

    seconds: int
    blob: str


def reach(clone: Clone, before: str, last: str) -> Reach:
    """What changed on clusters after a commit of the status branch (`""`: from the start), up to another."""
    reported = clone.reported(last, "clusters", since=before)
    versions = Versions(clone, last)
    told: dict[str, list[_Version]] = defaultdict(list)
    was: dict[str, str] = {}
    for one in reported:
        for file in one.files:
            told[file.path].append(_Version(one.seconds, file.after))
            was[file.path] = file.before
    works = {path for path in told if (ref := ref_at(path)) is not None and ref.of == WORK}
    versions.fetch(blob for path in works for blob in (was[path], told[path][0].blob))
    changed = {path for path in works if _differs(versions, was[path], told[path][0].blob)}
    fleet = sum(path.endswith("/cluster.yaml") for path in versions.tree.entries)
    return _summed_up(versions, {path: (was[path], told[path]) for path in sorted(changed)}, fleet)


def _summed_up(
    versions: Versions, changed: Mapping[str, tuple[str, Sequence[_Version]]], fleet: int
) -> Reach:
    since: list[int] = []
    failing, waiting = set(), set()
    for path, (was, told) in changed.items():
        had = versions.read(was)
        newest = versions.read(told[0].blob)
        if newest is None or _has(newest, newest, had):
            since.append(_since(versions, told, had))
        elif _fails(newest):
            failing.add(cluster_of(path))
        else:
            waiting.add(cluster_of(path))
    clusters = tuple(sorted({cluster_of(path) for path in changed}))
    open_ = bool(failing or waiting)
    done = datetime.fromtimestamp(max(since), UTC) if since and not open_ else None
    return Reach(clusters, fleet, done, tuple(sorted(failing)), tuple(sorted(waiting - failing)))


def _since(versions: Versions, told: Sequence[_Version], had: Object | None) -> int:
    """Since when a work is as it is in the end."""
    newest, seconds = versions.read(told[0].blob), told[0].seconds
    for version in told[1:]:
        obj = versions.read(version.blob)
        if (newest is None) != (obj is None) or (newest and obj and not _has(obj, newest, had)):
            break
        seconds = version.seconds
    return seconds


def _spec(work: Object | None) -> str:
    notes = ((work or {}).get("metadata") or {}).get("annotations") or {}
    return str(notes.get(SPEC_ANNOTATION) or "")


def _differs(versions: Versions, before: str, after: str) -> bool:
    was, now = versions.read(before), versions.read(after)
    return (was is None) != (now is None) or _spec(was) != _spec(now)


def _has(work: Object, wanted: Object, had: Object | None) -> bool:
    """Whether a cluster has applied the wanted spec, and it is available."""
    if _spec(work) != _spec(wanted):
        return False
    if (
        had is not None
        and _spec(had) != _spec(wanted)
        and observed_generation(work) <= observed_generation(had)
    ):
        return False
    told = (work.get("status") or {}).get("conditions")
    return conditions.is_true(work, "Applied") and not _false(told, "Available")


def _fails(work: Object) -> bool:
    told = (work.get("status") or {}).get("conditions")
    return _false(told, "Applied") or _false(told, "Available") or conditions.is_true(work, "Degraded")


def _false(told: Iterable[Mapping[str, object]] | None, type: str) -> bool:
    found = conditions.find(told, type)
    return found is not None and found.get("status") == "False"

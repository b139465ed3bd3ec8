"""What befell one cluster, or one object: changes of its files on the status branch, and of Git's word on it.

    for event in cluster_events(clone, tip, "cluster7"): ...

Newest first. What a change of a file says to a person is told, not that a file changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from gitops_ocm.api.fleet import SPEC_ANNOTATION
from gitops_ocm.api.work_replicaset import REPLICA_SET_LABEL
from gitops_ocm.errors import GitopsError
from gitops_ocm.git.clone import Clone, FileChange, Reported
from gitops_ocm.objects.diff import ABSENT, Difference
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.objects.reviewed import reviewed
from gitops_ocm.plan.wanted import Wanted
from gitops_ocm.report.status_files import ADDON, CLUSTER, DECISION, PLACEMENT, SYNC, WORK, ref_at
from gitops_ocm.verbs.history import Outcome, attempts, declared
from gitops_ocm.verbs.history_fleet import Versions

_BAD_IF_TRUE = ("Degraded", "PlacementMisconfigured", "ManagedClusterConditionDeleting", "DeletionBlocked")
_ON_THE_WAY = ("Progressing", "PlacementRolledOut")
_MOST_COMMITS = 500
_FIELDS = 4


class Tone(StrEnum):
    """How it sounds: well, badly, or neither."""

    GOOD = "good"
    BAD = "bad"
    NEUTRAL = ""


@dataclass(frozen=True)
class Event:
    """One thing that befell `subject`, told at a moment while `source` was the commit in force."""

    at: datetime
    told: str
    source: str
    subject: str
    text: str
    tone: Tone = Tone.NEUTRAL


class UnknownSubject(GitopsError):
    """Nothing in the history is about what was asked for."""

    code = "no-such-subject"


def cluster_events(clone: Clone, tip: str, cluster: str) -> Iterator[Event]:
    """What befell a cluster: itself, its works and add-ons, and which placements chose it."""
    folder = f"clusters/{cluster}/"
    reported = clone.reported(tip, folder, "placements")
    if not any(file.path.startswith(folder) for one in reported for file in one.files):
        raise UnknownSubject(
            f"nothing was ever told of a cluster {cluster}",
            hint="git ls-tree --name-only status:clusters",
        )
    versions = Versions(clone, tip)
    for one in reported:
        versions.fetch(blob for file in one.files for blob in (file.before, file.after))
        for file in one.files:
            ref = ref_at(file.path)
            if ref is not None:
                yield from _events(one, ref, file, versions, cluster)


def _events(one: Reported, ref: Ref, file: FileChange, versions: Versions, cluster: str) -> Iterator[Event]:
    before, after = versions.read(file.before), versions.read(file.after)
    at = datetime.fromtimestamp(one.seconds, UTC)
    told = _chosen(ref, before, after, cluster) if ref.of == PLACEMENT else changes(ref, before, after)
    for text, tone in told:
        yield Event(at, one.commit, one.source, _subject(ref, after or before or {}, cluster), text, tone)


def _subject(ref: Ref, obj: Object, cluster: str) -> str:
    if ref.of == CLUSTER:
        return "cluster"
    if ref.of == WORK:
        owner = ((obj.get("metadata") or {}).get("labels") or {}).get(REPLICA_SET_LABEL)
        return f"work of {str(owner).replace('.', '/', 1)}" if owner else f"work {ref.name}"
    if ref.of == ADDON:
        return f"add-on {ref.name}"
    return f"placement {ref.namespace}/{ref.name}" if ref.of == PLACEMENT else str(ref)


Said = tuple[str, Tone]


def _chosen(ref: Ref, before: Object | None, after: Object | None, cluster: str) -> Iterator[Said]:
    was, now = (cluster in _decisions(obj) for obj in (before, after))
    if was != now:
        yield ("selects it", Tone.GOOD) if now else ("selects it no more", Tone.BAD)


def _decisions(obj: Object | None) -> frozenset[str]:
    return frozenset(((obj or {}).get("status") or {}).get("decisions") or ())


def changes(ref: Ref, before: Object | None, after: Object | None) -> Iterator[Said]:
    """What happened between two versions of an object's status file."""
    if after is None:
        yield "is gone", Tone.BAD
        return
    if before is None:
        yield "is new", Tone.GOOD
    elif _spec(before) != _spec(after):
        yield "was given new content", Tone.NEUTRAL
    elif _deleting(after) and not _deleting(before):
        yield "is being deleted", Tone.BAD
    yield from _of_cluster(before or {}, after) if ref.of == CLUSTER else ()
    yield from _of_decisions(before, after) if ref.of == PLACEMENT else ()
    yield from _conditions(before, after)


def _spec(obj: Object) -> str:
    return str(((obj.get("metadata") or {}).get("annotations") or {}).get(SPEC_ANNOTATION) or "")


def _deleting(obj: Object) -> bool:
    return bool((obj.get("metadata") or {}).get("deletionTimestamp"))


def _of_cluster(before: Object, after: Object) -> Iterator[Said]:
    """Labels, taints and version of a cluster."""
    was, now = _labels(before), _labels(after)
    for key in sorted(was.keys() | now.keys()) if before else ():
        if was.get(key) != now.get(key):
            yield f"label {key}: {was.get(key, 'none')} → {now.get(key, 'none')}", Tone.NEUTRAL
    taints, others = _taints(before), _taints(after)
    yield from ((f"tainted {taint}", Tone.BAD) for taint in sorted(others - taints))
    yield from ((f"no longer tainted {taint}", Tone.GOOD) for taint in sorted(taints - others))
    old, new = _version(before), _version(after)
    if old and new and old != new:
        yield f"Kubernetes {old} → {new}", Tone.NEUTRAL


def _labels(obj: Object) -> Mapping[str, str]:
    return (obj.get("metadata") or {}).get("labels") or {}


def _taints(obj: Object) -> frozenset[str]:
    found = (obj.get("spec") or {}).get("taints") or ()
    return frozenset(f"{one.get('key')}={one.get('value', '')}:{one.get('effect', '')}" for one in found)


def _version(obj: Object) -> str:
    return str(((obj.get("status") or {}).get("version") or {}).get("kubernetes") or "")


def _of_decisions(before: Object | None, after: Object) -> Iterator[Said]:
    was, now = _decisions(before), _decisions(after)
    if now - was:
        yield f"selects {_few(now - was)}", Tone.GOOD
    if was - now:
        yield f"no longer selects {_few(was - now)}", Tone.BAD


def _few(names: frozenset[str]) -> str:
    shown = ", ".join(sorted(names)[:_FIELDS])
    return f"{shown} and {len(names) - _FIELDS} more" if len(names) > _FIELDS else shown


def _conditions(before: Object | None, after: Object) -> Iterator[Said]:
    """Conditions that flipped, and those that are bad from the start."""
    was, now = _by_type(before), _by_type(after)
    for name, condition in now.items():
        status, old = str(condition.get("status", "")), str((was.get(name) or {}).get("status") or "")
        tone = _tone(name, status)
        if status == old or (not old and tone is not Tone.BAD):
            continue
        message = str(condition.get("message") or condition.get("reason") or "")
        came = f"{name} {old} → {status}" if old else f"{name} {status}"
        yield f"{came}: {message}" if message else came, tone


def _tone(condition: str, status: str) -> Tone:
    if condition in _ON_THE_WAY:
        return Tone.NEUTRAL
    bad = status == "True" if condition in _BAD_IF_TRUE else status != "True"
    return Tone.BAD if bad else Tone.GOOD


def _by_type(obj: Object | None) -> Mapping[str, Mapping[str, Any]]:
    found = ((obj or {}).get("status") or {}).get("conditions") or ()
    return {str(one.get("type", "")): one for one in found}


def object_events(clone: Clone, tip: str, words: str, path: str) -> Iterator[Event]:
    """What befell an object (`KIND[/NAMESPACE]/NAME`): what Git said of it, and what its own file tells."""
    kind, namespace, name = _words(words)
    found = [*_in_git(clone, tip, kind, namespace, name, path), *_on_hub(clone, tip, kind, namespace, name)]
    if not found:
        raise UnknownSubject(
            f"the history tells nothing of {words}",
            hint="write it KIND/NAMESPACE/NAME, or KIND/NAME where it is in none",
        )
    yield from sorted(found, key=lambda event: event.at, reverse=True)


def _words(words: str) -> tuple[str, str, str]:
    parts = words.split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise UnknownSubject(f"{words!r} names no object", hint="write it KIND/NAMESPACE/NAME, or KIND/NAME")
    return parts[0].lower(), parts[1] if len(parts) == 3 else "", parts[-1]


def _is(ref: Ref, kind: str, namespace: str, name: str) -> bool:
    return (ref.kind.lower(), ref.namespace, ref.name) == (kind, namespace, name)


def _on_hub(clone: Clone, tip: str, kind: str, namespace: str, name: str) -> Iterator[Event]:
    folders = {"managedcluster": f"clusters/{name}", "manifestwork": f"clusters/{namespace}"}
    folders["managedclusteraddon"] = folders["manifestwork"]
    known = ("placements", "replicasets", "addons")
    reported = clone.reported(tip, *([folders[kind]] if kind in folders else known))
    versions = Versions(clone, tip)
    for one in reported:
        for file in one.files:
            ref = ref_at(file.path)
            if ref is not None and ref.of not in (SYNC, DECISION) and _is(ref, kind, namespace, name):
                at = datetime.fromtimestamp(one.seconds, UTC)
                for text, tone in changes(ref, versions.read(file.before), versions.read(file.after)):
                    yield Event(at, one.commit, one.source, "hub", text, tone)


def _in_git(clone: Clone, tip: str, kind: str, namespace: str, name: str, path: str) -> Iterator[Event]:
    """Each commit in force that made, changed or took away the object."""
    entries, _ = attempts(clone, tip, limit=_MOST_COMMITS)
    applied = [entry for entry in entries if entry.outcome is Outcome.IN_FORCE]
    commits = [entry.commit for entry in applied]
    for entry, before in zip(applied, [*commits[1:], ""], strict=True):
        was, now = (
            next((one for ref, one in found.items() if _is(ref, kind, namespace, name)), None)
            for found in (
                declared(clone, before, entry.commit, path),
                declared(clone, entry.commit, before, path),
            )
        )
        if (was.digest if was else "") == (now.digest if now else ""):
            continue
        yield Event(entry.at, entry.told, entry.commit, "Git", _edited(was, now))


def _edited(was: Wanted | None, now: Wanted | None) -> str:
    """What a commit did to what Git says of an object."""
    if was is None or now is None:
        done, one = ("written", now) if was is None else ("removed", was)
        return f"{done} in {_place(one)}" if one is not None else done
    return f"changed in {_place(now)}: {_fields(reviewed(was.obj, now.obj))}"


def _place(one: Wanted) -> str:
    return str(replace(one.origin, commit=""))


def _fields(found: list[Difference]) -> str:
    shown = "; ".join(f"{one.path} {_value(one.before)} → {_value(one.after)}" for one in found[:_FIELDS])
    return f"{shown}; and {len(found) - _FIELDS} more" if len(found) > _FIELDS else shown


def _value(value: Any) -> str:
    text = "nothing" if value is ABSENT else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"

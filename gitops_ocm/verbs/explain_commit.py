"""`explain commit`: which commit set an object, or one field of it, to what it is.

The history of the file is walked back while the value stays the same, and on in another file where the object
was moved from. So a commit that only moves it, reformats it or changes its neighbours is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_ocm.desired.documents import parse
from gitops_ocm.errors import Location
from gitops_ocm.git.clone import Authored, Clone
from gitops_ocm.objects.diff import ABSENT
from gitops_ocm.objects.ref import Object, Ref, kind_of, ref_of
from gitops_ocm.objects.reviewed import shown as without_secrets
from gitops_ocm.plan.wanted import Wanted
from gitops_ocm.preview.origins import Side
from gitops_ocm.verbs.explain import NotExplained
from gitops_ocm.verbs.field_path import NoSuchField, follow, words_of
from gitops_ocm.verbs.fleet_at import FleetAt, Place, fleet_at

_YAML = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Set:
    """Who set a field, where it is written now, what it is and what it was (`ABSENT`: nothing)."""

    ref: Ref
    field: str
    where: Location
    commit: Authored | None
    value: Any
    before: Any
    path: str
    """Of the file, at that commit."""


def explain_commit(place: Place, kind: str, namespace: str, name: str, field: str = "") -> Set:
    """The commit that last changed a field's value, or that of a whole object."""
    with fleet_at(place) as fleet:
        wanted = named(fleet, kind, namespace, name)
        return set_by(fleet, wanted, field)


def named(fleet: FleetAt, kind: str, namespace: str, name: str) -> Wanted:
    """The desired object of a kind (`placement`, `placements`, `Placement.cluster…`) and name."""
    found = [
        item
        for item in fleet.desired.objects
        if item.ref.name == name and kind.lower() in _words(fleet, item.obj)
        if item.ref.namespace in ("", namespace)
    ]
    if not found:
        where = f" in the namespace {namespace}" if namespace else ""
        raise NotExplained(
            f"Git declares no {kind} {name}{where}",
            hint="see `gitops-ocm render -o name` for what it declares",
        )
    return found[0]


def _words(fleet: FleetAt, obj: Object) -> Iterable[str]:
    kind = kind_of(obj)
    served = fleet.catalog.resource(obj["apiVersion"], kind.kind)
    for word in (kind.kind, *((served.plural,) if served else ())):
        yield word.lower()
        yield f"{word}.{kind.group}".lower()


def set_by(fleet: FleetAt, wanted: Wanted, field: str) -> Set:
    """Who set a field of a desired object."""
    words, revision = words_of(field), fleet.place.revision or "HEAD"
    steps, value = follow(wanted.obj, words)
    if value is ABSENT:
        raise NoSuchField(
            f"{wanted.ref} has no field {field} in {wanted.origin.path}", hint="see `gitops-ocm render`"
        )
    where = Side(fleet.desired).of(wanted.ref, *steps)
    walk = _Walk(fleet.clone, wanted.ref, words)
    tip = fleet.clone.resolve(revision)
    shown, before = _hidden(wanted.obj, words), walk.value(tip, wanted.origin.path)
    if before != value:
        before = walk.shown(tip, wanted.origin.path)
        return Set(wanted.ref, field, where, None, shown, before, wanted.origin.path)
    commit, path, before = walk.back(tip, wanted.origin.path, value)
    return Set(wanted.ref, field, where, commit, shown, before, path)


def _hidden(obj: Object, words: tuple[str, ...]) -> Any:
    return follow(without_secrets(obj), words)[1]


class _Walk:
    """Looks at one field of one object at many commits."""

    def __init__(self, clone: Clone, ref: Ref, words: tuple[str, ...]) -> None:
        self._clone = clone
        self._ref = ref
        self._words = words

    def back(self, commit: str, path: str, value: Any) -> tuple[Authored, str, Any]:
        """The commit at which the value came to be, in which file, and what it was before."""
        shallowest: Authored | None = None
        for found in self._clone.history(commit, path):
            shallowest = found
            if any(self.value(parent, path) == value for parent in found.parents):
                continue
            moved = self._elsewhere(found, path)
            for parent, other in moved:
                if self.value(parent, other) == value:
                    return self.back(parent, other, value)
            sides = [*((parent, path) for parent in found.parents), *moved]
            told = (self.shown(parent, where) for parent, where in sides)
            return found, path, next((v for v in told if v is not ABSENT), ABSENT)
        if shallowest is None:
            raise NotExplained(f"no commit of {self._clone.root} has {path}")
        return shallowest, path, ABSENT

    def value(self, commit: str, path: str) -> Any:
        """The field in a file of a commit; `ABSENT` where there is none."""
        obj = self._object(commit, path)
        return ABSENT if obj is None else follow(obj, self._words)[1]

    def shown(self, commit: str, path: str) -> Any:
        """The same without what is secret."""
        obj = self._object(commit, path)
        return ABSENT if obj is None else _hidden(obj, self._words)

    def _object(self, commit: str, path: str) -> Object | None:
        tree = self._clone.tree_at(commit)
        if path not in tree.entries or not tree.entries[path].is_file:
            return None
        documents = parse(tree.read(path)).documents
        return next((d.value for d in documents if _identity(d.value) == self._ref), None)

    def _elsewhere(self, commit: Authored, path: str) -> Sequence[tuple[str, str]]:
        """Other files of the commits before, which this one changed, that had the object."""
        return [
            (parent, other)
            for parent in commit.parents
            for other in sorted(self._clone.changed_paths(parent, commit.id))
            if other != path and other.endswith(_YAML) and self._object(parent, other) is not None
        ]


def _identity(obj: Any) -> Ref | None:
    try:
        return ref_of(obj)
    except (AttributeError, TypeError):
        return None


def text(found: Set) -> str:
    """What is said of it."""
    what = f"{found.ref} {found.field}".rstrip()
    lines = [f"{what}", f"  written at  {found.where}"]
    if found.field:
        lines.append(f"  value       {_brief(found.value)}")
    if found.commit is None:
        lines.append("  set by      nobody yet: the file on disk differs from what is committed")
    else:
        lines += [
            f"  set by      {found.commit.id[:12]}  {found.commit.subject}",
            f"              {found.commit.author}, {found.commit.at:%Y-%m-%d %H:%M %z}",
        ]
        if found.path != found.where.path:
            lines.append(f"              in {found.path}, from where it was moved")
    if found.field:
        lines.append(f"  before      {_brief(found.before)}")
    return "\n".join(lines) + "\n"


def _brief(value: Any) -> str:

    if value is ABSENT:
        return "(nothing)"
    shown = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return shown if len(shown) <= 160 else f"{shown[:160]}…"


def document(found: Set) -> dict[str, Any]:
    """The same for programs."""
    commit = found.commit
    return {
        "object": {k: v for k, v in found.ref._asdict().items() if v},
        "field": found.field,
        "origin": {"path": found.where.path, "line": found.where.line},
        "value": found.value,
        **({} if found.before is ABSENT else {"before": found.before}),
        **(
            {}
            if commit is None
            else {
                "commit": {
                    "id": commit.id,
                    "author": commit.author,
                    "date": commit.at.isoformat(),
                    "subject": commit.subject,
                    "path": found.path,
                }
            }
        ),
    }

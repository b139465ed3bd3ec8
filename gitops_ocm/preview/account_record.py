"""The fleet's account as one record: for a cache, so that the next process need not read file after file.

    data = written(state)           # what `state.read_state` made of a commit; b"" where it is not to be kept
    state = read(commit, data)      # the same, None where these are not its bytes

Most works differ in their names alone, so what is said beside those is written once, and a status that reads
the same is one object afterwards: whoever looks at each work may look at each status instead. Where records
are kept is the caller's business; another build of this program may need another part of the files, so it
reads them anew.
"""

from __future__ import annotations

from datetime import datetime

import orjson

from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.preview.state import FleetState

_META, _STATUS = "metadata", "status"


def written(state: FleetState) -> bytes:
    """The account in bytes; none of one with problems: they are told with their files."""
    if state.problems:
        return b""
    statuses: dict[bytes, int] = {}
    bodies: dict[bytes, int] = {}
    try:
        rows = [
            [bodies.setdefault(_body(ref, obj, statuses), len(bodies)), ref.namespace, ref.name]
            for ref, obj in state.objects.items()
        ]
        at = state.at.isoformat() if state.at else ""
        return orjson.dumps([at, [*map(orjson.Fragment, statuses)], [*map(orjson.Fragment, bodies)], rows])
    except TypeError:  # A number that JSON has no room for.
        return b""


def _body(ref: Ref, obj: Object, statuses: dict[bytes, int]) -> bytes:
    """An object but for its own names, which are left empty, and for its status: there is its number."""
    said = statuses.setdefault(orjson.dumps(obj[_STATUS]), len(statuses)) if _STATUS in obj else -1
    meta = dict(obj[_META])
    named, placed = meta.get("name") == ref.name, meta.get("namespace") == ref.namespace
    meta |= {"name": ""} if named else {}
    meta |= {"namespace": ""} if placed else {}
    rest = {key: value for key, value in obj.items() if key != _STATUS}
    return orjson.dumps([*ref[:2], said, named, placed, {**rest, _META: meta}])


def read(commit: str, data: bytes) -> FleetState | None:
    """What `written` gave of the account of a commit."""
    try:
        at, statuses, bodies, rows = orjson.loads(data)
        objects: dict[Ref, Object] = {}
        for which, namespace, name in rows:
            group, kind, said, named, placed, body = bodies[which]
            meta = dict(body[_META])
            if named:
                meta["name"] = name
            if placed:
                meta["namespace"] = namespace
            obj = {**body, _META: meta}
            if said >= 0:
                obj[_STATUS] = statuses[said]
            objects[Ref(group, kind, namespace, name)] = obj
        return FleetState(commit, objects, (), datetime.fromisoformat(at) if at else None)
    except (ValueError, TypeError, IndexError, KeyError):
        return None

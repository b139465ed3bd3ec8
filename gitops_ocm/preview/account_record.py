"""The fleet's account as one record: for a cache, so that the next process need not read file after file.

    data = written(state)           # what `state.read_state` made of a commit; b"" where it is not to be kept
    state = read(commit, data)      # the same, None where these are not its bytes

Most works say the same of themselves, so each status is written once, and those that read the same are one
object afterwards: whoever looks at each work may look at each status instead. Where records are kept is the
caller's business; another build of this program may need another part of the files, so it reads them anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.preview.state import FleetState

_STATUS = "status"


def written(state: FleetState) -> bytes:
    """The account in bytes; none of one with problems: they are told with their files."""
    if state.problems:
        return b""
    kinds: dict[tuple[str, str], int] = {}
    statuses: dict[bytes, int] = {}
    rows: list[list[Any]] = []
    try:
        for ref, obj in state.objects.items():
            kind, said = kinds.setdefault(ref[:2], len(kinds)), -1
            if _STATUS in obj:
                said = statuses.setdefault(orjson.dumps(obj[_STATUS]), len(statuses))
            rest = {key: value for key, value in obj.items() if key != _STATUS}
            rows.append([kind, ref.namespace, ref.name, said, rest])
        at = state.at.isoformat() if state.at else ""
        return orjson.dumps([at, list(kinds), [orjson.Fragment(status) for status in statuses], rows])
    except TypeError:  # A number that JSON has no room for.
        return b""


def read(commit: str, data: bytes) -> FleetState | None:
    """What `written` gave of the account of a commit."""
    try:
        at, kinds, statuses, rows = orjson.loads(data)
        objects: dict[Ref, Object] = {}
        for which, namespace, name, said, obj in rows:
            if said >= 0:
                obj[_STATUS] = statuses[said]
            group, kind = kinds[which]
            objects[Ref(group, kind, namespace, name)] = obj
        return FleetState(commit, objects, (), datetime.fromisoformat(at) if at else None)
    except (ValueError, TypeError, IndexError):
        return None

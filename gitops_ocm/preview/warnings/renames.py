"""Objects that look renamed: a hub deletes them and makes others, and with them what they stand for. And
files that were renamed to where the sync does not look.

Told of kinds on which something on clusters hangs; `objects` finds out what looks like a rename.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ocm.decide.kinds import (
    CLUSTER_SET,
    MANAGED_CLUSTER,
    MANAGEMENT_ADDON,
    MANIFEST_WORK,
    PLACEMENT,
    REPLICA_SET,
)
from gitops_ocm.errors import Diagnostic, Location
from gitops_ocm.preview.model import Act
from gitops_ocm.preview.objects import RENAMED
from gitops_ocm.preview.warnings.case import Case, few, many, warning

_THEN = {
    MANAGED_CLUSTER: "what it was given is deleted there, and under the new name it has to join anew",
    MANAGEMENT_ADDON: "the add-on is taken off its clusters, and another one is installed",
    MANIFEST_WORK: "what it put on the cluster is deleted, and made again",
    REPLICA_SET: "what it put on its clusters is deleted, and made again",
    PLACEMENT: "who names it by the old name finds nothing",
    CLUSTER_SET: "clusters and bindings that name it by the old name are in no set",
}


def renames(case: Case) -> Iterator[Diagnostic]:
    """All of them."""
    yield from _out_of_sight(case)
    for ref, effect in case.changed.items():
        if effect.act is Act.DELETE and ref.of in _THEN and effect.why.startswith(RENAMED):
            yield warning(
                "rename-deletes",
                f"it {effect.why}",
                effect.origin,
                ref,
                note=_THEN[ref.of],
                hint="keep metadata.name as it was; the file may be called anything",
            )


def _out_of_sight(case: Case) -> Iterator[Diagnostic]:
    """Files whose objects go, though they are still there: in a folder that is not synced."""
    base, head = case.origins.base, case.origins.head
    gone = [e for e in case.preview.effects if e.act in (Act.DELETE, Act.KEEP) and e.origin.path]
    moved: dict[str, str] = {}
    for path in dict.fromkeys(effect.origin.path for effect in gone):
        to = head.unread.get(base.blob(path), "")
        if to and not head.blob(path):
            moved[to] = path
    if not moved:
        return
    lost = [effect for effect in gone if effect.origin.path in moved.values()]
    one = next(iter(moved))
    what = f"{few([f'{was} is {to}' for to, was in moved.items()], 3)} now, where the sync does not look"
    yield warning(
        "moved-out-of-sync",
        what,
        Location(one, 1, head.commit),
        note=f"what is declared there is no longer wanted: {many(len(lost), 'object')}",
        hint="name the new folder under sync.paths in gitops-ocm.yaml, or move the files back",
    )

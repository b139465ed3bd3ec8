"""Objects that look renamed: a hub deletes them and makes others, and with them what they stand for.

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
from gitops_ocm.errors import Diagnostic
from gitops_ocm.preview.model import Act
from gitops_ocm.preview.objects import RENAMED
from gitops_ocm.preview.warnings.case import Case, warning

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

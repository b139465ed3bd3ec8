"""What a reviewer would want to be told of a change before it is merged, beyond what changes.

    preview = replace(preview, diagnostics=(*preview.diagnostics, *warnings_of(change)))

Each check is a function from `case.Case` to diagnostics of severity warning: with a stable code, the line in
Git that is the cause, and what to do. They tell what this change brings or touches, never what was so before;
each module says where it draws that line. Nothing is decided here: how placements, rollouts and add-ons come
out was asked of the functions that decide on a hub, before the change and after it. What stops a commit is
`desired`'s, what the repository's own rules say of it `policy`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gitops_ocm.errors import Diagnostic
from gitops_ocm.preview.warnings.account import account, guarded, refused
from gitops_ocm.preview.warnings.addons import addons
from gitops_ocm.preview.warnings.case import Case
from gitops_ocm.preview.warnings.cluster_sets import cluster_sets
from gitops_ocm.preview.warnings.clusters import clusters
from gitops_ocm.preview.warnings.groups import groups
from gitops_ocm.preview.warnings.manifests import manifests
from gitops_ocm.preview.warnings.placements import placements
from gitops_ocm.preview.warnings.renames import renames
from gitops_ocm.preview.warnings.rollouts import rollouts

CHECKS: tuple[Callable[[Case], Iterator[Diagnostic]], ...] = (
    guarded,
    clusters,
    renames,
    manifests,
    cluster_sets,
    placements,
    groups,
    addons,
    rollouts,
    account,
    refused,
)
"""In the order in which they are told: what is lost first, what may be otherwise last."""


def warnings_of(case: Case) -> tuple[Diagnostic, ...]:
    """The warnings of a change; of one that changes nothing there are none."""
    if not case.preview.changes_anything:
        return ()
    return tuple(dict.fromkeys(warning for check in CHECKS for warning in check(case)))

"""What a change comes to on one cluster (`preview --cluster`): its manifests, then and now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitops_ocm.errors import Location
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.ref import Ref
from gitops_ocm.plan.wanted import Wanted
from gitops_ocm.preview.manifests import Changes, changes_between, check_cluster, manifests_on
from gitops_ocm.preview.model import Preview
from gitops_ocm.preview.run import Tried


@dataclass(frozen=True)
class OneCluster:
    """The part of a preview that is about one cluster's manifests.

    `origins` say where that is written which a work was made for.
    """

    preview: Preview
    cluster: str
    found: Changes
    origins: Mapping[Ref, Location]

    @property
    def exit_status(self) -> int:
        """As the preview's, with 0 where nothing changes here."""
        if self.preview.refused:
            return 3
        return 1 if self.found.changes else 0


def on_cluster(
    preview: Preview, tried: Tried, wanted: Iterable[Wanted], *, cluster: str, catalog: Catalog
) -> OneCluster:
    """What an attempt comes to on a cluster; `wanted` are the objects of both commits, the later last."""
    check_cluster({**tried.before, **tried.after}, cluster)
    now, then = (manifests_on(objects, cluster, catalog) for objects in (tried.before, tried.after))
    changes = changes_between(now, then)
    owners = {change.owner for change in changes.changes}
    return OneCluster(
        preview, cluster, changes, {item.ref: item.origin for item in wanted if item.ref in owners}
    )

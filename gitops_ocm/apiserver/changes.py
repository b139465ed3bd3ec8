"""What a write that is no apply comes to: who owns what it changed, and whether it changed anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gitops_ocm.apiserver.values import WriteOptions
from gitops_ocm.objects import ownership
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.pod_parts import PARTS
from gitops_ocm.objects.ref import Object

DEFAULT_MANAGER = "unknown"
"""Who wrote, where nobody says."""
TRACKED_METADATA = dict.fromkeys(("labels", "annotations", "finalizers", "ownerReferences"))


def tracked(
    served: Served,
    old: Object,
    new: Object,
    sent: Mapping[str, Any],
    options: WriteOptions,
    subresource: str,
    now: datetime,
) -> Object:
    """`new` with its owners, judged by what the client `sent`.

    On a custom resource's status that includes labels and annotations, on parts of a pod all of it, though
    it then does not change: the server records the owners all the same.
    """
    judged = new
    if subresource in PARTS:
        judged = {**{k: v for k, v in sent.items() if k != "status"}, "metadata": dict(sent["metadata"])}
        old = {k: v for k, v in old.items() if k != "status"}
    elif served.custom and subresource:
        judged = {**new, "metadata": {**new["metadata"], **TRACKED_METADATA, **sent["metadata"]}}
    if judged is not new:
        judged["metadata"] = {k: v for k, v in judged["metadata"].items() if v is not None}
    tracked = ownership.track(
        old,
        judged,
        manager=options.field_manager or DEFAULT_MANAGER,
        schema=served.schema,
        now=now,
        subresource=subresource,
    )
    if judged is new:
        return tracked
    meta = {k: v for k, v in new["metadata"].items() if k != "managedFields"}
    if "managedFields" in tracked["metadata"]:
        meta["managedFields"] = tracked["metadata"]["managedFields"]
    return {**new, "metadata": meta}

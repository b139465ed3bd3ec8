"""Looking until something is so: what each step of the demo is verified with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.ref import Object, Resource

PATIENCE = 30.0
_OCM = "open-cluster-management.io"

HUBSYNCS = Resource("sync.gitops-ocm.io", "v1alpha1", "HubSync", "hubsyncs", namespaced=False)
CLUSTERS = Resource(f"cluster.{_OCM}", "v1", "ManagedCluster", "managedclusters", namespaced=False)
PLACEMENTS = Resource(f"cluster.{_OCM}", "v1beta1", "Placement", "placements", namespaced=True)
WORKS = Resource(f"work.{_OCM}", "v1", "ManifestWork", "manifestworks", namespaced=True)
SETS = Resource(
    f"work.{_OCM}", "v1alpha1", "ManifestWorkReplicaSet", "manifestworkreplicasets", namespaced=True
)


class NotSeen(GitopsError):
    """A step of the demo did not come true in time."""

    code = "demo-not-seen"


async def until(what: str, check: Callable[[], Awaitable[str]], *, patience: float = PATIENCE) -> float:
    """Ask `check` until it answers "" (all is as it should be); the seconds that took.

    What it answers last, when time is up, is why `NotSeen` says it has not come true.
    """
    started, delay, last = time.monotonic(), 0.01, ""
    while time.monotonic() - started < patience:
        last = await check()
        if not last:
            return time.monotonic() - started
        await asyncio.sleep(delay)
        delay = min(0.1, delay * 1.5)
    raise NotSeen(
        f"not seen within {patience:g} s: {what}",
        note=f"last seen: {last}",
        hint="run with --log-level debug",
    )


def lacking(obj: Object | None, *types: str, status: str = "True") -> str:
    """ "" when every condition has that status; otherwise which one has not, and what it says."""
    if obj is None:
        return "it does not exist"
    conditions = (obj.get("status") or {}).get("conditions") or []
    for wanted in types:
        found: Any = find(conditions, wanted)
        if found is None:
            return f"there is no condition {wanted}"
        if found["status"] != status:
            return f"{wanted} is {found['status']}: {found.get('message') or found.get('reason')}"
    return ""

"""`get addon|works`: what runs on the clusters, in clusteradm's columns and fields. Only reads."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from gitops_ocm.decide.addons.leaving import waits_for
from gitops_ocm.decide.writes import is_deleting
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.conditions import find as condition
from gitops_ocm.objects.ref import Object
from gitops_ocm.verbs.listing import CLUSTERS, status_of, truth_of
from gitops_ocm.verbs.output import Listing
from gitops_ocm.verbs.targets import listed, ocm, place_of

ADDON = "addon.open-cluster-management.io"
MANAGEMENT_ADDONS = ocm(f"{ADDON}/v1alpha1", "ClusterManagementAddOn")
CLUSTER_ADDONS = ocm(f"{ADDON}/v1alpha1", "ManagedClusterAddOn")
WORKS = ocm("work.open-cluster-management.io/v1", "ManifestWork")
ADDON_LABEL = "open-cluster-management.io/addon-name"


async def addons(cluster: Cluster, names: Collection[str] = (), on: Collection[str] = ()) -> Listing:
    """Add-ons (only those named) with how they stand on each cluster (only `on` these)."""
    found, installed, works = await asyncio.gather(
        listed(cluster, MANAGEMENT_ADDONS),
        listed(cluster, CLUSTER_ADDONS),
        listed(cluster, WORKS, label_selector=ADDON_LABEL),
    )
    known = set(on) or {obj["metadata"]["name"] for obj in await listed(cluster, CLUSTERS)}
    found = [obj for obj in found if not names or obj["metadata"]["name"] in names]
    rows: list[Sequence[Any]] = []
    tree: dict[str, Any] = {}
    # An add-on that was deleted is shown while clusters are still getting rid of it.
    ending = {addon["metadata"]["name"] for addon in installed if is_deleting(addon)}
    shown_names = {obj["metadata"]["name"] for obj in found} | {n for n in ending if not names or n in names}
    for name in sorted(shown_names):
        where = [addon for addon in installed if addon["metadata"]["name"] == name]
        rows.append((name, len(where)))
        shown = [addon for addon in where if addon["metadata"]["namespace"] in known]
        if shown:
            tree[name] = {addon["metadata"]["namespace"]: _addon_fields(addon, works) for addon in shown}
    return Listing("ClusterManagementAddOn", found, ("Name", "InstalledClusters"), rows, tree)


def _addon_fields(addon: Object, works: Sequence[Object]) -> dict[str, Any]:
    conditions = ("Available", "ManifestApplied", "RegistrationApplied")
    fields: dict[str, Any] = {"Status": {c: f"{c} -> {truth_of(addon, c)}" for c in conditions}}
    if why := waits_for(addon):
        fields["Deleting"] = f"waits for {why}"
    namespace, name = place_of(addon)
    resources: dict[str, Any] = {}
    for work in works:
        if work["metadata"]["namespace"] == namespace and work["metadata"]["labels"][ADDON_LABEL] == name:
            resources |= _resources(work)
    if resources:
        fields["ManifestWork"] = resources
    return fields


async def works(cluster: Cluster, on: Collection[str], name: str = "") -> Listing:
    """The works of these clusters (only the one of that name)."""
    found: list[Object] = []
    for namespace in sorted(on):
        await cluster.get(CLUSTERS, "", namespace)
        selector = f"metadata.name={name}" if name else ""
        found += await listed(cluster, WORKS, namespace, field_selector=selector)
    rows: list[Sequence[Any]] = []
    tree: dict[str, Any] = {}
    for work in found:
        namespace, called = place_of(work)
        number = len(((work.get("spec") or {}).get("workload") or {}).get("manifests") or ())
        applied, available = status_of(work, "Applied"), status_of(work, "Available")
        rows.append((called, namespace, number, applied, available))
        fields: dict[str, Any] = {
            "Number of Manifests": number,
            "Applied": applied,
            "Available": available,
        }
        if resources := _resources(work):
            fields["Resources"] = resources
        tree.setdefault(namespace, {})[called] = fields
    columns = ("Name", "Cluster", "Number Of Manifests", "Applied", "Available")
    return Listing("ManifestWork", found, columns, rows, tree)


def _resources(work: Object) -> dict[str, dict[str, str]]:
    """Each manifest by its resource and name, with whether it was applied."""
    found: dict[str, dict[str, str]] = {}
    status = (work.get("status") or {}).get("resourceStatus") or {}
    for manifest in status.get("manifests") or ():
        meta = manifest.get("resourceMeta") or {}
        name = "/".join(part for part in (meta.get("namespace"), meta.get("name")) if part)
        applied = condition(manifest.get("conditions"), "Applied")
        state = "unknown" if not applied else "applied" if applied["status"] == "True" else "not-applied"
        found.setdefault(meta.get("resource", ""), {})[name] = state
    return found

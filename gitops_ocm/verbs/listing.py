"""`get clusters|clustersets|placements`: what a hub has, in clusteradm's columns and fields.

Only reads. `listing_work` lists what runs on the clusters, `installed` what is installed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from gitops_ocm.decide.cluster_sets import is_member
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.conditions import find as condition
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import NAMESPACES
from gitops_ocm.verbs.output import Listing
from gitops_ocm.verbs.targets import listed, ocm

CLUSTER = "cluster.open-cluster-management.io"
CLUSTERS = ocm(f"{CLUSTER}/v1", "ManagedCluster")
SETS = ocm(f"{CLUSTER}/v1beta2", "ManagedClusterSet")
BINDINGS = ocm(f"{CLUSTER}/v1beta2", "ManagedClusterSetBinding")
PLACEMENTS = ocm(f"{CLUSTER}/v1beta1", "Placement")
DECISIONS = ocm(f"{CLUSTER}/v1beta1", "PlacementDecision")
SET_LABEL = f"{CLUSTER}/clusterset"
PLACEMENT_LABEL = f"{CLUSTER}/placement"


async def clusters(cluster: Cluster, cluster_set: str = "") -> Listing:
    """Managed clusters, only those of a set if one is named."""
    selector = ""
    if cluster_set:
        await cluster.get(SETS, "", cluster_set)
        selector = f"{SET_LABEL}={cluster_set}"
    found = await listed(cluster, CLUSTERS, label_selector=selector)
    columns = ("Name", "Accepted", "Available", "ClusterSet", "CPU", "Memory", "Kubernetes Version")
    rows, tree = [], {}
    for obj in found:
        name, capacity = obj["metadata"]["name"], (obj.get("status") or {}).get("capacity") or {}
        accepted = bool((obj.get("spec") or {}).get("hubAcceptsClient"))
        available = status_of(obj, "ManagedClusterConditionAvailable")
        its_set = (obj["metadata"].get("labels") or {}).get(SET_LABEL, "")
        version = ((obj.get("status") or {}).get("version") or {}).get("kubernetes", "")
        cpu, memory = capacity.get("cpu", ""), capacity.get("memory", "")
        rows.append((name, accepted, available, its_set, cpu, memory, version))
        tree[name] = {
            "Accepted": accepted,
            "Available": available,
            "ClusterSet": its_set,
            "KubernetesVersion": version,
            "Capacity": {"Cpu": cpu, "Memory": memory},
        }
    return Listing("ManagedCluster", found, columns, rows, tree)


async def cluster_sets(cluster: Cluster) -> Listing:
    """Cluster sets, where they are bound, and which clusters are in them."""
    found, bindings, everything = await asyncio.gather(
        listed(cluster, SETS), listed(cluster, BINDINGS), listed(cluster, CLUSTERS)
    )
    bound: dict[str, list[str]] = defaultdict(list)
    for binding in bindings:
        bound[(binding.get("spec") or {}).get("clusterSet", "")].append(binding["metadata"]["namespace"])
    rows, tree = [], {}
    for obj in found:
        name = obj["metadata"]["name"]
        empty = condition((obj.get("status") or {}).get("conditions"), "ClusterSetEmpty") or {}
        managed = [one["name"] for one in (obj.get("spec") or {}).get("managedNamespaces") or ()]
        where = ",".join(bound[name])
        rows.append((name, where, empty.get("message", ""), ",".join(managed)))
        tree[name] = {
            "BoundNamespace": where,
            "Status": empty.get("message", ""),
            "Clusters": [one["metadata"]["name"] for one in everything if is_member(obj, one)],
            "ManagedNamespaces": managed,
        }
    columns = ("Name", "Bound Namespaces", "Status", "Managed Namespaces")
    return Listing("ManagedClusterSet", found, columns, rows, tree)


async def placements(cluster: Cluster, namespace: str = "", name: str = "") -> Listing:
    """Placements with the clusters that all pages of their decisions name."""
    if namespace:
        await cluster.get(NAMESPACES, "", namespace)
    selector = f"metadata.name={name}" if name else ""
    found, decisions = await asyncio.gather(
        listed(cluster, PLACEMENTS, namespace, field_selector=selector),
        listed(cluster, DECISIONS, namespace),
    )
    selected = decided(decisions)
    rows: list[Sequence[Any]] = []
    tree: dict[str, Any] = {}
    names = [obj["metadata"]["name"] for obj in found]
    for obj in found:
        where, called = obj["metadata"]["namespace"], obj["metadata"]["name"]
        conditions = (obj.get("status") or {}).get("conditions") or [{}]
        chosen = selected.get((where, called))
        rows.append((called, conditions[0].get("status", ""), conditions[0].get("reason", ""), chosen or []))
        tree[called if names.count(called) == 1 else f"{where}/{called}"] = _placement_fields(obj, chosen)
    columns = ("Name", "Status", "Reason", "SeletedClusters")  # as upstream spells it: scripts look for it
    return Listing("Placement", found, columns, rows, tree)


def _placement_fields(obj: Object, chosen: Sequence[str] | None) -> Mapping[str, Any]:
    return {
        "Namespace": obj["metadata"]["namespace"],
        "ClusterSet": (obj.get("spec") or {}).get("clusterSets") or [],
        "Status": {
            "NumberOfSelectedClusters": (obj.get("status") or {}).get("numberOfSelectedClusters", 0),
            "Conditions": {
                "PlacementConditionSatisfied": truth_of(obj, "PlacementSatisfied"),
                "PlacementConditionMisconfigured": truth_of(obj, "PlacementMisconfigured"),
            },
        },
        "PlacementDecision": ["NoClusterSelected"] if chosen is None else chosen,
    }


def decided(decisions: Sequence[Object]) -> Mapping[tuple[str, str], list[str]]:
    """The clusters of each placement, by its namespace and name."""
    found: dict[tuple[str, str], list[str]] = {}
    for obj in decisions:
        name = (obj["metadata"].get("labels") or {}).get(PLACEMENT_LABEL, "")
        page = (obj.get("status") or {}).get("decisions") or ()
        found.setdefault((obj["metadata"]["namespace"], name), []).extend(d["clusterName"] for d in page)
    return found


def status_of(obj: Object, type: str) -> str:
    """A condition's status as it stands there, `""` where there is no such condition."""
    found = condition((obj.get("status") or {}).get("conditions"), type)
    return str(found.get("status", "")) if found else ""


def truth_of(obj: Object, type: str) -> str:
    """`true`, `false`, or `unknown` where there is no such condition."""
    status = status_of(obj, type)
    return "unknown" if not status else "true" if status == "True" else "false"

"""`proxy health|kubectl`: what can be told of cluster-proxy from the hub's objects.

The tunnels of cluster-proxy are konnectivity's, over gRPC, which this package does not speak; so the column
PROBED HEALTH is `Unknown` here, and `proxy kubectl` is left to clusteradm once its prerequisites hold.
"""

from __future__ import annotations

from collections.abc import Collection

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.verbs.listing import CLUSTERS
from gitops_ocm.verbs.listing_work import CLUSTER_ADDONS, MANAGEMENT_ADDONS
from gitops_ocm.verbs.output import table
from gitops_ocm.verbs.targets import listed
from gitops_ocm.verbs.voice import VerbError, Voice

ADDON = "cluster-proxy"
COLUMNS = ("Cluster Name", "Installed", "Available", "Probed Health", "Latency")
GUIDE = "https://open-cluster-management.io/getting-started/integration/cluster-proxy/"


async def health(cluster: Cluster, voice: Voice, on: Collection[str]) -> None:
    """Where cluster-proxy is installed and available, for all clusters or these."""
    if not await _installed(cluster, voice):
        return
    addons = {
        obj["metadata"]["namespace"]: obj
        for obj in await listed(cluster, CLUSTER_ADDONS, field_selector=f"metadata.name={ADDON}")
    }
    rows = []
    for obj in await listed(cluster, CLUSTERS):
        name = obj["metadata"]["name"]
        if on and name not in on:
            continue
        addon = addons.get(name)
        available = bool(addon) and is_true(addon, "Available")
        rows.append((name, str(addon is not None), str(available), "Unknown", "<none>"))
    voice.say(table(COLUMNS, rows).rstrip("\n"))
    voice.note("the tunnels are not probed: they are gRPC, which this program does not speak")


async def kubectl(cluster: Cluster, voice: Voice, name: str, arguments: str) -> None:
    """Say whether a cluster can be reached so, and with what."""
    if not await _installed(cluster, voice):
        return
    addon = await find(cluster, CLUSTER_ADDONS, ADDON, name)
    if addon is None or not is_true(addon, "Available"):
        raise VerbError(
            f"{ADDON} is not available on cluster {name}",
            hint=f"gitops-ocm addon enable --names {ADDON} --clusters {name}; gitops-ocm get addon {ADDON}",
        )
    raise VerbError(
        "the tunnels of cluster-proxy are gRPC, which this program does not speak",
        hint=f'clusteradm proxy kubectl --cluster {name} --args="{arguments}"',
    )


async def _installed(cluster: Cluster, voice: Voice) -> bool:
    if await find(cluster, MANAGEMENT_ADDONS, ADDON):
        return True
    voice.say("Cluster-Proxy addon is not installed.")
    voice.say(f"Consider following the guide: {GUIDE}")
    return False

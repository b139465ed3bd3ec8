"""Makes sure that an API server serves our kinds, without ever taking a CRDS away from its owner.

A hub that OCM's own operator has set up has most of them: those are left exactly as they are.
"""

from __future__ import annotations

from collections.abc import Collection

from gitops_ocm.api import cluster_profile
from gitops_ocm.api.crd import crd as crd_of
from gitops_ocm.api.crd import crds
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ownership import fields_owned_by
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CRDS
from gitops_ocm.runtime.clock import Clock, SystemClock

MANAGER = "gitops-ocm-crds"
SPOKE_KINDS = ("AppliedManifestWork", "ClusterClaim")
"""What a managed cluster serves; everything else is the hub's (ClusterClaim is on the cluster alone)."""
OPERATOR_KINDS = ("ClusterManager", "Klusterlet")
"""What operators look after; a hub's controllers do without."""
PATIENCE = 30.0
_INSTALL = "apply them with a user who may: gitops-ocm crds | kubectl apply --server-side -f -"


class CrdsNotServed(GitopsError):
    """The API server does not serve kinds that we need, and we could not change that."""

    code = "crds-not-served"


def hub_crds(*, cluster_profiles: bool = False) -> list[Object]:
    """The CRDs of a hub; with that of ClusterProfiles, where it makes them."""
    ours = [crd for crd in crds() if crd["spec"]["names"]["kind"] not in SPOKE_KINDS]
    return [*ours, crd_of(cluster_profile.DEFINITION)] if cluster_profiles else ours


def sync_crds() -> list[Object]:
    """What a sync itself needs."""
    return [crd for crd in crds() if crd["spec"]["names"]["kind"] == "HubSync"]


def spoke_crds() -> list[Object]:
    """The CRDs of a managed cluster."""
    return [crd for crd in crds() if crd["spec"]["names"]["kind"] in SPOKE_KINDS]


async def ensure_crds(
    cluster: Cluster, wanted: Collection[Object], *, mapper: Mapper | None = None, clock: Clock | None = None
) -> None:
    """Create the CRDs that are missing, bring our own up to date, and wait until all are served.

    Kinds of operators are made where we may, and not waited for where we may not even look.
    """
    clock = clock or SystemClock()
    blind = [crd for crd in wanted if not await _ensure(cluster, crd)]
    wanted = [c for c in wanted if c not in blind or c["spec"]["names"]["kind"] not in OPERATOR_KINDS]
    mapper = mapper or Mapper(cluster, clock=clock)
    until, delay = clock.monotonic() + PATIENCE, 0.02
    while missing := await _unserved(mapper, wanted):
        if clock.monotonic() >= until:
            raise CrdsNotServed(
                f"{cluster.server} does not serve {', '.join(missing[:5])}",
                hint=_INSTALL if blind else "look at the conditions of these CustomResourceDefinitions",
            )
        await clock.sleep(delay)
        delay = min(1.0, delay * 2)


async def _ensure(cluster: Cluster, crd: Object) -> bool:
    """Create or update one; False where we may not even look at it."""
    name = crd["metadata"]["name"]
    try:
        live = await cluster.get(CRDS, "", name)
        if not fields_owned_by(live, MANAGER):
            return True
    except ApiError as error:
        if error.http_code == 403:
            # Whoever may not look at CRDs relies on somebody else having made them.
            return False
        if error.http_code != 404:
            raise
    try:
        await cluster.patch(CRDS, "", name, crd, type=PatchType.APPLY, field_manager=MANAGER, force=True)
    except ApiError as error:
        raise CrdsNotServed(
            f"cannot make the CustomResourceDefinition {name} on {cluster.server}: {error.message}",
            hint=_INSTALL,
        ) from error
    return True


async def _unserved(mapper: Mapper, wanted: Collection[Object]) -> list[str]:
    await mapper.refresh(force=True)
    missing = []
    for crd in wanted:
        group, kind = crd["spec"]["group"], crd["spec"]["names"]["kind"]
        served = [v["name"] for v in crd["spec"]["versions"] if v["served"]]
        if not any(mapper.known_for(f"{group}/{version}", kind) for version in served):
            missing.append(crd["metadata"]["name"])
    return missing

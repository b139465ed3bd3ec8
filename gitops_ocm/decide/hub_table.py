"""The hub's rows of the controller table: who is woken by what, reads and writes what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitops_ocm.api.cluster import CLUSTER_NAME_LABEL
from gitops_ocm.decide import (
    cleanup,
    cluster_profiles,
    cluster_sets,
    csr_approval,
    health,
    managed_namespaces,
    registration,
    works,
)
from gitops_ocm.decide.contract import Controller, Index, Read, View, Wake
from gitops_ocm.decide.kinds import (
    CLUSTER_ADDON,
    CLUSTER_PROFILE,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    CLUSTER_SET,
    CLUSTER_SET_BINDING,
    CSR,
    LEASE,
    MANAGED_CLUSTER,
    MANIFEST_WORK,
    NAMESPACE,
    PLACEMENT,
    PLACEMENT_DECISION,
    PLACEMENT_SCORE,
    RBAC_GROUP,
    REPLICA_SET,
    ROLE_BINDING,
    cluster_ref,
)
from gitops_ocm.decide.placement import decisions, wakes
from gitops_ocm.decide.placement.tally import clusters_in
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.decide.writes import is_deleting, labels_of, namespace_of
from gitops_ocm.objects.ref import Object, Ref

_SPEC = ("create", "patch", "update")
_STATUS = ("patch", "update")
_EVENTS: Mapping[str, tuple[str, ...]] = {"events.k8s.io/events": ("create", "patch", "update")}
_GRANTS: Mapping[str, tuple[str, ...]] = {
    "namespaces": _SPEC,
    f"{RBAC_GROUP}/clusterroles": (*_SPEC, "delete"),
    f"{RBAC_GROUP}/clusterrolebindings": (*_SPEC, "delete"),
    f"{RBAC_GROUP}/rolebindings": (*_SPEC, "delete"),
}
"""What lets an accepted cluster's agent in."""
_CLUSTERS = "cluster.open-cluster-management.io/"
_CLUSTER_STATUS = {_CLUSTERS + "managedclusters/status": _STATUS}


def in_cluster_namespace(view: View, obj: Object) -> Iterable[Ref]:
    """The cluster in whose namespace an object is."""
    return (cluster_ref(namespace_of(obj)),)


def made_for_cluster(view: View, obj: Object) -> Iterable[Ref]:
    """The cluster whose name an object has as a label."""
    name = labels_of(obj).get(CLUSTER_NAME_LABEL)
    return (cluster_ref(name),) if name else ()


def _shared_roles(view: View, obj: Object) -> Iterable[Ref]:
    return registration.SHARED_ROLES


def registration_rows(settings: HubSettings) -> tuple[Controller, ...]:
    """Clusters and their sets.

    No row may `escalate` or `bind`: whoever runs them holds what is granted to agents (`decide.access`).
    """
    return (
        _acceptance_row(settings),
        _approval_row(settings),
        Controller(
            "shared-cluster-roles",
            "registration",
            registration.SharedRoles(settings),
            (Wake(MANAGED_CLUSTER, _shared_roles, when=_comes_or_goes), Wake(CLUSTER_ROLE)),
            field_manager="gitops-ocm-registration",
            writes=_GRANTS,
            seeds=registration.SHARED_ROLES,
        ),
        *_health_rows(settings),
        Controller(
            "cluster-cleanup",
            "registration",
            cleanup.ClusterCleanup(settings),
            (
                Wake(MANAGED_CLUSTER),
                Wake(MANIFEST_WORK, in_cluster_namespace, when=_comes_or_goes),
                Wake(CLUSTER_ADDON, in_cluster_namespace, when=_comes_or_goes),
            ),
            writes={
                _CLUSTERS + "managedclusters": ("patch",),
                **_CLUSTER_STATUS,
                "work.open-cluster-management.io/manifestworks": ("delete",),
                "addon.open-cluster-management.io/managedclusteraddons": ("delete",),
            },
        ),
        *_set_rows(settings),
        *(_profile_rows() if settings.cluster_profiles else ()),
    )


def _acceptance_row(settings: HubSettings) -> Controller:
    return Controller(
        "cluster-acceptance",
        "registration",
        registration.Acceptance(settings),
        (
            Wake(MANAGED_CLUSTER),
            Wake(NAMESPACE, made_for_cluster),
            Wake(CLUSTER_ROLE, made_for_cluster),
            Wake(CLUSTER_ROLE_BINDING, made_for_cluster),
            Wake(ROLE_BINDING, made_for_cluster),
            Wake(MANIFEST_WORK, in_cluster_namespace, when=_comes_or_goes),
        ),
        field_manager="gitops-ocm-registration",
        writes={
            **_GRANTS,
            _CLUSTERS + "managedclusters": ("patch",),
            "register.open-cluster-management.io/managedclusters/accept": ("update",),
            **_CLUSTER_STATUS,
            **_EVENTS,
        },
    )


def _approval_row(settings: HubSettings) -> Controller:
    return Controller(
        "csr-approval",
        "registration",
        csr_approval.CsrApproval(settings),
        (
            Wake(CSR, when=csr_approval.undecided),
            Wake(MANAGED_CLUSTER, csr_approval.of_cluster, when=csr_approval.accepted_now),
        ),
        writes={
            "certificates.k8s.io/certificatesigningrequests/approval": ("update",),
            "authorization.k8s.io/subjectaccessreviews": ("create",),
            **_EVENTS,
        },
    )


def _health_rows(settings: HubSettings) -> tuple[Controller, ...]:
    return (
        Controller(
            "cluster-availability",
            "registration",
            health.Availability(settings),
            (Wake(MANAGED_CLUSTER), Wake(LEASE, health.cluster_of_lease)),
            writes={**_CLUSTER_STATUS, **_EVENTS, "coordination.k8s.io/leases": ("create",)},
        ),
        Controller(
            "cluster-clock",
            "registration",
            health.ClockSync(settings),
            (Wake(LEASE, health.cluster_of_lease),),
            (Read(MANAGED_CLUSTER), Read(LEASE, managed_fields=True)),
            writes=_CLUSTER_STATUS,
        ),
        Controller(
            "cluster-taints",
            "registration",
            health.Taints(),
            (Wake(MANAGED_CLUSTER),),
            writes={_CLUSTERS + "managedclusters": ("patch",)},
        ),
    )


def _set_rows(settings: HubSettings) -> tuple[Controller, ...]:
    return (
        Controller(
            "standard-cluster-sets",
            "registration",
            cluster_sets.StandardSets(settings),
            (Wake(CLUSTER_SET),),
            writes={_CLUSTERS + "managedclustersets": ("create", "update")},
            seeds=cluster_sets.STANDARD_SET_REFS,
        ),
        Controller(
            "cluster-sets",
            "registration",
            cluster_sets.reconcile_set,
            (Wake(CLUSTER_SET), Wake(MANAGED_CLUSTER, cluster_sets.sets_around, when=_moves)),
            writes={_CLUSTERS + "managedclustersets/status": _STATUS},
        ),
        Controller(
            "managed-namespaces",
            "registration",
            managed_namespaces.reconcile,
            (
                Wake(MANAGED_CLUSTER, when=_moves),
                Wake(CLUSTER_SET, managed_namespaces.of_set, when=managed_namespaces.asks_otherwise),
            ),
            writes=_CLUSTER_STATUS,
        ),
        Controller(
            "cluster-set-bindings",
            "registration",
            cluster_sets.reconcile_binding,
            (Wake(CLUSTER_SET_BINDING), Wake(CLUSTER_SET, cluster_sets.bindings_of_set, when=_comes_or_goes)),
            writes={_CLUSTERS + "managedclustersetbindings/status": _STATUS},
        ),
    )


def _profile_rows() -> tuple[Controller, ...]:
    manager = "gitops-ocm-registration"
    plural = "multicluster.x-k8s.io/clusterprofiles"
    return (
        Controller(
            "cluster-profiles",
            "registration",
            cluster_profiles.reconcile_namespace,
            (
                Wake(CLUSTER_SET_BINDING, cluster_profiles.own_namespace),
                Wake(CLUSTER_PROFILE, cluster_profiles.own_namespace),
                Wake(CLUSTER_SET, cluster_profiles.of_set),
                Wake(MANAGED_CLUSTER, cluster_profiles.of_cluster, when=_moves_or_ends),
            ),
            (Read(NAMESPACE),),
            field_manager=manager,
            writes={plural: ("create", "patch", "delete")},
        ),
        Controller(
            "cluster-profile-status",
            "registration",
            cluster_profiles.reconcile_profile,
            (Wake(CLUSTER_PROFILE), Wake(MANAGED_CLUSTER, cluster_profiles.profiles_of)),
            indexes=(Index(cluster_profiles.BY_CLUSTER, CLUSTER_PROFILE, cluster_profiles.own_name),),
            field_manager=manager,
            writes={f"{plural}/status": ("patch",)},
        ),
    )


def placement_rows(settings: HubSettings) -> tuple[Controller, ...]:
    """The scheduler."""
    return (
        Controller(
            "placement",
            "placement",
            decisions.reconcile,
            (
                Wake(PLACEMENT),
                Wake(PLACEMENT_DECISION, wakes.by_decision),
                Wake(MANAGED_CLUSTER, affects=wakes.by_cluster),
                Wake(CLUSTER_SET, affects=wakes.by_set),
                Wake(CLUSTER_SET_BINDING, affects=wakes.by_binding),
                Wake(PLACEMENT_SCORE, affects=wakes.by_score),
            ),
            projections=(decisions.FLEET, decisions.TALLY, decisions.SCOREBOARD, wakes.INTERESTS),
            field_manager="gitops-ocm-placement",
            resync=600,
            # They are decided one after the other, each seeing what the others chose; it is the writing that
            # goes on side by side.
            workers=16,
            writes={
                _CLUSTERS + "placementdecisions": (*_SPEC, "delete"),
                _CLUSTERS + "placementdecisions/status": _STATUS,
                _CLUSTERS + "placements/status": _STATUS,
                **_EVENTS,
            },
        ),
    )


def work_rows(settings: HubSettings) -> tuple[Controller, ...]:
    """Works for many clusters, and works that have had their time."""
    works_written = {"work.open-cluster-management.io/manifestworks": (*_SPEC, "delete")}
    replica_sets = (
        Controller(
            "manifestwork-replicasets",
            "work",
            works.ReplicaSets(settings),
            (
                Wake(REPLICA_SET),
                Wake(MANIFEST_WORK, works.of_work),
                Wake(PLACEMENT, works.of_placement),
                Wake(PLACEMENT_DECISION, works.of_decision),
                Wake(NAMESPACE, works.of_namespace, when=_comes_or_goes),
            ),
            indexes=(
                Index(works.BY_OWNER, MANIFEST_WORK, works.owners),
                Index(works.BY_CLUSTER, PLACEMENT_DECISION, clusters_in),
            ),
            field_manager="gitops-ocm-works",
            resync=1800,
            writes={
                **works_written,
                "work.open-cluster-management.io/manifestworkreplicasets": ("patch",),
                "work.open-cluster-management.io/manifestworkreplicasets/status": _STATUS,
                **_EVENTS,
            },
        ),
    )
    return (
        *(replica_sets if settings.replica_sets else ()),
        Controller(
            "finished-works",
            "work",
            cleanup.FinishedWorks(settings),
            (Wake(MANIFEST_WORK),),
            writes=works_written,
        ),
    )


def _comes_or_goes(old: Object | None, new: Object | None) -> bool:
    return old is None or new is None


def _moves(old: Object | None, new: Object | None) -> bool:
    """Whether a cluster may have changed its sets."""
    return old is None or new is None or labels_of(old) != labels_of(new)


def _moves_or_ends(old: Object | None, new: Object | None) -> bool:
    return _moves(old, new) or (old is not None and new is not None and is_deleting(old) != is_deleting(new))

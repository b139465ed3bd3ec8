"""The agent's rows of the controller table: one cluster's klusterlet, seen from the hub and the cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL
from gitops_ocm.api.work import WORK_FIELD_MANAGER
from gitops_ocm.decide.agent.addon_status import AddonStatus
from gitops_ocm.decide.agent.apply import ApplyWork
from gitops_ocm.decide.agent.cluster_status import ClusterStatus, resources_changed
from gitops_ocm.decide.agent.default_claims import DefaultClaims
from gitops_ocm.decide.agent.feedback import Feedback
from gitops_ocm.decide.agent.finish import FinishWork
from gitops_ocm.decide.agent.heartbeat import Heartbeat
from gitops_ocm.decide.agent.identity import work_of_anchor
from gitops_ocm.decide.agent.ledger import Anchor, Ledger
from gitops_ocm.decide.agent.managed_namespaces import ManagedNamespaces
from gitops_ocm.decide.contract import Controller, Index, Outcome, Read, Reconcile, Side, View, Wake
from gitops_ocm.decide.health import lease_ref
from gitops_ocm.decide.kinds import (
    APPLIED_WORK,
    CLUSTER_ADDON,
    CLUSTER_CLAIM,
    FACTS,
    LEASE,
    MANAGED_CLUSTER,
    MANIFEST_WORK,
    NAMESPACE,
    NODE,
    cluster_ref,
)
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.decide.writes import is_deleting, labels_of, name_of, namespace_of
from gitops_ocm.objects.ref import Object, Ref, ref_of

Mapper = Callable[[View, Object], Iterable[Ref]]
_ANCHORS_OF = "applied-works-by-work"

_WORK_WRITES = {
    "work.open-cluster-management.io/manifestworks": ("patch",),
    "work.open-cluster-management.io/manifestworks/status": ("patch",),
}
_EXECUTOR_WRITES = {"authorization.k8s.io/subjectaccessreviews": ("create",)}
"""What the agent asks about executors. To rehearse roles as them it must be given `impersonate` as well."""
_ANCHOR_WRITES = {
    "work.open-cluster-management.io/appliedmanifestworks": ("create", "patch", "delete"),
    "work.open-cluster-management.io/appliedmanifestworks/status": ("patch",),
}


def _own_cluster(settings: AgentSettings) -> Mapper:
    """Anything that matters means: look at our own ManagedCluster."""
    key = cluster_ref(settings.cluster_name)

    def to(view: View, obj: Object) -> Iterable[Ref]:
        foreign = obj["kind"] == MANAGED_CLUSTER.kind and name_of(obj) != settings.cluster_name
        other = obj["kind"] == LEASE.kind and ref_of(obj) != lease_ref(settings.cluster_name)
        return () if foreign or other else (key,)

    return to


def registration_rows(settings: AgentSettings) -> tuple[Controller, ...]:
    """The sign of life, and what the cluster is and has."""
    own = _own_cluster(settings)
    # By name: an agent's rights on the hub are for its own ManagedCluster alone.
    mine = Read(MANAGED_CLUSTER, name=settings.cluster_name)
    lease = lease_ref(settings.cluster_name)
    return (
        Controller(
            "heartbeat",
            "registration",
            Heartbeat(settings),
            (Wake(MANAGED_CLUSTER, own), Wake(LEASE, own)),
            (mine, Read(LEASE, lease.namespace, name=lease.name, managed_fields=True)),
            # Not the hub's: by who wrote it a lease is known that nobody has renewed yet.
            field_manager="gitops-ocm-heartbeat",
            workers=1,
            writes={"coordination.k8s.io/leases": ("update",)},
        ),
        Controller(
            "cluster-status",
            "registration",
            ClusterStatus(settings),
            (
                Wake(MANAGED_CLUSTER, own),
                Wake(FACTS, own, side=Side.SPOKE),
                Wake(FACTS, own),
                Wake(NODE, own, when=resources_changed, side=Side.SPOKE),
                Wake(CLUSTER_CLAIM, own, side=Side.SPOKE),
            ),
            (mine,),
            workers=1,
            writes={
                "cluster.open-cluster-management.io/managedclusters/status": ("patch",),
                "events.k8s.io/events": ("create",),
            },
        ),
        Controller(
            "managed-namespaces",
            "registration",
            ManagedNamespaces(settings),
            (Wake(MANAGED_CLUSTER, own), Wake(NAMESPACE, own, when=_labels_changed, side=Side.SPOKE)),
            (mine,),
            workers=1,
            writes={"cluster.open-cluster-management.io/managedclusters/status": ("patch",)},
            spoke_writes={"namespaces": ("create", "patch")},
        ),
        *_optional_rows(settings),
    )


def _labels_changed(old: Object | None, new: Object | None) -> bool:
    return old is None or new is None or labels_of(old) != labels_of(new)


def _optional_rows(settings: AgentSettings) -> tuple[Controller, ...]:
    """What of registration is there or not, by gates and options."""
    rows = []
    if settings.default_claims:
        system = Ref(*NAMESPACE, "", "kube-system")
        everything: Mapper = lambda view, obj: (system,)  # noqa: E731 -- one key for all of them
        rows.append(
            Controller(
                "default-claims",
                "registration",
                DefaultClaims(),
                tuple(Wake(k, everything, side=Side.SPOKE) for k in (FACTS, NODE, CLUSTER_CLAIM)),
                (Read(NAMESPACE, side=Side.SPOKE),),
                workers=1,
                spoke_writes={"cluster.open-cluster-management.io/clusterclaims": ("create", "patch")},
            )
        )
    if settings.addon_management:
        rows.append(
            Controller(
                "addon-status",
                "registration",
                AddonStatus(settings),
                (Wake(CLUSTER_ADDON), Wake(FACTS, _own_addon(settings))),
                (Read(CLUSTER_ADDON, settings.cluster_name),),
                workers=1,
                writes={"addon.open-cluster-management.io/managedclusteraddons/status": ("patch",)},
            )
        )
    return tuple(rows)


def _own_addon(settings: AgentSettings) -> Mapper:
    """From how a credential fares to the add-on it is for."""

    def to(view: View, facts: Object) -> Iterable[Ref]:
        addon = labels_of(facts).get(ADDON_NAME_LABEL)
        return (Ref(*CLUSTER_ADDON, settings.cluster_name, addon),) if addon else ()

    return to


def work_rows(settings: AgentSettings) -> tuple[Controller, ...]:
    """The work agent."""
    mine = Read(MANIFEST_WORK, settings.cluster_name)

    def own(view: View, work: Object) -> Iterable[Ref]:
        return (ref_of(work),) if namespace_of(work) == settings.cluster_name else ()

    def to_work(view: View, anchor: Object) -> Iterable[Ref]:
        return work_of_anchor(settings, anchor)

    def to_anchors(view: View, work: Object) -> Iterable[Ref]:
        """The AppliedManifestWorks, of this hub or an earlier one, that are for a work."""
        if namespace_of(work) != settings.cluster_name:
            return ()
        return [ref_of(a) for a in view.indexed(_ANCHORS_OF, name_of(work), Side.SPOKE)]

    def row(
        name: str,
        reconcile: Reconcile,
        *,
        anchors: bool = True,
        more: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Controller:
        of_anchor = (Wake(APPLIED_WORK, to_work, side=Side.SPOKE),) if anchors else ()
        return Controller(
            name,
            "work",
            reconcile,
            (Wake(MANIFEST_WORK, own), *of_anchor),
            (mine,),
            field_manager=WORK_FIELD_MANAGER,
            workers=10,
            writes=_WORK_WRITES,
            spoke_writes={**_ANCHOR_WRITES, **(more or {})},
        )

    return (
        row("work-apply", _beginning_and_end(settings), more=_EXECUTOR_WRITES),
        row("work-ledger", Ledger(settings)),
        row("work-feedback", Feedback(settings), anchors=False),
        Controller(
            "applied-works",
            "work",
            Anchor(settings),
            (Wake(APPLIED_WORK, side=Side.SPOKE), Wake(MANIFEST_WORK, to_anchors)),
            (mine,),
            (Index(_ANCHORS_OF, APPLIED_WORK, _work_named, Side.SPOKE),),
            field_manager=WORK_FIELD_MANAGER,
            writes=_WORK_WRITES,
            spoke_writes=_ANCHOR_WRITES,
        ),
    )


def _beginning_and_end(settings: AgentSettings) -> Reconcile:
    """Applying a work and finishing it are one row, for a row does one thing at a time with a work.

    Else a work that is deleted while it is first applied could be let go before its ledger is there.
    """
    apply, finish = ApplyWork(settings), FinishWork(settings)

    def reconcile(view: View, key: Ref, now: datetime) -> Outcome:
        work = view.get(key)
        return (finish if work is not None and is_deleting(work) else apply)(view, key, now)

    return reconcile


def _work_named(anchor: Object) -> Iterable[str]:
    return (str((anchor.get("spec") or {}).get("manifestWorkName", "")),)

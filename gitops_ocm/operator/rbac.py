"""The rights that the hub and a klusterlet need, as RBAC objects made from the controller table.

What a row wakes by, reads and indexes may be got, listed and watched; what it writes is in the row. Beside
that stand the few things no row knows of: events, CustomResourceDefinitions, the sync's own HubSync.

Three things no table can tell, because they are in Git, in a work or in a template: what a sync puts on the
hub, what a klusterlet puts on its cluster, what an add-on's agent may get on the hub. Each has a role made up
of all ClusterRoles with a label, the first two with a default that has it; whoever needs more adds a
ClusterRole with it (`cluster-admin` bound to the account, if all is to be allowed). What a klusterlet may do
on the hub is `decide.access`, given when its cluster is accepted.
Pure: `tools/write_rbac.py` writes `deploy/rbac/`, a test holds the one to the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gitops_ocm.api import cluster_profile
from gitops_ocm.api.registration import CERTIFICATES_GROUP, CLIENT_SIGNER
from gitops_ocm.api.scheme import SCHEME
from gitops_ocm.decide import access
from gitops_ocm.decide.contract import LOCAL_GROUP, Controller, Side
from gitops_ocm.decide.controllers import LOCKS
from gitops_ocm.decide.kinds import ADDON_GROUP, CLUSTER_GROUP, PLACEMENT_DECISION, RBAC_GROUP, WORK_GROUP
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.ref import Kind, Object
from gitops_ocm.objects.served import CRDS
from gitops_ocm.operator.crds import hub_crds, spoke_crds

NAMESPACE = "gitops-ocm"
HUB, KLUSTERLET = "gitops-ocm-hub", "gitops-ocm-klusterlet"
SYNC_LABEL = "sync.gitops-ocm.io/aggregate-to-sync"
"""ClusterRoles with it say what a sync may put on the hub."""
ADDON_LABEL = "addon.gitops-ocm.io/aggregate-to-addons"
"""ClusterRoles with it say what the agents of add-ons may get on the hub: the rules of roles that templates
bind, and for a signer of an add-on's own to `approve` and `sign`, and to read the Secret it signs with."""
WORK_LABEL = "open-cluster-management.io/aggregate-to-work"
"""ClusterRoles with it say what works may hold; OCM's own label, so what was granted there counts here."""

READ = ("get", "list", "watch")
MANAGE = (*READ, "create", "patch", "delete")
ORDER = (*READ, "create", "update", "patch", "delete")

SYNC_GROUP = "sync.gitops-ocm.io"
REGISTER_GROUP = "register.open-cluster-management.io"

_VERSION = f"{RBAC_GROUP}/v1"
_LABELS = {"app.kubernetes.io/name": "gitops-ocm"}


@dataclass
class Rights:
    """What may be done: (group, resource, names) → verbs; no names means all."""

    verbs: dict[tuple[str, str, tuple[str, ...]], set[str]] = field(default_factory=lambda: defaultdict(set))

    def allow(self, group: str, resource: str, verbs: Iterable[str], names: Iterable[str] = ()) -> None:
        """Add to what may be done to a resource (`plural` or `plural/subresource`)."""
        self.verbs[group, resource, tuple(sorted(names))].update(verbs)

    def rules(self) -> list[Object]:
        """As the rules of a role: resources of a group with the same verbs together, sorted."""
        together: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
        for (group, resource, names), verbs in sorted(self.verbs.items()):
            together[group, _ordered(verbs), names].append(resource)
        return [
            {
                "apiGroups": [group],
                "resources": resources,
                **({"resourceNames": list(names)} if names else {}),
                "verbs": list(verbs),
            }
            for (group, verbs, names), resources in sorted(together.items(), key=lambda e: (e[0][0], e[1]))
        ]


def table_rights(rows: Iterable[Controller], side: Side, catalog: Catalog) -> Rights:
    """What the rows say that they read and write on one side."""
    rights = Rights()
    for row in rows:
        for at, want in row.wants():
            if at is side and want.kind.group != LOCAL_GROUP:
                names = [want.name] if want.name else []
                rights.allow(want.kind.group, _plural(want.kind, catalog), READ, names)
        for written, verbs in (row.writes if side is Side.HUB else row.spoke_writes).items():
            rights.allow(*_written(written), verbs)
    return rights


def hub_manifests(rows: Sequence[Controller], catalog: Catalog) -> list[Object]:
    """Everything for a hub's process: its account, its role, and the role of what it syncs."""
    fixed = table_rights(rows, Side.HUB, catalog)
    hold_what_agents_get(fixed)
    _allow_crds(fixed, hub_crds(cluster_profiles=True))
    # With the gate ClusterProfile: a kind that the table has no row for without it.
    profiles = cluster_profile.DEFINITION.plural
    fixed.allow(cluster_profile.GROUP, profiles, (*READ, "create", "patch", "delete"))
    fixed.allow(cluster_profile.GROUP, f"{profiles}/status", ("patch",))
    fixed.allow(CERTIFICATES_GROUP, "signers", ("approve",), [CLIENT_SIGNER])
    fixed.allow("coordination.k8s.io", "leases", ("update",), LOCKS.values())
    # Kinds that Git uses and only the hub knows are learnt from their definitions.
    fixed.allow(CRDS.group, CRDS.plural, ("list",))
    fixed.allow("events.k8s.io", "events", ("create", "patch"))
    fixed.allow(SYNC_GROUP, "hubsyncs", READ)
    fixed.allow(SYNC_GROUP, "hubsyncs/status", ("patch",))
    return [
        *_account(HUB),
        _role(HUB, fixed),
        _binding(HUB, HUB, HUB),
        *sync_roles(),
        _binding("gitops-ocm-sync", "gitops-ocm-sync", HUB),
        addon_role(),
        _binding("gitops-ocm-addons", "gitops-ocm-addons", HUB),
    ]


def addon_role() -> Object:
    """What the agents of add-ons may get: the role that is the sum."""
    return _collected("gitops-ocm-addons", ADDON_LABEL)


def sync_roles() -> tuple[Object, Object]:
    """What a sync may put on the hub: the role that is the sum, and what is in it by default."""
    return (
        _collected("gitops-ocm-sync", SYNC_LABEL),
        _role("gitops-ocm-sync-default", _synced(), {SYNC_LABEL: "true"}),
    )


def klusterlet_manifests(rows: Sequence[Controller], catalog: Catalog) -> list[Object]:
    """Everything for a klusterlet's process on its own cluster."""
    fixed = table_rights(rows, Side.SPOKE, catalog)
    _allow_crds(fixed, spoke_crds())
    work = Rights()
    work.allow("", "namespaces", MANAGE)
    return [
        *_account(KLUSTERLET),
        _role(KLUSTERLET, fixed),
        _binding(KLUSTERLET, KLUSTERLET, KLUSTERLET),
        _collected("gitops-ocm-work", WORK_LABEL),
        _role("gitops-ocm-work-default", work, {WORK_LABEL: "true"}),
        _binding("gitops-ocm-work", "gitops-ocm-work", KLUSTERLET),
        # Kubernetes' own role for all that is in namespaces, including kinds that aggregate to it.
        _binding("gitops-ocm-work-admin", "admin", KLUSTERLET),
    ]


def _synced() -> Rights:
    """What Git may hold unless more is granted: OCM's kinds, namespaces and ConfigMaps."""
    rights, of_a_hub = Rights(), _hub_kinds() - {PLACEMENT_DECISION}
    for definition in SCHEME:
        of_a_fleet = definition.group in (CLUSTER_GROUP, WORK_GROUP, ADDON_GROUP, SYNC_GROUP)
        if of_a_fleet and definition.of in of_a_hub:
            rights.allow(definition.group, definition.plural, MANAGE)
    for plural in ("namespaces", "configmaps"):
        rights.allow("", plural, MANAGE)
    # What OCM's webhooks ask about whoever accepts a cluster, puts it in a set, or binds a set.
    rights.allow(REGISTER_GROUP, "managedclusters/accept", ("update",))
    rights.allow(CLUSTER_GROUP, "managedclustersets/join", ("create",))
    rights.allow(CLUSTER_GROUP, "managedclustersets/bind", ("create",))
    return rights


def _hub_kinds() -> frozenset[Kind]:
    return frozenset(Kind(crd["spec"]["group"], crd["spec"]["names"]["kind"]) for crd in hub_crds())


def hold_what_agents_get(rights: Rights) -> None:
    """Nobody may grant what they do not hold, unless they may grant everything: so hold it, and no more."""
    roles = (access.cluster_role("any", accepted=True, labels={}), *access.shared_roles(labels={}))
    for rule in (rule for role in roles for rule in role["rules"]):
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                rights.allow(group, resource, rule["verbs"])


def _allow_crds(rights: Rights, crds: Iterable[Object]) -> None:
    """Making them and keeping our own up to date; others' are not even readable."""
    rights.allow(CRDS.group, CRDS.plural, ("create",))
    rights.allow(CRDS.group, CRDS.plural, ("get", "patch"), [crd["metadata"]["name"] for crd in crds])


def _written(text: str) -> tuple[str, str]:
    """(group, resource) of a row's `plural`, `group/plural` or `group/plural/subresource`."""
    group, slash, resource = text.partition("/")
    return (group, resource) if slash else ("", text)


def _plural(kind: Kind, catalog: Catalog) -> str:
    return next(r.plural for r in catalog.resources() if r.of == kind)


def _ordered(verbs: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(verbs, key=lambda v: (ORDER.index(v) if v in ORDER else len(ORDER), v)))


def _account(name: str) -> tuple[Object, Object]:
    return (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": dict(_LABELS)}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": dict(_LABELS)},
        },
    )


def _role(name: str, rights: Rights, labels: Mapping[str, str] | None = None) -> Object:
    return {**_cluster_role(name, labels or {}), "rules": rights.rules()}


def _collected(name: str, label: str) -> Object:
    """A role whose rules the cluster collects from all ClusterRoles with a label."""
    selector = {"matchLabels": {label: "true"}}
    return {**_cluster_role(name, {}), "aggregationRule": {"clusterRoleSelectors": [selector]}}


def _cluster_role(name: str, labels: Mapping[str, str]) -> Object:
    return {
        "apiVersion": _VERSION,
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": {**_LABELS, **labels}},
    }


def _binding(name: str, role: str, account: str) -> Object:
    return {
        "apiVersion": _VERSION,
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "labels": dict(_LABELS)},
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}],
    }

"""What the components and the operators themselves may do: rules made from the controller table.

`component_rules` are what each component of a hub or an agent gets. An operator holds exactly the sum of what
it grants, and what it does itself, so it needs neither `escalate` nor `bind`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gitops_ocm.objects.ref import Object
from gitops_ocm.operator.rbac import WORK_LABEL, Rights

AGGREGATE_ROLE = "open-cluster-management:klusterlet-work:aggregate"
"""The sum of all ClusterRoles that say what works may hold; one for all Klusterlets of a cluster."""


def work_aggregate(labels: Mapping[str, str]) -> Object:
    """The ClusterRole that collects what works may hold. Only an administrator may make such a role."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": AGGREGATE_ROLE, "labels": dict(labels)},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {WORK_LABEL: "true"}}]},
    }


def hub_operator_rules() -> list[Object]:
    """What the operator of ClusterManagers may do."""
    return _together(())


def klusterlet_operator_rules() -> list[Object]:
    """What the operator of Klusterlets may do."""
    return _together(())


def _together(rules: Iterable[Object]) -> list[Object]:
    """The same rights in as few rules as can be."""
    rights = Rights()
    for rule in rules:
        names: Sequence[str] = rule.get("resourceNames") or ()
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                rights.allow(group, resource, rule["verbs"], names)
    return rights.rules()

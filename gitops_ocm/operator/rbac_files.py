"""What `deploy/rbac/` holds: the manifests of `operator.rbac` as text."""

from __future__ import annotations

from collections.abc import Iterable

from gitops_ocm.api.crd import crd_yaml
from gitops_ocm.decide.controllers import agent_controllers, hub_controllers
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.objects.ref import Object
from gitops_ocm.operator.install import hub_operator, klusterlet_operator
from gitops_ocm.operator.rbac import ADDON_LABEL, SYNC_LABEL, WORK_LABEL, hub_manifests, klusterlet_manifests
from gitops_ocm.runtime.catalog import load_catalog

_HEAD = """\
# Generated from the controller table (gitops_ocm/decide/controllers.py) by tools/write_rbac.py.
#
"""
_HUB = f"""\
# The account that `gitops-ocm hub run` needs, and nothing more. What Git may hold is a choice of yours: the
# role gitops-ocm-sync is the sum of all ClusterRoles labelled
#   {SYNC_LABEL}: "true"
# By default that is OCM's kinds, namespaces and ConfigMaps. A ClusterRole with the label adds to it; binding
# cluster-admin to the account lets Git hold everything, and makes whoever can push to it an administrator.
# What add-ons' agents may be granted here is a choice of yours too: the role gitops-ocm-addons is the sum of
# all ClusterRoles labelled
#   {ADDON_LABEL}: "true"
# It is empty: label the roles that your AddOnTemplates bind.
"""
_KLUSTERLET = f"""\
# The account that `gitops-ocm klusterlet run` needs on its own cluster. What works may hold is a choice of
# yours: Kubernetes' role admin, and the sum of all ClusterRoles labelled
#   {WORK_LABEL}: "true"
# By default that adds namespaces; CustomResourceDefinitions and cluster-wide roles, say, are for you to add.
# On the hub a klusterlet needs no manifest: it gets its rights when its ManagedCluster is accepted.
"""
_OPERATOR = """\
# An operator as `gitops-ocm init` (hub) or `join` (klusterlet) installs it; its kinds are in deploy/crds.
# It holds exactly what it grants to the components it makes, and what it does itself.
"""


def rbac_files() -> dict[str, str]:
    """File name to content."""
    catalog = load_catalog()
    hub = hub_manifests(hub_controllers(), catalog)
    klusterlet = klusterlet_manifests(agent_controllers(AgentSettings("any")), catalog)
    return {
        "hub.yaml": _HEAD + _HUB + _stream(hub),
        "klusterlet.yaml": _HEAD + _KLUSTERLET + _stream(klusterlet),
        "operator-hub.yaml": _HEAD + _OPERATOR + _stream(_without_crds(hub_operator())),
        "operator-klusterlet.yaml": _HEAD + _OPERATOR + _stream(_without_crds(klusterlet_operator())),
    }


def _without_crds(objects: Iterable[Object]) -> list[Object]:
    return [obj for obj in objects if obj["kind"] != "CustomResourceDefinition"]


def _stream(objects: Iterable[Object]) -> str:
    return "".join("---\n" + crd_yaml(obj) for obj in objects)

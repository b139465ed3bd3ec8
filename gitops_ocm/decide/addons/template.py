"""An add-on whose agent is an AddOnTemplate: what it deploys, registers for and may do on the hub.

The template and the AddOnDeploymentConfig are those that the add-on's status says are desired; putting
them there is configuration's business. Its steps are `template_values`, `template_pods` and
`objects.template_text`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL, ADDON_TEMPLATE_LABEL
from gitops_ocm.api.registration import ADDON_NAMESPACE
from gitops_ocm.decide.addons.agent import (
    DEPLOYMENT_CONFIGS,
    TEMPLATES,
    Agent,
    AgentFailed,
    Probe,
    desired,
    reference,
)
from gitops_ocm.decide.addons.management import served_version
from gitops_ocm.decide.addons.probes import WorkloadsProbe
from gitops_ocm.decide.addons.subjects import client_groups, client_user
from gitops_ocm.decide.addons.template_pods import decorate, proxy_ca
from gitops_ocm.decide.addons.template_values import BadValues, Values, values_for
from gitops_ocm.decide.addons.versions import VERSION
from gitops_ocm.decide.contract import View
from gitops_ocm.decide.kinds import (
    ADDON_GROUP,
    ADDON_TEMPLATE,
    CLUSTER_ADDON,
    DEPLOYMENT_CONFIG,
    RBAC_GROUP,
    SECRET,
)
from gitops_ocm.decide.writes import name_of, namespace_of, uid_of
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.objects.template_text import substituted
from gitops_ocm.objects.workload_values import as_workload, workload_kind

_WORKLOADS = WorkloadsProbe()
_SUBJECTS = ("ClusterRoleBinding", "RoleBinding")


@dataclass(frozen=True)
class TemplateAgent:
    """The agent of an add-on that refers to an AddOnTemplate."""

    namespace: str
    """Where the Secrets of signing CAs are that name no namespace: the manager's own."""
    probe: Probe = _WORKLOADS
    supported: tuple[tuple[str, str], ...] = (DEPLOYMENT_CONFIGS, TEMPLATES)
    hosts: bool = False
    waits_for_config: bool = True

    def manifests(self, view: View, cluster: Object, addon: Object) -> list[Object]:
        """The template's manifests, filled in for the cluster."""
        template = _template(view, addon)
        try:
            values = values_for(cluster, template, _config(view, addon))
            return rendered(name_of(addon), template, values)
        except BadValues as error:
            raise AgentFailed(error.message, hint=error.hint) from error

    def manifest_configs(self, view: View, addon: Object) -> Sequence[Object]:
        """The template's own."""
        found: Sequence[Object] = _agent_spec(_template(view, addon)).get("manifestConfigs") or ()
        return found

    def registrations(self, view: View, cluster: Object, addon: Object) -> list[Object] | None:
        """One for each that the template asks for."""
        asked = (_template(view, addon).get("spec") or {}).get("registration") or ()
        found = [_registration(told, name_of(cluster), name_of(addon)) for told in asked]
        return [each for each in found if each is not None]

    def permissions(
        self, view: View, cluster: Object, addon: Object, subjects: Sequence[Object]
    ) -> list[Object]:
        """The RoleBindings of the template's hub permissions."""
        asked = (_template(view, addon).get("spec") or {}).get("registration") or ()
        return [
            _binding(permission, addon, subjects, served_version(view, CLUSTER_ADDON) or VERSION)
            for told in asked
            if told.get("type") == "KubeClient"
            for permission in (told.get("kubeClient") or {}).get("hubPermissions") or ()
        ]

    def install_namespace(self, view: View, addon: Object) -> str:
        """Where the first Deployment is, else the first DaemonSet, unless the configuration says."""
        told = ((_config(view, addon) or {}).get("spec") or {}).get("agentInstallNamespace")
        return str(told or "") or _home(_agent_spec(_template(view, addon)))

    def signing_ca(self, view: View, addon: Object, signer: str) -> Ref | None:
        """As the template says."""
        for told in (_template(view, addon).get("spec") or {}).get("registration") or ():
            custom = told.get("customSigner") or {}
            if told.get("type") == "CustomSigner" and custom.get("signerName") == signer:
                ca = custom.get("signingCA") or {}
                return Ref(*SECRET, str(ca.get("namespace") or self.namespace), str(ca.get("name", "")))
        return None


@dataclass(frozen=True)
class TemplateAgents:
    """Finds the agents of add-ons that refer to templates."""

    namespace: str

    def __call__(self, view: View, addon: Object) -> Agent | None:
        """The agent, where the add-on refers to a template."""
        return TemplateAgent(self.namespace) if reference(addon, TEMPLATES) is not None else None


def rendered(addon: str, template: Object, values: Values) -> list[Object]:
    """A template's manifests filled in, and what comes with them."""
    found = []
    for index, manifest in enumerate(manifests_of(template)):
        try:
            obj = substituted(manifest, values.variables)
        except ValueError as error:
            raise BadValues(
                f"manifest {index} of AddOnTemplate {name_of(template)} is none with the values of the "
                f"cluster: {error}",
                hint="values are put into the manifest's JSON as they are: escape quotation marks",
            ) from error
        workload = as_workload(obj)
        if workload is not None:
            decorate(workload, addon, template, values)
        found.append(_moved(obj if workload is None else workload, values.namespace))
    ca = proxy_ca(addon, values)
    return [*found, *([_moved(ca, values.namespace)] if ca is not None else [])]


def _moved(obj: Object, namespace: str) -> Object:
    """An object in the namespace that its agent is to run in; what has no namespace gets none."""
    if not namespace:
        return obj
    kind, meta = obj.get("kind"), obj.get("metadata")
    if isinstance(meta, dict) and isinstance(meta.get("namespace"), str) and meta["namespace"]:
        meta["namespace"] = namespace
    if kind == "Namespace" and isinstance(meta, dict):
        meta["name"] = namespace
    elif kind in _SUBJECTS:
        if "subjects" not in obj:
            raise BadValues("failed to find field subjects", hint=f"give the {kind} its subjects")
        for subject in obj["subjects"] or ():
            subject["namespace"] = namespace
    return obj


def manifests_of(template: Mapping[str, Any]) -> Sequence[Object]:
    """The manifests of an AddOnTemplate."""
    found: Sequence[Object] = (_agent_spec(template).get("workload") or {}).get("manifests") or ()
    return found


def _agent_spec(template: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (template.get("spec") or {}).get("agentSpec") or {}
    return found


def _home(spec: Mapping[str, Any]) -> str:
    found: dict[str, str] = {}
    for manifest in (spec.get("workload") or {}).get("manifests") or ():
        kind = workload_kind(manifest)
        if kind and as_workload(manifest) is not None and not found.get(kind):
            found[kind] = str((manifest.get("metadata") or {}).get("namespace") or "")
            if kind == "Deployment":
                break
    return found.get("Deployment") or found.get("DaemonSet") or ADDON_NAMESPACE


def _template(view: View, addon: Object) -> Object:
    told = desired(addon, TEMPLATES, "template")
    name = told[1] if told is not None else ""
    template = view.get(Ref(*ADDON_TEMPLATE, "", name))
    if template is None:
        raise AgentFailed(
            f'addontemplate.{ADDON_GROUP} "{name}" not found', hint="create it, or refer to another one"
        )
    return template


def _config(view: View, addon: Object) -> Object | None:
    told = desired(addon, DEPLOYMENT_CONFIGS, "deployment config")
    if told is None:
        return None
    config = view.get(Ref(*DEPLOYMENT_CONFIG, *told))
    if config is None:
        raise AgentFailed(
            f'addondeploymentconfigs.{ADDON_GROUP} "{told[1]}" not found',
            hint=f"create it in namespace {told[0]}, or refer to another one",
        )
    return config


def _registration(asked: Mapping[str, Any], cluster: str, addon: str) -> Object | None:
    agent = f"{addon}-agent"
    default: Object = {"user": client_user(cluster, addon, agent), "groups": client_groups(cluster, addon)}
    if asked.get("type") == "KubeClient":
        return {"type": "kubeClient", "kubeClient": {"subject": default}}
    custom = asked.get("customSigner")
    if asked.get("type") != "CustomSigner" or custom is None:
        return None
    subject = custom.get("subject")
    if subject is not None:
        fields = (("groups", "groups"), ("organizationUnit", "organizationUnits"))
        told = {name: subject[field] for field, name in fields if subject.get(field)}
        default = {"user": str(subject.get("user") or ""), **told}
    signer = {"signerName": str(custom.get("signerName", "")), "subject": default}
    return {"type": "customSigner", "customSigner": signer}


def _binding(
    permission: Mapping[str, Any], addon: Object, subjects: Sequence[Object], version: str
) -> Object:
    """The RoleBinding of one permission; only in the add-on's own namespace can it be its owner."""
    name, cluster = name_of(addon), namespace_of(addon)
    owners: list[Object] = []
    if permission.get("type") == "CurrentCluster":
        told = permission.get("currentCluster")
        if told is None:
            raise AgentFailed("current cluster is required when the HubPermission type is CurrentCluster")
        namespace = cluster
        role = {"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": told.get("clusterRoleName", "")}
        owners = [{"apiVersion": version, "kind": "ManagedClusterAddOn", "name": name, "uid": uid_of(addon)}]
    else:
        told = permission.get("singleNamespace")
        if told is None:
            raise AgentFailed("single namespace is required when the HubPermission type is SingleNamespace")
        namespace, role = str(told.get("namespace", "")), dict(told.get("roleRef") or {})
    kind = str(role.get("kind", "")).lower()
    meta: Object = {
        "name": f"open-cluster-management:{name}:{kind}:agent",
        "namespace": namespace,
        "labels": {ADDON_NAME_LABEL: name, ADDON_TEMPLATE_LABEL: ""},
        **({"ownerReferences": owners} if owners else {}),
    }
    return {
        "apiVersion": f"{RBAC_GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": meta,
        "roleRef": role,
        "subjects": list(subjects),
    }

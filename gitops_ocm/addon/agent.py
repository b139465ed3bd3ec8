"""An author's add-on as an agent that the rows of add-ons can deploy (`decide.addons.agent`).

What an author's function raises, or answers that is no manifest, is told in the add-on's status.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from gitops_ocm.addon.definition import Addon, Config, Request, Rule, Signer
from gitops_ocm.api.addon_words import ADDON_NAME_LABEL, ADDON_TEMPLATE_LABEL, VALUES_ANNOTATION
from gitops_ocm.decide.addons.agent import DEPLOYMENT_CONFIGS, Agent, AgentFailed, Probe, desired
from gitops_ocm.decide.addons.subjects import client_groups, client_user
from gitops_ocm.decide.contract import View
from gitops_ocm.decide.kinds import DEPLOYMENT_CONFIG, RBAC_GROUP, SECRET
from gitops_ocm.decide.writes import annotations_of, labels_of, name_of, namespace_of, status_of
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.ref import Object, Ref


@dataclass(frozen=True)
class AuthorAgent:
    """The agent of an author's add-on."""

    addon: Addon[Any]
    supported: tuple[tuple[str, str], ...] = (DEPLOYMENT_CONFIGS,)
    waits_for_config: bool = True

    @property
    def probe(self) -> Probe:
        """As the author says."""
        return self.addon.health

    @property
    def hosts(self) -> bool:
        """As the author says."""
        return self.addon.hosts

    def manifests(self, view: View, cluster: Object, addon: Object) -> list[Object]:
        """What the author's function answers for this cluster."""
        spec = _deployment(view, addon)
        claims = {c["name"]: c["value"] for c in status_of(cluster).get("clusterClaims") or ()}
        request = Request(
            name_of(cluster),
            name_of(addon),
            self.install_namespace(view, addon) or self.addon.namespace,
            configured(self.addon.config, annotations_of(addon), spec),
            labels_of(cluster),
            claims,
            annotations_of(addon),
            spec,
        )
        try:
            found = list(self.addon.manifests(request))
        except GitopsError as error:
            raise AgentFailed(error.message, hint=error.hint) from error
        except Exception as error:
            raise AgentFailed(f"the add-on's manifests failed: {type(error).__name__}: {error}") from error
        for index, manifest in enumerate(found):
            _check(index, manifest)
        return found

    def manifest_configs(self, view: View, addon: Object) -> Sequence[Object]:
        """None beside those of its health."""
        return ()

    def registrations(self, view: View, cluster: Object, addon: Object) -> list[Object] | None:
        """Access to the hub, and the author's signers."""
        place, name = name_of(cluster), name_of(addon)
        default = {"user": client_user(place, name, name), "groups": client_groups(place, name)}
        found: list[Object] = []
        if self.addon.hub_access is not None:
            found.append({"type": "kubeClient", "kubeClient": {"subject": default}})
        found += [_signer(signer, default) for signer in self.addon.signers]
        return found or None

    def permissions(
        self, view: View, cluster: Object, addon: Object, subjects: Sequence[Object]
    ) -> list[Object]:
        """A Role with the author's rules in the cluster's namespace, and its binding."""
        access = self.addon.hub_access
        return role_and_binding(addon, access.rules, subjects) if access is not None and access.rules else []

    def install_namespace(self, view: View, addon: Object) -> str:
        """As the configuration says, else the author."""
        return str(_deployment(view, addon).get("agentInstallNamespace") or self.addon.namespace)

    def signing_ca(self, view: View, addon: Object, signer: str) -> Ref | None:
        """As the author says."""
        for each in self.addon.signers:
            if each.name == signer:
                return Ref(*SECRET, each.ca_namespace, each.ca_secret)
        return None


@dataclass(frozen=True)
class AuthorAgents:
    """The agents of some authors' add-ons, by name."""

    addons: Mapping[str, Addon[Any]]

    def __call__(self, view: View, addon: Object) -> Agent | None:
        """The agent, where the add-on is one of these."""
        found = self.addons.get(name_of(addon))
        return AuthorAgent(found) if found is not None else None


def configured(model: type[Config], annotations: Mapping[str, str], deployment: Mapping[str, Any]) -> Config:
    """The settings in force: the annotation's values, and the variables over them."""
    fields = {name.lower(): name for name in model.model_fields}
    try:
        told = json.loads(annotations.get(VALUES_ANNOTATION) or "{}")
    except ValueError as error:
        raise AgentFailed(f"the annotation {VALUES_ANNOTATION} is no JSON: {error}") from error
    if not isinstance(told, dict):
        raise AgentFailed(f"the annotation {VALUES_ANNOTATION} is no JSON object")
    variables = {v["name"]: v.get("value") or "" for v in deployment.get("customizedVariables") or ()}
    given = {fields.get(name.lower(), name): value for name, value in {**told, **variables}.items()}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise AgentFailed(
            f"the add-on's settings are wrong: {where}: {first['msg']}",
            hint=f"there are {', '.join(sorted(model.model_fields)) or 'none'}",
        ) from error


def _deployment(view: View, addon: Object) -> Mapping[str, Any]:
    told = desired(addon, DEPLOYMENT_CONFIGS, "deployment config")
    if told is None:
        return {}
    config = view.get(Ref(*DEPLOYMENT_CONFIG, *told))
    if config is None:
        raise AgentFailed(f"there is no AddOnDeploymentConfig {told[0]}/{told[1]}")
    found: Mapping[str, Any] = config.get("spec") or {}
    return found


def _check(index: int, manifest: Any) -> None:
    fine = isinstance(manifest, dict) and all(manifest.get(field) for field in ("apiVersion", "kind"))
    if not fine or not (manifest.get("metadata") or {}).get("name"):
        raise AgentFailed(
            f"manifest {index} of the add-on is no object",
            hint="a manifest is a mapping with apiVersion, kind and metadata.name",
        )


def _signer(signer: Signer, default: Mapping[str, Any]) -> Object:
    told = {"user": signer.user, "groups": list(signer.groups)}
    subject = {key: value for key, value in told.items() if value} or dict(default)
    return {"type": "customSigner", "customSigner": {"signerName": signer.name, "subject": subject}}


def role_and_binding(addon: Object, rules: Sequence[Rule], subjects: Sequence[Object]) -> list[Object]:
    """What an agent may do in its cluster's namespace on the hub."""
    name = f"open-cluster-management:{name_of(addon)}:agent"
    meta: Object = {
        "name": name,
        "namespace": namespace_of(addon),
        "labels": {ADDON_NAME_LABEL: name_of(addon), ADDON_TEMPLATE_LABEL: ""},
    }
    version = f"{RBAC_GROUP}/v1"
    ref = {"apiGroup": RBAC_GROUP, "kind": "Role", "name": name}
    return [
        {"apiVersion": version, "kind": "Role", "metadata": meta, "rules": [rule_of(r) for r in rules]},
        {
            "apiVersion": version,
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": ref,
            "subjects": list(subjects),
        },
    ]


def rule_of(rule: Rule) -> Object:
    """A rule as RBAC has it."""
    return {
        "apiGroups": [rule.group],
        "resources": list(rule.resources),
        "verbs": list(rule.verbs),
        **({"resourceNames": list(rule.names)} if rule.names else {}),
    }

"""The Update strategy: what an existing object becomes so that it is as its manifest says.

Some kinds are merged field by field, for parts of them belong to others (a Pod's spec cannot be changed,
a webhook's CA is injected); of all others everything but metadata and status is the manifest's. Whether
anything is written at all is for `decide.agent.strategies`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from gitops_ocm.decide.agent.drift import as_wished
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.ref import Kind, Object, kind_of

Fields = dict[str, Any]
"""Top-level fields of an object that are to be exactly so."""

_RBAC, _ADMISSION = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"
_STORAGE_CLASS = Kind("storage.k8s.io", "StorageClass")
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_NOT_CONTENT = frozenset({"apiVersion", "kind", "metadata", "status"})
_SPEC_KINDS = frozenset(
    {
        Kind("", "Service"),
        Kind("networking.k8s.io", "NetworkPolicy"),
        Kind("policy", "PodDisruptionBudget"),
        Kind("apiextensions.k8s.io", "CustomResourceDefinition"),
        Kind(_ADMISSION, "ValidatingAdmissionPolicy"),
        Kind(_ADMISSION, "ValidatingAdmissionPolicyBinding"),
        Kind("storage.k8s.io", "CSIDriver"),
        *(
            Kind("monitoring.coreos.com", kind)
            for kind in ("ServiceMonitor", "PrometheusRule", "Alertmanager", "Prometheus")
        ),
    }
)
_IMMUTABLE: Mapping[Kind, tuple[str, ...]] = {
    Kind("", "Secret"): ("type",),
    _STORAGE_CLASS: (
        "provisioner",
        "parameters",
        "reclaimPolicy",
        "volumeBindingMode",
    ),
    Kind("storage.k8s.io", "CSIDriver"): ("spec",),
}


class Unmergeable(GitopsError):
    """A manifest that contradicts itself."""

    code = "manifest-unmergeable"


def content(manifest: Object, live: Object) -> Fields:
    """The top-level fields the live object is to have, by the rule of its kind; raises `Unmergeable`."""
    kind = kind_of(manifest)
    if rule := _RULES.get(kind):
        return rule(manifest, live)
    if kind in _SPEC_KINDS:
        return {"spec": manifest.get("spec")}
    return {k: v for k, v in manifest.items() if k not in _NOT_CONTENT}


def is_whole(manifest: Object) -> bool:
    """Whether the kind's content is the manifest's alone, so that fields it drops have to go."""
    kind = kind_of(manifest)
    return kind not in _RULES and kind not in _SPEC_KINDS


def must_recreate(manifest: Object, live: Object) -> bool:
    """Whether a field that cannot be changed is to have another value than it has.

    What a server filled in is no other value: a driver would be made anew for ever.
    """
    return any(
        name in manifest and not as_wished(manifest[name], live.get(name))
        for name in _IMMUTABLE.get(kind_of(manifest), ())
    ) or _fewer(manifest, live)


def _fewer(manifest: Object, live: Object) -> bool:
    """Whether a StorageClass has parameters that its manifest has not: a server adds none."""
    if kind_of(manifest) != _STORAGE_CLASS:
        return False
    return not set(live.get("parameters") or ()) <= set(manifest.get("parameters") or ())


def as_chosen(manifest: Object, live: Object) -> Object:
    """A StorageClass with what was chosen on the cluster: whether it is the default one."""
    chosen = (live["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS)
    if kind_of(manifest) != _STORAGE_CLASS or chosen is None:
        return manifest
    meta = manifest["metadata"]
    annotations = {**(meta.get("annotations") or {}), _DEFAULT_CLASS: chosen}
    return {**manifest, "metadata": {**meta, "annotations": annotations}}


def merged(manifest: Object, live: Object, owner: Object | None, anchor_uid: str) -> Object:
    """The whole object to PUT: content by its kind's rule, metadata merged, status as it is."""
    fields = content(manifest, live)
    base = {k: v for k, v in live.items() if k in _NOT_CONTENT} if is_whole(manifest) else dict(live)
    result = {**base, **{k: v for k, v in fields.items() if v is not None}}
    for name in [k for k, v in fields.items() if v is None]:
        result.pop(name, None)
    result["metadata"] = _metadata(manifest, live, owner, anchor_uid)
    result["apiVersion"] = manifest["apiVersion"]
    return result


def _metadata(manifest: Object, live: Object, owner: Object | None, anchor_uid: str) -> Object:
    """Labels and annotations are added and overwritten, never dropped; everything else stays."""
    wished, meta = manifest.get("metadata") or {}, dict(live["metadata"])
    for part in ("labels", "annotations"):
        held = dict(meta.get(part) or {})
        for key, value in (wished.get(part) or {}).items():
            if key.endswith("-"):
                held.pop(key[:-1], None)
            else:
                held[key] = value
        if held or part in meta:
            meta[part] = held
    owners = owners_with(live, owner, anchor_uid)
    if owners or "ownerReferences" in meta:
        meta["ownerReferences"] = owners
    return meta


def owners_with(live: Object, owner: Object | None, anchor_uid: str) -> list[Object]:
    """The owners an object is to have: ours added, or taken away where `owner` is None."""
    held = list(live["metadata"].get("ownerReferences") or ())
    if owner is None:
        return [o for o in held if o.get("uid") != anchor_uid]
    return held if any(o.get("uid") == anchor_uid for o in held) else [*held, owner]


# --- rules of single kinds --------------------------------------------------------------------------


def _nothing(manifest: Object, live: Object) -> Fields:
    """Only metadata is the manifest's."""
    return {}


def _config_map(manifest: Object, live: Object) -> Fields:
    """Exact, but for CA bundles that the cluster injects where a label or annotation asks for it."""
    meta = manifest.get("metadata") or {}
    data, have = dict(manifest.get("data") or {}), live.get("data") or {}
    injected = (
        ("ca-bundle.crt", "labels", "config.openshift.io/inject-trusted-cabundle"),
        ("service-ca.crt", "annotations", "service.beta.openshift.io/inject-cabundle"),
    )
    for key, part, mark in injected:
        if (meta.get(part) or {}).get(mark) == "true" and key not in data and key in have:
            data[key] = have[key]
    return {"data": data or None, "binaryData": manifest.get("binaryData") or None}


def secret_data(manifest: Object) -> dict[str, str]:
    """A Secret's data with its stringData folded in."""
    data = dict(manifest.get("data") or {})
    for key, text in (manifest.get("stringData") or {}).items():
        encoded = base64.b64encode(str(text).encode()).decode()
        if data.get(key, encoded) != encoded:
            raise Unmergeable(f"Secret.stringData[{key!r}] conflicts with Secret.data[{key!r}]")
        data[key] = encoded
    return data


def _secret(manifest: Object, live: Object) -> Fields:
    """Exact, but for what the cluster puts into a service account's token."""
    data = secret_data(manifest)
    if manifest.get("type") == "kubernetes.io/service-account-token":
        data = {**(live.get("data") or {}), **data}
    return {"data": data or None}


def _role(manifest: Object, live: Object) -> Fields:
    if manifest.get("aggregationRule"):
        return {"aggregationRule": manifest["aggregationRule"]}
    return {"rules": manifest.get("rules") or None}


def _binding(manifest: Object, live: Object) -> Fields:
    return {"subjects": manifest.get("subjects") or None, "roleRef": manifest.get("roleRef")}


def _webhooks(manifest: Object, live: Object) -> Fields:
    """A CA that was injected stays where the manifest has none."""
    bundles = {
        w.get("name"): bundle
        for w in live.get("webhooks") or ()
        if (bundle := (w.get("clientConfig") or {}).get("caBundle"))
    }
    hooks = []
    for hook in manifest.get("webhooks") or ():
        client = dict(hook.get("clientConfig") or {})
        if not client.get("caBundle") and hook.get("name") in bundles:
            client["caBundle"] = bundles[hook["name"]]
        hooks.append({**hook, "clientConfig": client})
    return {"webhooks": hooks or None}


_RULES: Mapping[Kind, Callable[[Object, Object], Fields]] = {
    Kind("", "Namespace"): _nothing,
    Kind("", "Pod"): _nothing,
    Kind("", "ServiceAccount"): _nothing,
    Kind("", "ConfigMap"): _config_map,
    Kind("", "Secret"): _secret,
    Kind(_RBAC, "ClusterRole"): _role,
    Kind(_RBAC, "Role"): _role,
    Kind(_RBAC, "ClusterRoleBinding"): _binding,
    Kind(_RBAC, "RoleBinding"): _binding,
    Kind(_ADMISSION, "MutatingWebhookConfiguration"): _webhooks,
    Kind(_ADMISSION, "ValidatingWebhookConfiguration"): _webhooks,
}
EXACT = frozenset({Kind("", "ConfigMap"), Kind("", "Secret")})
"""Kinds to which a server adds nothing, so that anything more than the manifest's content is drift."""

"""OCM's add-on kinds between v1alpha1 and v1beta1, as OCM's conversion webhook has it (`conversion`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gitops_ocm.api.addon_words import INSTALL_NAMESPACE_ANNOTATION, RESERVED_NO_DEFAULT
from gitops_ocm.objects.ref import Object

CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"
_GROUP_RESOURCE = ("group", "resource")


def management_to_beta(obj: Object) -> Object:
    """A ClusterManagementAddOn at v1beta1."""
    spec = {
        k: v
        for k, v in (obj.get("spec") or {}).items()
        if k not in ("supportedConfigs", "addOnConfiguration")
    }
    configs = [_default_to_beta(config) for config in (obj.get("spec") or {}).get("supportedConfigs") or ()]
    if configs:
        spec["defaultConfigs"] = configs
    return _renamed({**obj, "spec": spec}, "defaultconfigReferences", "defaultConfigReferences")


def management_to_alpha(obj: Object) -> Object:
    """A ClusterManagementAddOn at v1alpha1."""
    spec = {k: v for k, v in (obj.get("spec") or {}).items() if k != "defaultConfigs"}
    configs = [_default_to_alpha(config) for config in (obj.get("spec") or {}).get("defaultConfigs") or ()]
    if configs:
        spec["supportedConfigs"] = configs
    return _renamed({**obj, "spec": spec}, "defaultConfigReferences", "defaultconfigReferences")


def _default_to_beta(config: Mapping[str, Any]) -> Object:
    default = config.get("defaultConfig")
    named = _present(default, ("name", "namespace")) if default else {"name": RESERVED_NO_DEFAULT}
    return {**_present(config, _GROUP_RESOURCE), **named}


def _default_to_alpha(config: Mapping[str, Any]) -> Object:
    result = _present(config, _GROUP_RESOURCE)
    if config.get("name") not in (None, "", RESERVED_NO_DEFAULT):
        result["defaultConfig"] = _present(config, ("name", "namespace"))
    return result


def addon_to_beta(obj: Object) -> Object:
    """A ManagedClusterAddOn at v1beta1."""
    result = dict(obj)
    spec = dict(obj.get("spec") or {})
    namespace = spec.pop("installNamespace", "")
    result["spec"] = spec
    if namespace:
        meta = obj["metadata"]
        marks = {**(meta.get("annotations") or {}), INSTALL_NAMESPACE_ANNOTATION: namespace}
        result["metadata"] = {**meta, "annotations": marks}
    driver = (obj.get("status") or {}).get("kubeClientDriver", "")
    return _with_status(
        result,
        without=("kubeClientDriver", "addOnConfiguration"),
        registrations=lambda given: _registration_to_beta(given, driver),
        references=lambda given: {k: v for k, v in given.items() if k not in ("name", "namespace")},
    )


def addon_to_alpha(obj: Object) -> Object:
    """A ManagedClusterAddOn at v1alpha1."""
    result = dict(obj)
    meta = obj["metadata"]
    marks = dict(meta.get("annotations") or {})
    namespace = marks.pop(INSTALL_NAMESPACE_ANNOTATION, None)
    if namespace is not None:
        result["spec"] = {**(obj.get("spec") or {}), "installNamespace": namespace}
        kept = {k: v for k, v in meta.items() if k != "annotations"}
        result["metadata"] = {**kept, **({"annotations": marks} if marks else {})}
    status = obj.get("status") or {}
    clients = [
        r
        for r in status.get("registrations") or ()
        if r.get("type") == "kubeClient" and r.get("kubeClient") is not None
    ]
    driver = clients[0]["kubeClient"].get("driver") if clients else None
    changed = _with_status(
        result, without=(), registrations=_registration_to_alpha, references=_reference_to_alpha
    )
    return {**changed, "status": {**changed["status"], "kubeClientDriver": driver}} if driver else changed


def _registration_to_beta(given: Mapping[str, Any], driver: str) -> Object:
    subject = given.get("subject") or {}
    if given.get("signerName") == CLIENT_SIGNER:
        client: Object = {"subject": _present(subject, ("user", "groups"))}
        return {"type": "kubeClient", "kubeClient": {**client, **({"driver": driver} if driver else {})}}
    told = _present(subject, ("user", "groups"))
    if "organizationUnit" in subject:
        told["organizationUnits"] = subject["organizationUnit"]
    return {
        "type": "customSigner",
        "customSigner": {"signerName": given.get("signerName", ""), "subject": told},
    }


def _registration_to_alpha(given: Mapping[str, Any]) -> Object:
    if given.get("type") == "kubeClient":
        subject = (given.get("kubeClient") or {}).get("subject") or {}
        return {"signerName": CLIENT_SIGNER, "subject": _present(subject, ("user", "groups"))}
    signer = given.get("customSigner") or {}
    subject = signer.get("subject") or {}
    told = _present(subject, ("user", "groups"))
    if "organizationUnits" in subject:
        told["organizationUnit"] = subject["organizationUnits"]
    return {"signerName": signer.get("signerName", ""), "subject": told}


def _reference_to_alpha(given: Mapping[str, Any]) -> Object:
    return {**given, **_present(given.get("desiredConfig") or {}, ("name", "namespace"))}


def _with_status(
    obj: Object,
    *,
    without: Iterable[str],
    registrations: Callable[[Mapping[str, Any]], Object],
    references: Callable[[Mapping[str, Any]], Object],
) -> Object:
    if "status" not in obj:
        return obj
    status = {k: v for k, v in obj["status"].items() if k not in without}
    for name, change in (("registrations", registrations), ("configReferences", references)):
        if status.get(name):
            status[name] = [change(each) for each in status[name]]
    return {**obj, "status": status}


def _renamed(obj: Object, old: str, new: str) -> Object:
    status = obj.get("status")
    if not status or old not in status:
        return obj
    return {**obj, "status": {new if k == old else k: v for k, v in status.items()}}


def _present(given: Mapping[str, Any], names: Iterable[str]) -> Object:
    return {name: given[name] for name in names if name in given}

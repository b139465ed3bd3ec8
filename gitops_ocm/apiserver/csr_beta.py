"""Certificate requests as hubs of Kubernetes 1.16 to 1.18 serve them: at v1beta1 alone.

OCM still registers clusters with such hubs, so its agents ask which version there is. The fields are
those of v1; the signer and the usages may be left out, and a condition is true unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gitops_ocm.apiserver.csr_rules import GROUP, KIND, LEGACY_SIGNER, parsed
from gitops_ocm.apiserver.csr_signing import KUBELET_CLIENT, KUBELET_SERVING, is_for
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.ref import Object

VERSION = "v1beta1"
BETA = f"{GROUP}/{VERSION}"
_USAGES = ("digital signature", "key encipherment")


def beta_only(catalog: Catalog) -> Catalog:
    """The catalog with certificate requests at v1beta1, and at no other version."""
    return Catalog(
        replace(s, resource=replace(s.resource, version=VERSION), _memo=[]) if s.resource.of == KIND else s
        for s in catalog.entries()
    )


def defaulted(obj: Object) -> Object:
    """A request sent at v1beta1 with what it may leave out; any other as it is."""
    if obj["apiVersion"] != BETA:
        return obj
    spec = dict(obj.get("spec") or {})
    usages = spec["usages"] = list(spec.get("usages") or _USAGES)
    spec["signerName"] = spec.get("signerName") or _signer(str(spec.get("request") or ""), usages)
    result = {**obj, "spec": spec}
    status = obj.get("status") or {}
    if status.get("conditions"):
        conditions = [{**c, "status": c.get("status") or "True"} for c in status["conditions"]]
        result["status"] = {**status, "conditions": conditions}
    return result if result != obj else obj


def _signer(request: str, usages: Iterable[str]) -> str:
    try:
        found = parsed(request)
    except ValueError:
        return LEGACY_SIGNER
    signers = (name for name in (KUBELET_CLIENT, KUBELET_SERVING) if is_for(name, found, usages))
    return next(signers, LEGACY_SIGNER)

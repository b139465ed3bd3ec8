"""What the server itself does about CertificateSigningRequests: it writes down who asks, and asks who
approves or signs whether they may for that signer. Deciding and signing is for controllers."""

from __future__ import annotations

from typing import Any

from gitops_ocm.apiserver.access import Access, refusal
from gitops_ocm.apiserver.rbac import Attributes, User
from gitops_ocm.objects.faults import forbidden
from gitops_ocm.objects.ref import Object

GROUP, PLURAL = "certificates.k8s.io", "certificatesigningrequests"
_IDENTITY = ("username", "uid", "groups", "extra")
_VERBS = {"approval": "approve", "status": "sign"}


def with_requestor(obj: Object, user: User) -> Object:
    """A new request as the server stores it: the identity in its spec is the caller's, whatever was sent."""
    kept = {
        k: v for k, v in (obj.get("spec") or {}).items() if k not in ("username", "uid", "groups", "extra")
    }
    said: Object = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        said["uid"] = user.uid
    if user.extra:
        said["extra"] = {key: list(values) for key, values in user.extra.items()}
    return {**obj, "spec": {**kept, **said}}


def unchanged_spec(body: Any) -> Any:
    """A patch without what it would do to the spec: a request, once made, stays what it is."""
    if isinstance(body, dict):
        return {key: value for key, value in body.items() if key != "spec"}
    if isinstance(body, list):
        return [op for op in body if not _touches_spec(op)]
    return body


def _touches_spec(op: Any) -> bool:
    paths = (op.get("path"), op.get("from")) if isinstance(op, dict) else ()
    return any(isinstance(p, str) and (p in ("", "/spec") or p.startswith("/spec/")) for p in paths)


def require_signer_right(access: Access, user: User, csr: Object, subresource: str) -> None:
    """To approve, or to put a certificate in, takes a right for that signer (or its whole domain)."""
    verb = _VERBS.get(subresource)
    if verb is None or user.is_master:
        return
    signer = str((csr.get("spec") or {}).get("signerName", ""))
    domain = signer.partition("/")[0]
    for name in (signer, f"{domain}/*"):
        if access.allows(user, Attributes(verb, GROUP, "signers", name=name)):
            return
    wanted = Attributes(verb, GROUP, "signers", name=signer)
    why = f'user not permitted to {verb} requests with signerName "{signer}": {refusal(user, wanted).message}'
    raise forbidden(GROUP, PLURAL, csr["metadata"].get("name", ""), why)

"""What a server does about a CertificateSigningRequest that is written: it judges it by `csr_rules`, and
asks who approves or signs whether they may for that signer.

It writes down who asks, too: the identity in a request's spec is the caller's, whatever was sent.
Deciding and signing is for controllers (`csr_signing`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cryptography.x509.oid import NameOID

from gitops_ocm.apiserver.csr_beta import defaulted
from gitops_ocm.apiserver.csr_rules import GROUP, KIND, PLURAL, causes, parsed, settled
from gitops_ocm.apiserver.rbac import MASTERS, User
from gitops_ocm.decide.admission import Requester, Review
from gitops_ocm.objects.faults import forbidden, invalid
from gitops_ocm.objects.ref import Object

CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"
_IDENTITY = ("username", "uid", "groups", "extra")


def admitted(
    obj: Object, old: Object | None, subresource: str, requester: Requester, now: datetime
) -> Object:
    """The request to store; raises what refuses it."""
    obj = settled(defaulted(obj), old, subresource, now)
    name = obj["metadata"].get("name", "")
    if faults := causes(obj, old, subresource):
        raise invalid(GROUP, KIND.kind, name, faults)
    if old is None:
        _require_no_masters(obj, name)
    elif subresource == "approval":
        _require_right(old, "approve", requester)
    elif subresource == "status" and obj.get("status") != old.get("status"):
        _require_right(old, "sign", requester)
    return _nobodys_spec(obj)


def with_requestor(obj: Object, user: User) -> Object:
    """A new request as the server stores it."""
    kept = {k: v for k, v in (obj.get("spec") or {}).items() if k not in _IDENTITY}
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


def _nobodys_spec(obj: Object) -> Object:
    """The request without owners of its spec, which nobody can change."""
    owners = obj["metadata"].get("managedFields") or ()
    if not any("f:spec" in (entry.get("fieldsV1") or {}) for entry in owners):
        return obj
    meta = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
    kept = []
    for entry in owners:
        fields = {k: v for k, v in (entry.get("fieldsV1") or {}).items() if k != "f:spec"}
        if fields:
            kept.append({**entry, "fieldsV1": fields})
    return {**obj, "metadata": {**meta, "managedFields": kept} if kept else meta}


def _require_no_masters(obj: Object, name: str) -> None:
    """Nobody becomes a superuser by a certificate that this server signs for its clients."""
    if obj["spec"].get("signerName") != CLIENT_SIGNER:
        return
    groups = parsed(obj["spec"]["request"]).subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    if any(group.value == MASTERS for group in groups):
        why = f"use of {CLIENT_SIGNER} signer with {MASTERS} group is not allowed"
        raise forbidden(GROUP, PLURAL, name, why)


def _require_right(csr: Object, verb: str, requester: Requester) -> None:
    """The right is to that signer, or to its whole domain."""
    signer = str(csr["spec"].get("signerName", ""))
    domain = signer.partition("/")[0]
    if not any(requester.allows(Review(GROUP, "signers", "", verb, n)) for n in (signer, f"{domain}/*")):
        why = f'user not permitted to {verb} requests with signerName "{signer}"'
        raise forbidden(GROUP, PLURAL, csr["metadata"]["name"], why)

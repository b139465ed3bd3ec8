"""What kube-controller-manager does about CertificateSigningRequests: approve nodes', sign, clean up. Pure.

Each function takes a request and says how it should be instead; None where it is as it should be. The
signers are the four of Kubernetes, all by this server's own CA; any other signer is somebody else's.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from gitops_ocm.apiserver.csr_rules import APPROVED, DENIED, FAILED, GROUP, LEGACY_SIGNER, PLURAL, parsed
from gitops_ocm.apiserver.rbac import Attributes, User
from gitops_ocm.apiserver.tls import Authority
from gitops_ocm.objects.conditions import is_true, parse_time, timestamp
from gitops_ocm.objects.ref import Object

CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING = "kubernetes.io/kubelet-serving"
LONGEST = timedelta(days=365)
"""What a certificate lasts; a request may ask for less."""
_SHORTEST, _SHORT = timedelta(minutes=10), timedelta(hours=8)
BACKDATED = timedelta(minutes=5)
SETTLED_FOR, PENDING_FOR = timedelta(hours=1), timedelta(hours=24)
"""How long a request is kept once it is decided, and while nobody decides."""
_NODES = "system:nodes"
_SERVING_USAGES = ["digital signature", "key encipherment", "server auth"]
_CLIENT_USAGES = ["client auth", "digital signature", "key encipherment"]


class WrongRequest(Exception):
    """A signer's reason for refusing what was approved."""


def approved(csr: Object, allows: Callable[[User, Attributes], bool], now: datetime) -> Object | None:
    """A node's request for its own client certificate, approved where RBAC lets the requester have it."""
    if _certificate(csr) or _has(csr, APPROVED) or _has(csr, DENIED):
        return None
    spec = csr["spec"]
    if spec.get("signerName") != KUBELET_CLIENT:
        return None
    request = parsed(spec["request"])
    if not is_for(KUBELET_CLIENT, request, spec.get("usages") or ()):
        return None
    own = _names(request, NameOID.COMMON_NAME) == [spec.get("username")]
    extra = {key: tuple(values) for key, values in (spec.get("extra") or {}).items()}
    groups = tuple(spec.get("groups") or ())
    user = User(str(spec.get("username", "")), groups, str(spec.get("uid", "")), extra)
    for right, word in (("selfnodeclient", "self "), ("nodeclient", "")):
        if (own or not word) and allows(user, Attributes("create", GROUP, PLURAL, right)):
            told = f"Auto approving {word}kubelet client certificate after SubjectAccessReview."
            return _with_condition(csr, APPROVED, "AutoApproved", told, now)
    return None


def signed(csr: Object, authority: Authority, now: datetime) -> Object | None:
    """An approved request with its certificate, or with why it cannot have one."""
    check = _SIGNERS.get(csr["spec"].get("signerName", ""))
    if check is None or _certificate(csr) or not is_true(csr, APPROVED) or is_true(csr, FAILED):
        return None
    spec = csr["spec"]
    request = parsed(spec["request"])
    try:
        check(request, spec.get("usages") or ())
    except WrongRequest as wrong:
        return _with_condition(csr, FAILED, "SignerValidationFailure", str(wrong), now)
    lasts = _lifetime(spec.get("expirationSeconds"))
    # Five minutes earlier at both ends, for clocks that are behind; they would be missed by a short one.
    end = now + lasts if lasts < _SHORT else now + lasts - BACKDATED
    pem = authority.certify(request, spec.get("usages") or (), start=now - BACKDATED, end=end)
    return {**csr, "status": {**csr["status"], "certificate": base64.b64encode(pem).decode()}}


def is_for(signer: str, request: x509.CertificateSigningRequest, usages: Iterable[str]) -> bool:
    """Whether the signer would sign that."""
    try:
        _SIGNERS[signer](request, usages)
    except WrongRequest:
        return False
    return True


def outdated(csr: Object, now: datetime) -> bool:
    """Whether it is time for the request to go."""
    conditions = (csr.get("status") or {}).get("conditions") or ()
    certificate = _certificate(csr)
    created = parse_time(csr["metadata"]["creationTimestamp"])
    if not conditions:
        return now - created > PENDING_FOR
    for condition in conditions:
        since = parse_time(condition["lastUpdateTime"]) if condition.get("lastUpdateTime") else created
        kind, age = condition.get("type"), now - since
        if kind in (DENIED, FAILED) and age > SETTLED_FOR:
            return True
        if kind == APPROVED and age > (SETTLED_FOR if certificate else PENDING_FOR):
            return True
        if kind == APPROVED and certificate and _expired(certificate, now):
            return True
    return False


def _lifetime(seconds: int | None) -> timedelta:
    return LONGEST if seconds is None else max(_SHORTEST, min(LONGEST, timedelta(seconds=seconds)))


def _check_client(request: x509.CertificateSigningRequest, usages: Iterable[str]) -> None:
    usages = tuple(usages)
    for usage in usages:
        if usage not in _CLIENT_USAGES:
            raise WrongRequest(f"invalid usage for client certificate: {usage}")
    if "client auth" not in usages:
        raise WrongRequest("missing required usage for client certificate: client auth")


def _check_kubelet_client(request: x509.CertificateSigningRequest, usages: Iterable[str]) -> None:
    _require_nodes(request)
    for kind, names in _alternatives(request).items():
        if names:
            raise WrongRequest(f"{kind} subjectAltNames are not allowed")
    _require_node_name(request)
    _require_usages(usages, _CLIENT_USAGES)


def _check_kubelet_serving(request: x509.CertificateSigningRequest, usages: Iterable[str]) -> None:
    _require_nodes(request)
    names = _alternatives(request)
    if not names["DNS"] and not names["IP"]:
        raise WrongRequest("DNS or IP subjectAltName is required")
    for kind in ("Email", "URI"):
        if names[kind]:
            raise WrongRequest(f"{kind} subjectAltNames are not allowed")
    _require_usages(usages, _SERVING_USAGES)
    _require_node_name(request)


def _require_nodes(request: x509.CertificateSigningRequest) -> None:
    if _names(request, NameOID.ORGANIZATION_NAME) != [_NODES]:
        raise WrongRequest(f"subject organization is not {_NODES}")


def _require_node_name(request: x509.CertificateSigningRequest) -> None:
    if not "".join(_names(request, NameOID.COMMON_NAME)).startswith("system:node:"):
        raise WrongRequest("subject common name does not begin with system:node:")


def _require_usages(usages: Iterable[str], wanted: list[str]) -> None:
    """Key encipherment is for RSA keys alone, so it may be left out."""
    if set(usages) not in (set(wanted), set(wanted) - {"key encipherment"}):
        raise WrongRequest(f"usages did not match [{' '.join(wanted)}]")


def _alternatives(request: x509.CertificateSigningRequest) -> Mapping[str, list[Any]]:
    try:
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = x509.SubjectAlternativeName([])
    return {
        "DNS": names.get_values_for_type(x509.DNSName),
        "Email": names.get_values_for_type(x509.RFC822Name),
        "IP": names.get_values_for_type(x509.IPAddress),
        "URI": names.get_values_for_type(x509.UniformResourceIdentifier),
    }


_SIGNERS: Mapping[str, Callable[[x509.CertificateSigningRequest, Iterable[str]], None]] = {
    CLIENT: _check_client,
    KUBELET_CLIENT: _check_kubelet_client,
    KUBELET_SERVING: _check_kubelet_serving,
    LEGACY_SIGNER: lambda request, usages: None,  # whatever it asks for: approving it is the only check
}


def _names(request: x509.CertificateSigningRequest, oid: x509.ObjectIdentifier) -> list[Any]:
    return [attribute.value for attribute in request.subject.get_attributes_for_oid(oid)]


def _certificate(csr: Object) -> str:
    return str((csr.get("status") or {}).get("certificate") or "")


def _has(csr: Object, kind: str) -> bool:
    return any(c.get("type") == kind for c in (csr.get("status") or {}).get("conditions") or ())


def _expired(certificate: str, now: datetime) -> bool:
    found = x509.load_pem_x509_certificate(base64.b64decode(certificate))
    return found.not_valid_after_utc < now


def _with_condition(csr: Object, kind: str, reason: str, message: str, now: datetime) -> Object:
    status = csr.get("status") or {}
    condition = {
        "type": kind,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastUpdateTime": timestamp(now),
    }
    return {**csr, "status": {**status, "conditions": [*(status.get("conditions") or ()), condition]}}

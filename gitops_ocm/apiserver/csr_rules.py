"""CertificateSigningRequests: what a valid one is, and what each of its subresources may change. Pure.

The rules and texts are those of kube-apiserver's validation of certificates.k8s.io/v1; v1beta1, as old
hubs serve it alone, is more lenient. Who may approve or sign is asked in `csr_admission`, the signing
itself is `csr_signing`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gitops_ocm.apiserver.csr_pem import blocks
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.names import label_problems, subdomain_problems
from gitops_ocm.objects.ref import Kind, Object

GROUP, PLURAL = "certificates.k8s.io", "certificatesigningrequests"
KIND = Kind(GROUP, "CertificateSigningRequest")
V1 = f"{GROUP}/v1"
LEGACY_SIGNER = "kubernetes.io/legacy-unknown"
APPROVED, DENIED, FAILED = "Approved", "Denied", "Failed"
USAGES = (
    "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment",
    "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system",
    "ipsec tunnel", "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc",
    "ocsp signing", "s/mime", "server auth", "signing", "timestamping",
)  # fmt: skip
SHORTEST = 600
"""The least seconds a certificate may be asked for."""
_CONDITIONS = "status.conditions"
_MAX_DOMAIN, _MAX_SIGNER = 253, 571


def parsed(request: str) -> x509.CertificateSigningRequest:
    """The request in the base64 of its PEM; ValueError says what is wrong with it."""
    try:
        data = base64.b64decode(request, validate=True)
    except binascii.Error as error:
        raise ValueError("PEM block type must be CERTIFICATE REQUEST") from error
    first = next(iter(blocks(data)), None)
    if first is None or first.label != "CERTIFICATE REQUEST":
        raise ValueError("PEM block type must be CERTIFICATE REQUEST")
    try:
        found = x509.load_der_x509_csr(first.body)
        # Both are read on demand, and have faults of their own: later it would be too late to say so.
        _ = found.subject, found.extensions
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ValueError(f"asn1: {error}") from error
    return found


def settled(new: Object, old: Object | None, subresource: str, now: datetime) -> Object:
    """The request with what the server says itself: verdicts stay as they are but on `/approval`, and
    every condition has its times.
    """
    if old is None or not subresource:
        return new
    conditions = list((new.get("status") or {}).get("conditions") or ())
    before = (old.get("status") or {}).get("conditions") or ()
    if subresource == "status":
        for kind in (APPROVED, DENIED):
            conditions = _preserved(conditions, before, kind)
    timed = [_timed(condition, before, timestamp(now)) for condition in conditions]
    if timed == list((new.get("status") or {}).get("conditions") or ()):
        return new
    return {**new, "status": {**(new.get("status") or {}), "conditions": timed}}


def causes(new: Object, old: Object | None, subresource: str) -> list[Cause]:
    """The fields at fault."""
    lenient = new["apiVersion"] != V1
    return [
        *_spec(new.get("spec") or {}, (old or {}).get("spec") or {}, lenient=lenient),
        *_conditions(_of(new), _of(old), lenient=lenient),
        *_certificate(new, old, lenient=lenient),
        *(_changes(new, old, subresource) if old is not None else ()),
    ]


def _spec(spec: Mapping[str, Any], before: Mapping[str, Any], *, lenient: bool) -> Iterator[Cause]:
    request = spec.get("request") or ""
    problem = _request_problem(request)
    if problem:
        yield _invalid("spec.request", request, problem)
    usages = spec.get("usages") or ()
    if not usages:
        yield Cause("FieldValueRequired", "Required value", "spec.usages")
    if not lenient and usages != before.get("usages"):
        yield from _usages(usages)
    signer = spec.get("signerName") or ""
    if signer == LEGACY_SIGNER and not lenient and before.get("signerName") != signer:
        yield _invalid("spec.signerName", signer, "the legacy signerName is not allowed via this API version")
    else:
        yield from _signer_name(signer)
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < SHORTEST:
        text = f"may not specify a duration less than {SHORTEST} seconds (10 minutes)"
        yield _invalid("spec.expirationSeconds", seconds, text)


def _request_problem(request: str) -> str:
    try:
        found = parsed(request)
        key = found.public_key()
        if found.is_signature_valid:
            return ""
    except (ValueError, UnsupportedAlgorithm) as error:
        return str(error)
    if isinstance(key, rsa.RSAPublicKey):
        return "crypto/rsa: verification error"
    return (
        f"x509: {'ECDSA' if isinstance(key, ec.EllipticCurvePublicKey) else 'Ed25519'} verification failure"
    )


def _usages(usages: Sequence[str]) -> Iterator[Cause]:
    for i, usage in enumerate(usages):
        if usage not in USAGES:
            yield _unsupported(f"spec.usages[{i}]", usage, USAGES)
    for i, usage in enumerate(usages):
        if usage in usages[:i]:
            yield _duplicate(f"spec.usages[{i}]", usage)


def _signer_name(name: str) -> Iterator[Cause]:
    field = "spec.signerName"
    if not name:
        yield Cause("FieldValueRequired", "Required value", field)
        return
    domain, *rest = name.split("/")
    if len(rest) != 1:
        text = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        yield _invalid(field, name, text)
        return
    if len(domain) > _MAX_DOMAIN:
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {_MAX_DOMAIN} bytes", field)
    for label in domain.split("."):
        for problem in label_problems(label):
            yield _invalid(field, domain, f"validating label {_shown(label)}: {problem}")
    if "." not in domain:
        yield _invalid(field, domain, "should be a domain with at least two segments separated by dots")
    for label in rest[0].split("."):
        for problem in subdomain_problems(label):
            yield _invalid(field, rest[0], f"validating label {_shown(label)}: {problem}")
    if len(name) > _MAX_SIGNER:
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {_MAX_SIGNER} bytes", field)


def _conditions(
    conditions: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]], *, lenient: bool
) -> Iterator[Cause]:
    seen: set[str] = set()
    exclusive = not {APPROVED, DENIED} <= {c.get("type") for c in before}
    for i, condition in enumerate(conditions):
        kind, status = condition.get("type") or "", condition.get("status") or ""
        if not kind and not lenient:
            yield Cause("FieldValueRequired", "Required value", f"{_CONDITIONS}[{i}].type")
        allowed = ("True",) if kind in (APPROVED, DENIED, FAILED) else ("False", "True", "Unknown")
        if not status:
            yield Cause("FieldValueRequired", "Required value", f"{_CONDITIONS}[{i}].status")
        elif status not in allowed:
            yield _unsupported(f"{_CONDITIONS}[{i}].status", status, allowed)
        other = {APPROVED: DENIED, DENIED: APPROVED}.get(kind)
        if exclusive and other in seen:
            yield _invalid(_CONDITIONS, kind, "Approved and Denied conditions are mutually exclusive")
        if kind in seen and not lenient:
            yield _duplicate(f"{_CONDITIONS}[{i}].type", kind)
        seen.add(kind)


def _certificate(new: Object, old: Object | None, *, lenient: bool) -> Iterator[Cause]:
    certificate = (new.get("status") or {}).get("certificate") or ""
    if lenient or not certificate or certificate == ((old or {}).get("status") or {}).get("certificate"):
        return
    problem = _certificate_problem(base64.b64decode(certificate))
    if problem:
        text = f'Invalid value: "<certificate data>": {problem}'
        yield Cause("FieldValueInvalid", text, "status.certificate")


def _certificate_problem(data: bytes) -> str:
    found = list(blocks(data))
    for block in found:
        if block.label != "CERTIFICATE":
            return f"only CERTIFICATE PEM blocks are allowed, found {_shown(block.label)}"
        if block.headers:
            return "no PEM block headers are permitted"
        try:
            x509.load_der_x509_certificate(block.body)
        except ValueError as error:
            return f"x509: {error}"
    return "" if found else "must contain at least one CERTIFICATE PEM block"


def _changes(new: Object, old: Object, subresource: str) -> Iterator[Cause]:
    """What a write to this subresource may not do."""
    before, after = _of(old), _of(new)
    for kind in (APPROVED, DENIED, FAILED):
        if len(_all(after, kind)) < len(_all(before, kind)):
            yield _forbidden(_CONDITIONS, f"updates may not remove a condition of type {_shown(kind)}")
    if subresource != "approval":
        for kind in (APPROVED, DENIED):
            was, now = _all(before, kind), _all(after, kind)
            if len(now) > len(was):
                yield _forbidden(_CONDITIONS, f"updates may not add a condition of type {_shown(kind)}")
            elif len(now) == len(was) and now != was:
                yield _forbidden(_CONDITIONS, f"updates may not modify a condition of type {_shown(kind)}")
    had, has = ((o.get("status") or {}).get("certificate") or "" for o in (old, new))
    if had != has and subresource != "status":
        yield _forbidden("status.certificate", "updates may not set certificate content")
    elif had != has and had:
        yield _forbidden("status.certificate", "updates may not modify existing certificate content")


def _of(obj: Object | None) -> Sequence[Mapping[str, Any]]:
    conditions: Sequence[Mapping[str, Any]] = ((obj or {}).get("status") or {}).get("conditions") or ()
    return conditions


def _all(conditions: Sequence[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    return [c for c in conditions if c.get("type") == kind]


def _preserved(
    conditions: list[Mapping[str, Any]], before: Sequence[Mapping[str, Any]], kind: str
) -> list[Mapping[str, Any]]:
    was = _all(before, kind)
    if len(was) != len(_all(conditions, kind)):
        return conditions
    kept = iter(was)
    return [next(kept) if c.get("type") == kind else c for c in conditions]


def _timed(condition: Mapping[str, Any], before: Sequence[Mapping[str, Any]], now: str) -> Mapping[str, Any]:
    same = (c for c in before if all(c.get(k) == condition.get(k) for k in ("type", "status")))
    since = next((c["lastTransitionTime"] for c in same if c.get("lastTransitionTime")), now)
    times = {"lastUpdateTime": now, "lastTransitionTime": since}
    return {**condition, **{key: condition.get(key) or value for key, value in times.items()}}


def _shown(value: Any) -> str:
    return orjson.dumps(value).decode()


def _invalid(field: str, value: Any, why: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {_shown(value)}: {why}", field)


def _forbidden(field: str, why: str) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {why}", field)


def _duplicate(field: str, value: str) -> Cause:
    return Cause("FieldValueDuplicate", f"Duplicate value: {_shown(value)}", field)


def _unsupported(field: str, value: str, supported: Sequence[str]) -> Cause:
    listed = ", ".join(_shown(v) for v in supported)
    text = f"Unsupported value: {_shown(value)}: supported values: {listed}"
    return Cause("FieldValueNotSupported", text, field)

"""The AdmissionReview: what a webhook is asked, and what its answer means. Pure.

Neighbours: `consultation` (who asks), `calls` (how), `decide.admission_review` (OCM's own webhooks, which
are at the other end).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gitops_ocm.apiserver.hooks.matching import Write
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.decoding import json_type
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.go_json import syntax_error
from gitops_ocm.objects.ref import Object

VERSIONS = ("v1", "v1beta1")
_BAD_REQUEST, _INTERNAL, _NO_CODE = 400, 500, 600
_INVALID = "received invalid webhook response"
_UNDECODABLE = "received undecodable patch in webhook response"


class Unusable(Exception):
    """An answer that is none; the text says why, as the failure policy's error tells it."""


@dataclass(frozen=True)
class Verdict:
    """What a webhook said: a refusal or None, operations of a JSON patch, and warnings."""

    refusal: ApiError | None = None
    patch: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()


def review(
    write: Write, shown: Served, version: str, uid: str, obj: Object | None, user: Mapping[str, Any]
) -> Object:
    """The question about a write, which is shown as `shown` with `obj` as it is by now."""
    asked, own = shown.resource, write.served.resource
    request = {
        "uid": uid,
        "kind": {"group": asked.group, "version": asked.version, "kind": asked.kind},
        "resource": {"group": asked.group, "version": asked.version, "resource": asked.plural},
        "requestKind": {"group": own.group, "version": own.version, "kind": own.kind},
        "requestResource": {"group": own.group, "version": own.version, "resource": own.plural},
        "name": write.name,
        "namespace": write.namespace,
        "operation": write.operation,
        "userInfo": user,
        "object": obj,
        "oldObject": write.old,
        "dryRun": write.dry_run,
        "options": write.options or None,
    }
    if write.subresource:
        request |= {"subResource": write.subresource, "requestSubResource": write.subresource}
    kept = {k: v for k, v in request.items() if v != "" or k == "uid"}
    return {"kind": "AdmissionReview", "apiVersion": f"admission.k8s.io/{version}", "request": kept}


def verdict(name: str, question: Object, answer: Any, *, mutating: bool) -> Verdict:
    """What an answer comes to; raises Unusable."""
    version = question["apiVersion"]
    strict = version.endswith("/v1")
    response = answer.get("response") if isinstance(answer, dict) else None
    if not isinstance(response, dict):
        raise Unusable(f"{_INVALID}: webhook response was absent")
    _check_types(response)
    uid = question["request"]["uid"]
    if strict and response.get("uid") != uid:
        raise Unusable(f'{_INVALID}: expected response.uid="{uid}", got "{response.get("uid") or ""}"')
    if strict and (answer.get("apiVersion"), answer.get("kind")) != (version, "AdmissionReview"):
        found = _shown_kind(str(answer.get("apiVersion") or ""), str(answer.get("kind") or ""))
        raise Unusable(
            f"{_INVALID}: expected webhook response of {_shown_kind(version, 'AdmissionReview')}, got {found}"
        )
    warnings = tuple(response.get("warnings") or ())
    patch = _patch(response, strict=strict, mutating=mutating)
    if not response.get("allowed"):
        return Verdict(refusal(name, response.get("status") or {}), warnings=warnings)
    return Verdict(patch=patch, warnings=warnings)


_GO_TYPES: Mapping[str, tuple[type, str]] = {
    "uid": (str, "types.UID"),
    "allowed": (bool, "bool"),
    "status": (dict, "v1.Status"),
    "patch": (str, "[]uint8"),
    "patchType": (str, "v1.PatchType"),
    "auditAnnotations": (dict, "map[string]string"),
    "warnings": (list, "[]string"),
}
_STATUS: Mapping[str, tuple[type, str]] = {
    "message": (str, "string"),
    "reason": (str, "v1.StatusReason"),
    "code": (int, "int32"),
    "details": (dict, "v1.StatusDetails"),
}


def _check_types(response: Mapping[str, Any]) -> None:
    """Whether Go could read it at all; null is as good as absent."""
    _check_fields(response, _GO_TYPES, "AdmissionResponse.response")
    _check_fields(response.get("status") or {}, _STATUS, "Status.response.status")
    for warning in response.get("warnings") or ():
        if not isinstance(warning, str):
            raise _mistyped(warning, "AdmissionResponse.response.warnings", "string")


def _check_fields(found: Mapping[str, Any], types: Mapping[str, tuple[type, str]], where: str) -> None:
    for name, (kind, go_type) in types.items():
        value = found.get(name)
        # In Python a bool is an int, too.
        if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise _mistyped(value, f"{where}.{name}", go_type)


def _mistyped(value: Any, field: str, go_type: str) -> Unusable:
    why = f"json: cannot unmarshal {json_type(value)} into Go struct field {field} of type {go_type}"
    return Unusable(f"failed to call webhook: {why}")


def _shown_kind(version: str, kind: str) -> str:
    return f"{version}, Kind={kind}"


def _patch(response: Mapping[str, Any], *, strict: bool, mutating: bool) -> tuple[Mapping[str, Any], ...]:
    patch, kind = response.get("patch") or "", response.get("patchType")
    if strict:
        _check_patch(patch, kind, mutating=mutating)
    if not patch or not mutating:
        return ()
    if kind not in (None, "JSONPatch"):
        raise Unusable(f'{_INVALID}: unsupported patch type "{kind}"')
    try:
        text = base64.b64decode(patch, validate=True)
        if why := syntax_error(text):
            raise Unusable(f"{_UNDECODABLE}: {why}")
        operations = orjson.loads(text)
    except (binascii.Error, ValueError) as error:
        raise Unusable(f"{_UNDECODABLE}: {error}") from None
    if not isinstance(operations, list):
        raise Unusable(f"{_UNDECODABLE}: it is no list of operations")
    wrong = next((item for item in operations if not isinstance(item, dict)), None)
    if wrong is not None:
        why = f"json: cannot unmarshal {json_type(wrong)} into Go value of type jsonpatch.Operation"
        raise Unusable(f"{_UNDECODABLE}: {why}")
    return tuple(operations)


def _check_patch(patch: str, kind: Any, *, mutating: bool) -> None:
    if not mutating and patch:
        raise Unusable(f"{_INVALID}: validating webhook may not return response.patch")
    if not mutating and kind is not None:
        raise Unusable(f"{_INVALID}: validating webhook may not return response.patchType")
    if patch and kind is None:
        raise Unusable(f"{_INVALID}: webhook returned response.patch but not response.patchType")
    if not patch and kind is not None:
        raise Unusable(f"{_INVALID}: webhook returned response.patchType but not response.patch")


def refusal(name: str, status: Mapping[str, Any]) -> ApiError:
    """The error for whoever wrote: the webhook's own status, under its name."""
    text = f'admission webhook "{name}" denied the request'
    said = status.get("message") or status.get("reason")
    message = f"{text}: {said}" if said else f"{text} without explanation"
    code = status.get("code") or 0
    code = max(code, _BAD_REQUEST) if code < _NO_CODE else _INTERNAL
    reason = str(status.get("reason") or "")
    return ApiError(reason, message, http_code=code, details=status.get("details"), bare=not reason)

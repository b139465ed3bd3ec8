"""OCM's webhooks as an API server talks to them: AdmissionReviews and ConversionReviews. Pure.

What is admitted is decided in `admission`, what converts to what in `objects.conversion`; here is the
envelope, which v1 and v1beta1 have in common. Serving it, and asking for what a review needs to know, is
`hub.webhook`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gitops_ocm.decide.admission import Review
from gitops_ocm.objects.conversion import converted, converts
from gitops_ocm.objects.faults import ApiError, bad_request
from gitops_ocm.objects.ref import Object, kind_of

_USER = ("uid", "groups", "extra")


@dataclass(frozen=True)
class Asked:
    """One question of an API server; `old` is None for a creation."""

    envelope: Object
    uid: str
    obj: Object
    old: Object | None
    user: Mapping[str, Any]

    @property
    def deletes(self) -> bool:
        """Whether the object is to be deleted: that is let in, always."""
        return bool(self.envelope["request"].get("operation") == "DELETE")

    @property
    def user_name(self) -> str:
        """Who writes."""
        return str(self.user.get("username", ""))


def asked(envelope: Any) -> Asked:
    """The question in an AdmissionReview; raises where there is none."""
    request = envelope.get("request") if isinstance(envelope, dict) else None
    if not isinstance(request, dict) or not request.get("uid"):
        raise bad_request("this is no AdmissionReview with a request")
    obj, old = request.get("object"), request.get("oldObject")
    if request.get("operation") == "DELETE" and obj is None:
        obj = old
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
        raise bad_request("the request has no object")
    if not obj["metadata"].get("name"):  # with generateName the request names what the object does not
        obj = {**obj, "metadata": {**obj["metadata"], "name": request.get("name") or ""}}
    return Asked(envelope, str(request["uid"]), obj, old or None, request.get("userInfo") or {})


def allowed(question: Asked, wanted: Object | None = None) -> Object:
    """Let it in, as `wanted` if that differs from what was sent."""
    response: Object = {"uid": question.uid, "allowed": True}
    if wanted is not None and (operations := _operations(question.obj, wanted)):
        patch = base64.b64encode(orjson.dumps(operations)).decode()
        response |= {"patchType": "JSONPatch", "patch": patch}
    return _answer(question.envelope, response)


def denied(question: Asked, error: ApiError) -> Object:
    """Refuse it; the API server passes code, reason and message on."""
    status = {k: v for k, v in error.status().items() if k not in ("kind", "apiVersion")}
    return _answer(question.envelope, {"uid": question.uid, "allowed": False, "status": status})


def question_for(review: Review, user: Mapping[str, Any]) -> Object:
    """The SubjectAccessReview that asks whether who writes may do that."""
    wanted = {
        "group": review.group,
        "resource": review.resource,
        "subresource": review.subresource,
        "verb": review.verb,
        "name": review.name,
        "namespace": review.namespace,
    }
    who = {"user": user.get("username", ""), **{key: user[key] for key in _USER if user.get(key)}}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "metadata": {},
        "spec": {**who, "resourceAttributes": {key: value for key, value in wanted.items() if value}},
    }


def conversion(envelope: Any) -> Object:
    """The answer to a ConversionReview: all objects at the version that is asked for, or why not."""
    request = envelope.get("request") if isinstance(envelope, dict) else None
    if not isinstance(request, dict) or not request.get("uid"):
        raise bad_request("this is no ConversionReview with a request")
    wanted, objects = str(request.get("desiredAPIVersion", "")), request.get("objects") or []
    response: Object = {"uid": request["uid"]}
    try:
        response["convertedObjects"] = _converted(objects, wanted)
        response["result"] = {"status": "Success"}
    except ApiError as error:
        response["convertedObjects"] = []
        response["result"] = {"status": "Failure", "message": error.message}
    return _answer(envelope, response)


def _converted(objects: Sequence[Object], wanted: str) -> list[Object]:
    found = []
    for obj in objects:
        kind = kind_of(obj)
        if not converts(kind) or kind.group != wanted.partition("/")[0]:
            raise bad_request(f"{kind} is not converted to {wanted} here")
        found.append(converted(obj, wanted))
    return found


def _answer(envelope: Mapping[str, Any], response: Object) -> Object:
    return {"apiVersion": envelope.get("apiVersion"), "kind": envelope.get("kind"), "response": response}


def _operations(sent: Object, wanted: Object) -> list[Object]:
    """A JSON patch of the two fields that are ever filled in."""
    operations: list[Object] = []
    for section, field in (("metadata", "labels"), ("spec", "taints")):
        value = (wanted.get(section) or {}).get(field)
        if value != (sent.get(section) or {}).get(field):
            operations.append({"op": "add", "path": f"/{section}/{field}", "value": value})
    return operations

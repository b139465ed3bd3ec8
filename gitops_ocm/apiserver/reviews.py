"""Questions put to the server as POSTs that store nothing: who am I, may I, may they.

SelfSubjectReview, SelfSubjectAccessReview, SubjectAccessReview, LocalSubjectAccessReview and
SelfSubjectRulesReview. `REVIEWS` finds the answer by (group, plural).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gitops_ocm.apiserver.access import Access
from gitops_ocm.apiserver.handlers import Call, Reply
from gitops_ocm.apiserver.negotiation import decode
from gitops_ocm.apiserver.rbac import Attributes, User
from gitops_ocm.objects.faults import Cause, bad_request, invalid
from gitops_ocm.objects.ref import Object

_AUTHN, _AUTHZ = "authentication.k8s.io", "authorization.k8s.io"


def _who_am_i(call: Call, access: Access) -> Object:
    return {"userInfo": user_info(call.user)}


def user_info(user: User) -> dict[str, Any]:
    """A user as `UserInfo`."""
    info: dict[str, Any] = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        info["uid"] = user.uid
    if user.extra:
        info["extra"] = {key: list(values) for key, values in user.extra.items()}
    return info


def _may_i(call: Call, access: Access) -> Object:
    return _judged(access, call.user, _attributes(call, _spec(call)))


def _may_they(call: Call, access: Access) -> Object:
    spec = _spec(call)
    if not spec.get("user") and not spec.get("groups"):
        message = 'Invalid value: "": at least one of user or group must be specified'
        causes = [Cause("FieldValueInvalid", message, "spec.user")]
        raise invalid(_AUTHZ, call.served.resource.kind, "", causes)
    wanted = _attributes(call, spec)
    if call.info.namespace and wanted.namespace != call.info.namespace:
        raise bad_request("spec.resourceAttributes.namespace must be the namespace of the request")
    return _judged(access, User(spec.get("user", ""), tuple(spec.get("groups") or ())), wanted)


def _my_rules(call: Call, access: Access) -> Object:
    resource_rules: list[dict[str, Any]] = []
    path_rules: list[dict[str, Any]] = []
    anything = [
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
        {"verbs": ["*"], "nonResourceURLs": ["*"]},
    ]
    namespace = _spec(call).get("namespace") or "default"
    for rule in anything if call.user.is_master else access.policy().rules(call.user, namespace):
        (path_rules if rule.get("nonResourceURLs") else resource_rules).append(dict(rule))
    return {"resourceRules": resource_rules, "nonResourceRules": path_rules, "incomplete": False}


def _judged(access: Access, user: User, wanted: Attributes) -> Object:
    return {"allowed": access.allows(user, wanted)}


def _spec(call: Call) -> Mapping[str, Any]:
    body = decode(call.body, call.content_type) if call.body else {}
    spec = body.get("spec") if isinstance(body, dict) else None
    return spec if isinstance(spec, dict) else {}


def _attributes(call: Call, spec: Mapping[str, Any]) -> Attributes:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if isinstance(resource, dict) is isinstance(path, dict):
        message = (
            "Invalid value: exactly one of nonResourceAttributes or resourceAttributes must be specified"
        )
        causes = [Cause("FieldValueInvalid", message, "spec.resourceAttributes")]
        raise invalid(_AUTHZ, call.served.resource.kind, "", causes)
    if isinstance(path, dict):
        return Attributes(path.get("verb", ""), path=path.get("path", ""))
    assert isinstance(resource, dict)
    return Attributes(
        resource.get("verb", ""),
        resource.get("group", ""),
        resource.get("resource", ""),
        resource.get("subresource", ""),
        resource.get("namespace", ""),
        resource.get("name", ""),
    )


_ANSWERS: Mapping[tuple[str, str], Callable[[Call, Access], Object]] = {
    (_AUTHN, "selfsubjectreviews"): _who_am_i,
    (_AUTHZ, "selfsubjectaccessreviews"): _may_i,
    (_AUTHZ, "subjectaccessreviews"): _may_they,
    (_AUTHZ, "localsubjectaccessreviews"): _may_they,
    (_AUTHZ, "selfsubjectrulesreviews"): _my_rules,
}


def review(call: Call, access: Access) -> Reply | None:
    """The answer to a review, or None where the resource is none."""
    answer = _ANSWERS.get((call.info.group, call.info.plural))
    if answer is None:
        return None
    spec = _spec(call)
    document: Object = {
        "kind": call.served.resource.kind,
        "apiVersion": call.served.resource.api_version,
        "metadata": {},
        **({"spec": spec} if spec else {}),
        "status": answer(call, access),
    }
    return Reply(document, 201)

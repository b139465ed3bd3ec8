"""Questions put to the server as POSTs that store nothing: who am I, may I, may they, whose token is this.

SelfSubjectReview, TokenReview, SelfSubjectAccessReview, SubjectAccessReview, LocalSubjectAccessReview
and SelfSubjectRulesReview; a TokenRequest, which asks for a token, comes through here too. What is
answered is decided in `access`, `authentication` and `handlers_token`; what is wrong with a question
is said in `reviews_checks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from gitops_ocm.apiserver import handlers_token
from gitops_ocm.apiserver.access import Access
from gitops_ocm.apiserver.authentication import ISSUER, Authenticator
from gitops_ocm.apiserver.handlers import Call, Reply, body_of
from gitops_ocm.apiserver.handlers_options import write_query
from gitops_ocm.apiserver.handlers_token import TokenRequests
from gitops_ocm.apiserver.rbac import Attributes, User
from gitops_ocm.apiserver.reviews_checks import access_causes, unreadable_selectors
from gitops_ocm.objects import intake, ownership
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.faults import bad_request, invalid
from gitops_ocm.objects.ref import Object

AUTHN, AUTHZ = "authentication.k8s.io", "authorization.k8s.io"
_Answer = Callable[[Call, Object], Object]


class Reviews:
    """Answers reviews and TokenRequests."""

    def __init__(
        self, access: Access, authenticator: Authenticator, tokens: TokenRequests, now: Callable[[], datetime]
    ) -> None:
        self._access = access
        self._authenticator = authenticator
        self._tokens = tokens
        self._now = now
        self._answers: Mapping[tuple[str, str, str], _Answer] = {
            (AUTHN, "selfsubjectreviews", ""): self._who_am_i,
            (AUTHN, "tokenreviews", ""): self._whose_token,
            (AUTHZ, "selfsubjectaccessreviews", ""): self._may_i,
            (AUTHZ, "subjectaccessreviews", ""): self._may_they,
            (AUTHZ, "localsubjectaccessreviews", ""): self._may_they,
            (AUTHZ, "selfsubjectrulesreviews", ""): self._my_rules,
            ("", "serviceaccounts", "token"): self._new_token,
        }

    def answer(self, call: Call) -> Reply | None:
        """The answer, or None where the resource is no question."""
        info = call.info
        answer = self._answers.get((info.group, info.plural, info.subresource))
        if answer is None:
            return None
        served = handlers_token.SERVED if info.subresource else call.served
        asked, warnings = self._asked(call, served)
        return Reply(answer(call, asked), 201, warnings)

    def _asked(self, call: Call, served: Served) -> tuple[Object, tuple[str, ...]]:
        """The question as decoded, with the fields that the client has set noted as its own."""
        sent = body_of(replace(call, served=served, info=replace(call.info, subresource="")))
        options = write_query(call.query, "CreateOptions", user_agent=call.user_agent)
        intake.check_identity(sent, served, call.info.namespace)
        asked, warnings = intake.decoded(sent, served, options.field_validation)
        if served.resource.namespaced:
            asked["metadata"].setdefault("namespace", call.info.namespace)
        tracked = ownership.track(
            None,
            asked,
            manager=options.field_manager or "unknown",
            schema=served.schema,
            now=self._now(),
            subresource=call.info.subresource,
        )
        return tracked, warnings

    def _who_am_i(self, call: Call, asked: Object) -> Object:
        meta = {"creationTimestamp": timestamp(self._now())}
        return {**asked, "metadata": meta, "status": {"userInfo": user_info(call.user)}}

    def _whose_token(self, call: Call, asked: Object) -> Object:
        spec = asked.get("spec") or {}
        token = spec.get("token") or ""
        if not token:
            raise bad_request("token is required for TokenReview in authentication")
        found, why = self._authenticator.review(token, spec.get("audiences") or (ISSUER,))
        status: Object = {"user": {}, "error": why}
        if found is not None:
            audiences = list(found.audiences)
            status = {"authenticated": True, "user": user_info(found.user), "audiences": audiences}
        return {**asked, "status": status}

    def _may_i(self, call: Call, asked: Object) -> Object:
        return judged(self._access, asked, call.user)

    def _may_they(self, call: Call, asked: Object) -> Object:
        return judged(self._access, asked, subject_of(asked))

    def _my_rules(self, call: Call, asked: Object) -> Object:
        namespace = (asked.get("spec") or {}).get("namespace")
        if not namespace:
            raise bad_request("no namespace on request")
        resources, paths = [], []
        for rule in self._access.policy().rules(call.user, namespace):
            if rule.get("resources"):
                resources.append(_kept(rule, "verbs", "apiGroups", "resources", "resourceNames"))
            if rule.get("nonResourceURLs"):
                paths.append(_kept(rule, "verbs", "nonResourceURLs"))
        status: Object = {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}
        if trouble := self._access.policy().trouble(call.user, namespace):
            status["evaluationError"] = trouble.removeprefix("RBAC: ")
        return {**asked, "metadata": {}, "spec": {}, "status": status}

    def _new_token(self, call: Call, asked: Object) -> Object:
        return self._tokens.answer(call.info.namespace, call.info.name, asked)


def subject_of(asked: Object) -> User:
    """Whom a SubjectAccessReview asks about."""
    spec = asked.get("spec") or {}
    return User(str(spec.get("user") or ""), tuple(spec.get("groups") or ()))


def judged(access: Access, asked: Object, user: User) -> Object:
    """An access review with its answer; raises what is wrong with the question."""
    causes = access_causes(asked)
    if causes:
        # The internal objects that are judged there carry no kind, and the message shows it.
        raise invalid(AUTHZ, "", "", causes)
    wanted = _attributes(asked["spec"])
    status: Object = {"allowed": access.allows(user, wanted)}
    if trouble := unreadable_selectors(asked["spec"]):
        status["evaluationError"] = trouble
    policy = access.policy()
    if not user.is_master:
        why = policy.reason(user, wanted) or policy.trouble(user, wanted.namespace)
        if why:
            status["reason"] = why
    return {**asked, "status": status}


def user_info(user: User) -> dict[str, Any]:
    """A user as `UserInfo`."""
    info: dict[str, Any] = {"username": user.name}
    if user.uid:
        info["uid"] = user.uid
    info["groups"] = list(user.groups)
    if user.extra:
        info["extra"] = {key: list(values) for key, values in user.extra.items()}
    return info


def _kept(rule: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: rule[key] for key in keys if rule.get(key)}


def _attributes(spec: Mapping[str, Any]) -> Attributes:
    path = spec.get("nonResourceAttributes")
    if path is not None:
        return Attributes(path.get("verb", ""), path=path.get("path", ""))
    of = spec["resourceAttributes"]
    names = ("verb", "group", "resource", "subresource", "namespace", "name")
    return Attributes(*(of.get(name, "") for name in names))

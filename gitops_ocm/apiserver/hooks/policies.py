"""ValidatingAdmissionPolicies and their bindings: what is refused, or warned of, by expressions in CEL.

A policy judges a write once for each of its bindings and each object of parameters the binding names. What is
to be audited is judged and told nobody: this server keeps no audit log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.apiserver.hooks.consultation import Consultation
from gitops_ocm.apiserver.hooks.matching import GROUP, Surroundings, Write, selected, shown_as
from gitops_ocm.apiserver.hooks.reviews import review
from gitops_ocm.apiserver.registry import Registry, resource_of
from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.cel_authorizer import Check
from gitops_ocm.objects.cel_conditions import (
    AUTHORIZER,
    REQUEST_RESOURCE,
    ConditionFailed,
    all_hold,
    evaluated,
)
from gitops_ocm.objects.faults import CODES, ApiError, forbidden
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.selectors import matches

POLICIES, BINDINGS = (GROUP, "validatingadmissionpolicies"), (GROUP, "validatingadmissionpolicybindings")
_MAX_MESSAGE = 5 * 1024


@dataclass(frozen=True)
class _Denial:
    """One validation that failed, under which binding (None: the policy itself is at fault)."""

    policy: Object
    binding: Object | None
    message: str
    reason: str = "Invalid"


class _Unusable(Exception):
    """A binding that cannot be put to use; the text says why."""


def judged(
    write: Write, store: Store, registry: Registry, around: Surroundings, consultation: Consultation
) -> tuple[str, ...]:
    """Raise what a policy denies; else what bindings warn of."""
    if not store.has(POLICIES) or not store.has(BINDINGS):
        return ()
    warnings: list[str] = []
    denials: list[_Denial] = []
    for key, policy in store.objects(POLICIES).items():
        bindings = [b for b in store.objects(BINDINGS).values() if b["spec"].get("policyName") == key.name]
        shown = _concerned(policy["spec"].get("matchConstraints") or {}, write, around)
        if shown is None:
            continue
        for binding in bindings:
            limits = binding["spec"].get("matchResources")
            if limits and _concerned(limits, write, around) is None:
                continue
            for denial in _failed(policy, binding, write, _Seen(store, registry, shown, consultation)):
                actions = binding["spec"].get("validationActions") or ("Deny",)
                denials += [denial] if "Deny" in actions else []
                warnings += [_warning(denial)] if "Warn" in actions else []
    if denials:
        error = _refusal(denials[0], write)
        error.warnings = tuple(warnings)
        raise error
    return tuple(warnings)


@dataclass(frozen=True)
class _Seen:
    """What a policy can look at, beside the write."""

    store: Store
    registry: Registry
    shown: Served
    consultation: Consultation

    def namespace(self, write: Write) -> Object | None:
        """The namespace the write is in; a namespace is in none."""
        if not write.namespace or write.of_namespace:
            return None
        return self.store.get(Key("", "namespaces", "", write.namespace))


def _concerned(limits: Mapping[str, Any], write: Write, around: Surroundings) -> Served | None:
    """The version in which a policy or binding sees the write; None where it does not."""
    if not selected(write, limits, around):
        return None
    policy = limits.get("matchPolicy") or "Equivalent"
    if shown_as(write, limits.get("excludeResourceRules") or (), policy, around) is not None:
        return None
    rules = limits.get("resourceRules")
    return shown_as(write, rules, policy, around) if rules else write.served


def _failed(policy: Object, binding: Object, write: Write, seen: _Seen) -> Iterator[_Denial]:
    """What does not hold for a binding's parameters; errors count by the failure policy."""
    strict = policy["spec"].get("failurePolicy") != "Ignore"
    try:
        parameters = _parameters(policy["spec"], binding["spec"], write, seen)
    except _Unusable as error:
        if strict:
            yield _Denial(policy, binding, f"failed to configure binding: {error}")
        return
    for parameter in parameters:
        values = variables(write, seen.consultation, parameter, seen.namespace(write), seen.shown)
        conditions = all_hold(policy["spec"].get("matchConditions") or (), values)
        if conditions.error and strict:
            yield _Denial(policy, binding, conditions.error)
        if not conditions.holds:
            continue
        yield from _validated(policy, binding, values, strict=strict)


def _validated(policy: Object, binding: Object, values: dict[str, Any], *, strict: bool) -> Iterator[_Denial]:
    computed: dict[str, Any] = {}
    values = {**values, "variables": computed}
    unknown: dict[str, str] = {}
    for variable in policy["spec"].get("variables") or ():
        try:
            computed[variable["name"]] = evaluated(variable["expression"], values)
        except ConditionFailed as error:
            unknown[variable["name"]] = str(error)
    for validation in policy["spec"].get("validations") or ():
        try:
            if evaluated(validation["expression"], values) is not True:
                yield _Denial(policy, binding, _message(validation, values), _reason(validation))
        except ConditionFailed as error:
            if strict:
                named = (
                    why for name, why in unknown.items() if f"variables.{name}" in validation["expression"]
                )
                yield _Denial(policy, binding, next(named, str(error)))


def _reason(validation: Mapping[str, Any]) -> str:
    return str(validation.get("reason") or "Invalid")


def _message(validation: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """What an expression says about it, if that is a line of text; else the message, else the rule."""
    if validation.get("messageExpression"):
        try:
            text = evaluated(validation["messageExpression"], values)
        except ConditionFailed:
            text = ""
        if isinstance(text, str) and text.strip() and "\n" not in text and len(text) <= _MAX_MESSAGE:
            return text.strip()
    fixed = str(validation.get("message") or "").strip()
    return fixed or f"failed expression: {str(validation['expression']).strip()}"


def _parameters(
    policy: Mapping[str, Any], binding: Mapping[str, Any], write: Write, seen: _Seen
) -> list[Object | None]:
    kind, ref = policy.get("paramKind"), binding.get("paramRef")
    if not kind or not ref:
        return [None]
    served = seen.registry.catalog.served(kind.get("apiVersion", ""), kind.get("kind", ""))
    if served is None:
        named = f"{kind.get('apiVersion')}, Kind={kind.get('kind')}"
        raise _Unusable(f"failed to find resource referenced by paramKind: '{named}'")
    namespace = ""
    if served.resource.namespaced:
        namespace = ref.get("namespace") or write.namespace
        if not namespace:
            raise _Unusable(
                "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
            )
    found = [
        seen.registry.presented(obj, served)
        for key, obj in seen.store.objects(resource_of(served)).items()
        if key.namespace == namespace and _chosen(ref, key, obj)
    ]
    if not found and (ref.get("parameterNotFoundAction") or "Deny") == "Deny":
        raise _Unusable("no params found for policy binding with `Deny` parameterNotFoundAction")
    return list(found)


def _chosen(ref: Mapping[str, Any], key: Key, obj: Object) -> bool:
    if ref.get("name"):
        return bool(key.name == ref["name"])
    return matches(ref.get("selector"), obj["metadata"].get("labels"))


def variables(
    write: Write,
    consultation: Consultation,
    parameter: Object | None,
    namespace: Object | None,
    shown: Served | None = None,
) -> dict[str, Any]:
    """What an expression about a write can name."""
    asked = review(write, shown or write.served, "v1", "", None, consultation.user)["request"]
    request = {k: v for k, v in asked.items() if k not in ("uid", "object", "oldObject")}
    known = {
        "object": write.obj,
        "oldObject": write.old,
        "request": {"name": "", "namespace": "", "subResource": "", **request},
        "params": parameter,
        "namespaceObject": namespace,
    }
    if consultation.authorizer is None:
        return known
    resource = (shown or write.served).resource
    this = Check(
        consultation.authorizer,
        group=resource.group,
        resource=resource.plural,
        subresource=write.subresource,
        namespace=write.namespace,
        name=write.name,
    )
    return {**known, AUTHORIZER: consultation.authorizer, REQUEST_RESOURCE: this}


def _warning(denial: _Denial) -> str:
    binding = (denial.binding or denial.policy)["metadata"]["name"]
    return (
        f"Validation failed for ValidatingAdmissionPolicy '{denial.policy['metadata']['name']}' with binding "
        f"'{binding}': {denial.message}"
    )


def _refusal(denial: _Denial, write: Write) -> ApiError:
    """A 403 in form; its reason and code are those of the validation."""
    name = denial.policy["metadata"]["name"]
    bound = f" with binding '{denial.binding['metadata']['name']}'" if denial.binding else ""
    text = f"ValidatingAdmissionPolicy '{name}'{bound} denied request: {denial.message}"
    resource = write.served.resource
    error = forbidden(resource.group, resource.plural, write.name, text)
    details = {**error.details, "causes": [{"message": text}]}
    return ApiError(denial.reason, error.message, http_code=CODES.get(denial.reason, 422), details=details)

"""What admission policies and their bindings must be."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gitops_ocm.objects.names import dns1035_problems, path_problems, subdomain_problems
from gitops_ocm.objects.rules.faults import (
    Faults,
    Value,
    duplicate,
    each_invalid,
    forbidden,
    invalid,
    items,
    one_of,
    required,
    unsupported,
)
from gitops_ocm.objects.rules.formats import label_selector, qualified
from gitops_ocm.objects.rules.webhooks import (
    FAILURE_POLICIES,
    expression_faults,
    match_conditions,
    match_resources,
    variables,
)

_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_ACTIONS = ("Audit", "Deny", "Warn")
_NOTHING = "validations or auditAnnotations must contain at least one item"
_MOST_ANNOTATIONS, _LONGEST_VALUE = 20, 5 * 1024
_IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_RESERVED = frozenset(
    {
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if"),
        *("import", "let", "loop", "package", "namespace", "return", "var", "void", "while"),
    }
)


def policy(obj: Value, old: Value | None) -> Faults:
    """A ValidatingAdmissionPolicy."""
    spec, before = obj.get("spec") or {}, (old or {}).get("spec") or {}
    yield from one_of("spec.failurePolicy", spec.get("failurePolicy"), FAILURE_POLICIES)
    kind = spec.get("paramKind")
    if kind is not None:
        yield from _param_kind("spec.paramKind", kind)
    limits = spec.get("matchConstraints")
    if limits is None:
        yield required("spec.matchConstraints")
    else:
        yield from match_resources("spec.matchConstraints", limits)
        if not limits.get("resourceRules"):
            yield required("spec.matchConstraints.resourceRules")
    same = old is not None and all(spec.get(f) == before.get(f) for f in ("paramKind", "matchConditions"))
    params = kind is not None
    if not same:
        yield from match_conditions("spec.matchConditions", spec.get("matchConditions"), params=params)
    composed = ("variables",) if spec.get("variables") else ()
    yield from _variables(spec, params=params)
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        yield required("spec.validations", _NOTHING)
        yield required("spec.auditAnnotations", _NOTHING)
        return
    for at, validation in items(spec.get("validations"), "spec.validations"):
        yield from _validation(at, validation, params=params, composed=composed)
    yield from _annotations(obj, params=params, composed=composed)


def _param_kind(path: str, kind: Value) -> Faults:
    text, name = kind.get("apiVersion") or "", kind.get("kind") or ""
    group, slash, version = text.rpartition("/")
    where = f"{path}.apiVersion"
    if not text:
        yield required(where)
    elif text.count("/") > 1:
        yield invalid(where, text, f"unexpected GroupVersion string: {text}")
    else:
        yield from each_invalid(where, group, subdomain_problems(group) if slash and group else [])
        if version:
            yield from each_invalid(where, version, dns1035_problems(version))
        else:
            yield invalid(where, text, "version must be specified")
    if not name:
        yield required(f"{path}.kind")
    else:
        mixed = "may have mixed case, but should otherwise match: "
        problems = [mixed + problem for problem in dns1035_problems(name.lower())]
        yield from each_invalid(f"{path}.kind", name, problems)


def _variables(spec: Value, *, params: bool) -> Faults:
    for at, variable in items(spec.get("variables"), "spec.variables"):
        name, expression = variable.get("name") or "", variable.get("expression") or ""
        if not name.strip():
            yield required(f"{at}.name", "name is not specified")
        elif not _IDENTIFIER.fullmatch(name) or name in _RESERVED:
            yield invalid(f"{at}.name", name, "must be a valid CEL identifier")
        if not expression.strip():
            yield required(f"{at}.expression", "expression is not specified")
        else:
            known = variables(params=params, more=("variables",))
            yield from expression_faults(f"{at}.expression", expression, (), known)


def _validation(path: str, validation: Value, *, params: bool, composed: Iterable[str]) -> Faults:
    expression, message = validation.get("expression") or "", validation.get("message") or ""
    if expression.strip():
        known = variables(params=params, more=composed)
        yield from expression_faults(f"{path}.expression", expression, ("bool",), known)
    else:
        yield required(f"{path}.expression", "expression is not specified")
    told = validation.get("messageExpression") or ""
    if told.strip():
        known = variables(params=params, authorizer=False, more=composed)
        yield from expression_faults(f"{path}.messageExpression", told, ("string",), known)
    elif told:
        yield invalid(f"{path}.messageExpression", told, "must be non-empty if specified")
    if message and not message.strip():
        yield invalid(f"{path}.message", message, "must be non-empty if specified")
    elif re.search(r"[\n\r]", message.strip()):
        yield invalid(f"{path}.message", message, "must not contain line breaks")
    reason = validation.get("reason")
    if reason is not None and reason not in _REASONS:
        yield unsupported(f"{path}.reason", reason, _REASONS)


def _annotations(obj: Value, *, params: bool, composed: Iterable[str]) -> Faults:
    annotations = (obj.get("spec") or {}).get("auditAnnotations") or []
    path, name = "spec.auditAnnotations", (obj.get("metadata") or {}).get("name") or ""
    if len(annotations) > _MOST_ANNOTATIONS:
        why = f"must not have more than {_MOST_ANNOTATIONS} auditAnnotations"
        yield invalid(path, annotations, why)
    keys: set[str] = set()
    for at, annotation in items(annotations, path):
        key, text = annotation.get("key") or "", (annotation.get("valueExpression") or "").strip()
        yield from qualified(f"{at}.key", f"{name}/{key}")
        if not text:
            yield required(f"{at}.valueExpression", "valueExpression is not specified")
        elif len(text.encode()) > _LONGEST_VALUE:
            yield required(f"{at}.valueExpression", f"must not exceed {_LONGEST_VALUE} bytes in length")
        else:
            known = variables(params=params, more=composed)
            yield from expression_faults(f"{at}.valueExpression", text, ("string", "null"), known)
        if key in keys:
            yield duplicate(f"{at}.key", key)
        keys.add(key)


def binding(obj: Value, old: Value | None) -> Faults:
    """A binding of a ValidatingAdmissionPolicy."""
    spec = obj.get("spec") or {}
    name = spec.get("policyName") or ""
    if name:
        yield from each_invalid("spec.policyName", name, subdomain_problems(name))
    else:
        yield required("spec.policyName")
    if spec.get("paramRef") is not None:
        yield from _param_ref("spec.paramRef", spec["paramRef"])
    if spec.get("matchResources") is not None:
        yield from match_resources("spec.matchResources", spec["matchResources"])
    yield from _actions("spec.validationActions", spec.get("validationActions") or [])


def _param_ref(path: str, ref: Value) -> Faults:
    name, selector = ref.get("name") or "", ref.get("selector")
    exclusive = "name and selector are mutually exclusive"
    if name:
        yield from each_invalid(f"{path}.name", name, path_problems(name))
        if selector is not None:
            yield forbidden(f"{path}.name", exclusive)
    if selector is not None:
        yield from label_selector(f"{path}.selector", selector)
        if name:
            yield forbidden(f"{path}.selector", exclusive)
    if not name and selector is None:
        yield required(path, "one of name or selector must be specified")
    action = ref.get("parameterNotFoundAction")
    if not action:
        yield required(f"{path}.parameterNotFoundAction")
    elif action not in ("Deny", "Allow"):
        yield unsupported(f"{path}.parameterNotFoundAction", action, ("Deny", "Allow"))


def _actions(path: str, actions: list[str]) -> Faults:
    for at, action in enumerate(actions):
        if action not in _ACTIONS:
            yield unsupported(f"{path}[{at}]", action, _ACTIONS)
        if action in actions[:at]:
            yield duplicate(f"{path}[{at}]", action)
    if {"Deny", "Warn"} <= {*actions}:
        why = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the "
            "API response and headers serves no purpose)"
        )
        yield invalid(path, actions, why)
    if not actions:
        yield required(path, "at least one validation action is required")

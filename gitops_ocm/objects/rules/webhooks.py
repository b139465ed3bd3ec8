"""What configurations of webhooks must be, and the rules by which they and policies choose writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitops_ocm.objects.crd_conversion import client_causes, review_causes
from gitops_ocm.objects.names import path_problems, subdomain_problems
from gitops_ocm.objects.rules.faults import (
    Faults,
    Value,
    duplicate,
    each_invalid,
    invalid,
    items,
    optional_one_of,
    required,
    too_many,
    unsupported,
)
from gitops_ocm.objects.rules.formats import label_selector, qualified

_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_HARMLESS = ("None", "NoneOnDryRun")
FAILURE_POLICIES, MATCH_POLICIES = ("Fail", "Ignore"), ("Equivalent", "Exact")
_MOST_CONDITIONS = 64
_SEGMENTS = 3


def configuration(obj: Value, old: Value | None) -> Faults:
    """A configuration of webhooks, mutating or validating."""
    names: set[str] = set()
    unchanged = old is not None and _conditions(old) == _conditions(obj)
    for at, hook in items(obj.get("webhooks"), "webhooks"):
        yield from _webhook(at, hook, judged=not unchanged)
        name = hook.get("name") or ""
        if name and name in names:
            yield duplicate(f"{at}.name", name)
        names.add(name)


def _conditions(obj: Value) -> list[Any]:
    return [hook.get("matchConditions") for hook in obj.get("webhooks") or ()]


def _webhook(path: str, hook: Value, *, judged: bool) -> Faults:
    name = hook.get("name") or ""
    problems = subdomain_problems(name) if name else []
    yield from each_invalid(f"{path}.name", name, problems)
    if not name:
        yield required(f"{path}.name")
    elif not problems and name.count(".") < _SEGMENTS - 1:
        why = "should be a domain with at least three segments separated by dots"
        yield invalid(f"{path}.name", name, why)
    for at, rule in items(hook.get("rules"), f"{path}.rules"):
        yield from _rule(at, rule)
    yield from optional_one_of(f"{path}.failurePolicy", hook.get("failurePolicy"), FAILURE_POLICIES)
    yield from optional_one_of(f"{path}.matchPolicy", hook.get("matchPolicy"), MATCH_POLICIES)
    effects = hook.get("sideEffects")
    if effects is None:
        yield required(f"{path}.sideEffects", f"must specify one of {', '.join(_HARMLESS)}")
    elif effects not in _HARMLESS:
        yield unsupported(f"{path}.sideEffects", effects, _HARMLESS)
    seconds = hook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= 30:
        why = "the timeout value must be between 1 and 30 seconds"
        yield invalid(f"{path}.timeoutSeconds", seconds, why)
    yield from label_selector(f"{path}.namespaceSelector", hook.get("namespaceSelector"))
    yield from label_selector(f"{path}.objectSelector", hook.get("objectSelector"))
    yield from optional_one_of(
        f"{path}.reinvocationPolicy", hook.get("reinvocationPolicy"), ("IfNeeded", "Never")
    )
    yield from client_causes(hook.get("clientConfig") or {}, f"{path}.clientConfig")
    if judged:
        yield from match_conditions(f"{path}.matchConditions", hook.get("matchConditions"), params=False)
    missing = "must specify one of v1, v1beta1"
    where = f"{path}.admissionReviewVersions"
    yield from review_causes(hook.get("admissionReviewVersions") or [], where, missing)


def match_resources(path: str, limits: Value) -> Faults:
    """Which writes a policy or a binding is about."""
    yield from optional_one_of(f"{path}.matchPolicy", limits.get("matchPolicy"), MATCH_POLICIES)
    yield from label_selector(f"{path}.namespaceSelector", limits.get("namespaceSelector"))
    yield from label_selector(f"{path}.objectSelector", limits.get("objectSelector"))
    for field in ("resourceRules", "excludeResourceRules"):
        for at, rule in items(limits.get(field), f"{path}.{field}"):
            yield from _named_rule(at, rule)


def _named_rule(path: str, rule: Value) -> Faults:
    seen: set[str] = set()
    for at, name in items(rule.get("resourceNames"), f"{path}.resourceNames"):
        yield from each_invalid(at, name, path_problems(name))
        if name in seen:
            yield duplicate(at, name)
        seen.add(name)
    yield from _rule(path, rule)


def _rule(path: str, rule: Value) -> Faults:
    operations = rule.get("operations") or []
    yield from _alone(f"{path}.operations", operations, "operations")
    for at, operation in items(operations, f"{path}.operations"):
        if operation not in _OPERATIONS:
            yield unsupported(at, operation, _OPERATIONS)
    yield from _alone(f"{path}.apiGroups", rule.get("apiGroups") or [], "API groups")
    versions = rule.get("apiVersions") or []
    yield from _alone(f"{path}.apiVersions", versions, "API versions")
    yield from (required(at) for at, version in items(versions, f"{path}.apiVersions") if not version)
    yield from _resources(f"{path}.resources", rule.get("resources") or [])
    yield from optional_one_of(f"{path}.scope", rule.get("scope"), _SCOPES)


def _alone(path: str, values: Sequence[str], others: str) -> Faults:
    if not values:
        yield required(path)
    elif len(values) > 1 and "*" in values:
        yield invalid(path, list(values), f"if '*' is present, must not specify other {others}")


def _resources(path: str, resources: Sequence[str]) -> Faults:
    if not resources:
        yield required(path)
    all_parts_of: set[str] = set()
    part_of_all: set[str] = set()
    plain = False
    for at, text in items(resources, path):
        if not text:
            yield required(at)
            continue
        resource, slash, part = text.partition("/")
        if not slash:
            plain = text != "*"
            continue
        if resource in all_parts_of:
            yield invalid(at, text, f"if '{resource}/*' is present, must not specify {text}")
        if part in part_of_all:
            yield invalid(at, text, f"if '*/{part}' is present, must not specify {text}")
        all_parts_of |= {resource} if part == "*" else set()
        part_of_all |= {part} if resource == "*" else set()
    if len(resources) > 1 and "*/*" in resources:
        yield invalid(path, list(resources), "if '*/*' is present, must not specify other resources")
    if "*" in resources and plain:
        why = "if '*' is present, must not specify other resources without subresources"
        yield invalid(path, list(resources), why)


def match_conditions(path: str, conditions: Any, *, params: bool) -> Faults:
    """Conditions in CEL, each with a name of its own."""
    if len(conditions or ()) > _MOST_CONDITIONS:
        yield too_many(path, len(conditions), _MOST_CONDITIONS)
    names: set[str] = set()
    for at, condition in items(conditions, path):
        expression, name = (condition.get("expression") or "").strip(), condition.get("name") or ""
        if expression:
            yield from expression_faults(f"{at}.expression", expression, ("bool",), variables(params=params))
        else:
            yield required(f"{at}.expression")
        if name:
            yield from qualified(f"{at}.name", name)
        else:
            yield required(f"{at}.name")
        if name and name in names:
            yield duplicate(f"{at}.name", name)
        names.add(name)


def variables(*, params: bool, authorizer: bool = True, more: Iterable[str] = ()) -> frozenset[str]:
    """What an expression may name."""
    known = {"object", "oldObject", "request", "namespaceObject", *more}
    known |= {"params"} if params else set()
    return frozenset(known | ({"authorizer", "authorizer.requestResource"} if authorizer else set()))


_CALLED: Mapping[str, str] = {"null": "null_type"}


def expression_faults(path: str, text: str, wanted: Sequence[str], names: frozenset[str]) -> Faults:
    """What keeps an expression from being asked for what is wanted of it."""
    from gitops_ocm.objects.cel.faults import CompileError
    from gitops_ocm.objects.cel_conditions import compiled

    try:
        found = compiled(text, names).type
    except CompileError as error:
        yield invalid(path, text, f"compilation failed: {error.message}")
        return
    if wanted and found.kind not in wanted:
        types = [_CALLED.get(kind, kind) for kind in wanted]
        what = types[0] if len(types) == 1 else f"one of [{' '.join(types)}]"
        yield invalid(path, text, f"must evaluate to {what} but got {found}")

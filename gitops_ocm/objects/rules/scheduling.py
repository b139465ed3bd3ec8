"""On which nodes a pod may run: tolerations, affinity, and how pods are spread."""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.names import key_problems, label_problems, label_value_problems
from gitops_ocm.objects.rules.faults import (
    Faults,
    Value,
    duplicate,
    each_invalid,
    forbidden,
    invalid,
    items,
    optional_one_of,
    positive,
    required,
    unsupported,
)
from gitops_ocm.objects.rules.formats import label_selector, qualified, set_operator, subdomain

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_SPREAD = ("DoNotSchedule", "ScheduleAnyway")
_REQUIRED, _PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)


def tolerations(path: str, value: Any) -> Faults:
    """What a pod bears of its node."""
    for at, one in items(value, path):
        key, operator, effect = one.get("key") or "", one.get("operator") or "", one.get("effect") or ""
        text = one.get("value") or ""
        if key:
            yield from qualified(f"{at}.key", key)
        elif operator != "Exists":
            why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            yield invalid(f"{at}.operator", operator, why)
        if one.get("tolerationSeconds") is not None and effect != "NoExecute":
            why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            yield invalid(f"{at}.effect", effect, why)
        if operator in ("Equal", ""):
            if problems := label_value_problems(text):
                yield invalid(f"{at}.operator", text, ";".join(problems))
        elif operator == "Exists":
            if text:
                yield invalid(f"{at}.operator", text, "value must be empty when `operator` is 'Exists'")
        else:
            yield unsupported(f"{at}.operator", operator, ("Equal", "Exists"))
        if effect and effect not in EFFECTS:
            yield unsupported(f"{at}.effect", effect, EFFECTS)


def affinity(path: str, value: Value | None) -> Faults:
    """What nodes and what pods a pod wants to be near."""
    value = value or {}
    if value.get("nodeAffinity") is not None:
        yield from _to_nodes(f"{path}.nodeAffinity", value["nodeAffinity"])
    for name in ("podAffinity", "podAntiAffinity"):
        if value.get(name) is not None:
            yield from _to_pods(f"{path}.{name}", value[name])


def _to_nodes(path: str, value: Value) -> Faults:
    if value.get(_REQUIRED) is not None:
        yield from node_selector(f"{path}.{_REQUIRED}", value[_REQUIRED])
    for at, term in items(value.get(_PREFERRED), f"{path}.{_PREFERRED}"):
        yield from _weight(at, term)
        yield from _node_term(f"{at}.preference", term.get("preference") or {}, strict=False)


def _weight(path: str, term: Value) -> Faults:
    weight = term.get("weight") or 0
    if not 1 <= weight <= 100:
        yield invalid(f"{path}.weight", weight, "must be in the range 1-100")


def node_selector(path: str, value: Value) -> Faults:
    """A choice of nodes by one of several terms."""
    if not value.get("nodeSelectorTerms"):
        yield required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")
    for at, term in items(value.get("nodeSelectorTerms"), f"{path}.nodeSelectorTerms"):
        yield from _node_term(at, term)


def _node_term(path: str, term: Value, *, strict: bool = True) -> Faults:
    """`strict`: what labels are compared with can be one's value."""
    for at, requirement in items(term.get("matchExpressions"), f"{path}.matchExpressions"):
        yield from _node_requirement(at, requirement, strict=strict)
    for at, requirement in items(term.get("matchFields"), f"{path}.matchFields"):
        yield from _field_requirement(at, requirement)


def _node_requirement(path: str, requirement: Value, *, strict: bool) -> Faults:
    operator, values = requirement.get("operator") or "", requirement.get("values") or []
    if operator not in ("Gt", "Lt"):
        yield from set_operator(path, operator, values)
    elif len(values) != 1:
        yield required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
    yield from qualified(f"{path}.key", requirement.get("key") or "")
    for at, value in items(values if strict else (), f"{path}.values"):
        yield from each_invalid(at, value, label_value_problems(value))


def _field_requirement(path: str, requirement: Value) -> Faults:
    operator, values = requirement.get("operator") or "", requirement.get("values") or []
    if operator not in ("In", "NotIn"):
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")
    elif len(values) != 1:
        why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield required(f"{path}.values", why)
    key = requirement.get("key") or ""
    if key == "metadata.name":
        for at, value in items(values, f"{path}.values"):
            yield from subdomain(at, value)
    else:
        yield invalid(f"{path}.key", key, "not a valid field selector key")


def _to_pods(path: str, value: Value) -> Faults:
    for at, term in items(value.get(_REQUIRED), f"{path}.{_REQUIRED}"):
        yield from _pod_term(at, term)
    for at, weighted in items(value.get(_PREFERRED), f"{path}.{_PREFERRED}"):
        yield from _weight(at, weighted)
        yield from _pod_term(f"{at}.podAffinityTerm", weighted.get("podAffinityTerm") or {})


def _pod_term(path: str, term: Value) -> Faults:
    yield from label_selector(f"{path}.labelSelector", term.get("labelSelector"))
    yield from label_selector(f"{path}.namespaceSelector", term.get("namespaceSelector"))
    for name in term.get("namespaces") or ():
        yield from each_invalid(f"{path}.namespace", name, label_problems(name))
    yield from _label_keys(path, term)
    key = term.get("topologyKey") or ""
    if not key:
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from qualified(f"{path}.topologyKey", key)


def _label_keys(path: str, term: Value) -> Faults:
    for name in ("matchLabelKeys", "mismatchLabelKeys"):
        keys = term.get(name) or ()
        if keys and term.get("labelSelector") is None:
            yield forbidden(f"{path}.{name}", "must not be specified when labelSelector is not set")
        for at, key in items(keys, f"{path}.{name}"):
            yield from each_invalid(at, key, key_problems(key))


def spreading(path: str, value: Any) -> Faults:
    """How evenly a workload's pods are to be placed."""
    constraints = list(items(value, path))
    for number, (at, one) in enumerate(constraints):
        yield from positive(f"{at}.maxSkew", one.get("maxSkew"))
        key, action = one.get("topologyKey") or "", one.get("whenUnsatisfiable") or ""
        if not key:
            yield required(f"{at}.topologyKey", "can not be empty")
        if action not in _SPREAD:
            yield unsupported(f"{at}.whenUnsatisfiable", action, _SPREAD)
        for _, later in constraints[number + 1 :]:
            if (later.get("topologyKey") or "", later.get("whenUnsatisfiable") or "") == (key, action):
                yield duplicate(f"{at}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {action}}}")
                break
        yield from _spread_where(at, one, action)
        yield from _label_keys(at, one)
        yield from label_selector(f"{at}.labelSelector", one.get("labelSelector"))


def _spread_where(path: str, constraint: Value, action: str) -> Faults:
    domains = constraint.get("minDomains")
    if domains is not None:
        yield from positive(f"{path}.minDomains", domains)
        if action != "DoNotSchedule":
            why = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
            yield invalid(f"{path}.minDomains", domains, why)
    for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        yield from optional_one_of(f"{path}.{name}", constraint.get(name), ("Honor", "Ignore"))

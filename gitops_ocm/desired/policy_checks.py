"""What is wrong with a policy beyond its form: every problem, with the path to the key that it is about.

Whether a rule can be asked is found out when it is read, not when it is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gitops_ocm.api.scalars import ScalarError, parse_duration
from gitops_ocm.desired.policy import (
    CHECKS,
    OWN_RULE,
    Freeze,
    PolicySection,
    Protected,
    RequiredRollout,
    Rule,
)
from gitops_ocm.desired.suggest import nearest
from gitops_ocm.desired.windows import BadWindow, Window, read_window
from gitops_ocm.desired.yaml_events import Path
from gitops_ocm.errors import Diagnostic, Severity
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.cel.faults import CompileError
from gitops_ocm.objects.placements import selector_fault


class Fault(NamedTuple):
    """One problem; `path` leads from the section to the key."""

    path: Path
    message: str
    hint: str = ""


def policy_faults(policy: PolicySection) -> Iterator[Fault]:
    """All that is wrong with the rules."""
    seen: set[str] = set()
    for index, rule in enumerate(policy.rules):
        at: Path = ("rules", index)
        if rule.name in seen:
            yield Fault((*at, "name"), f"there are two rules named {rule.name!r}", "a name is what overrides")
        if rule.name == OWN_RULE:
            why = f"{OWN_RULE!r} is the name of the rule about the policy itself"
            yield Fault((*at, "name"), why, "choose another")
        seen.add(rule.name)
        for path, message, hint in _rule(rule):
            yield Fault((*at, *path), f"rule {rule.name!r}: {message}", hint)


def window_of(freeze: Freeze) -> Window:
    """When a freeze holds; raises `BadWindow`."""
    return read_window(freeze.from_, freeze.to, days=freeze.days, zone=freeze.time_zone)


def unknown_kinds(policy: PolicySection, catalog: Catalog) -> Iterator[Diagnostic]:
    """Kinds that rules name and that nobody knows: they hold nothing, which is hardly meant."""
    served = {(resource.group, resource.kind) for resource in catalog.resources()} if policy.rules else set()
    names = {kind for _, kind in served}
    for rule in policy.rules:
        for named in _kinds(rule):
            kind, _, group = named.partition(".")
            if (group, kind) in served if group else kind in names:
                continue
            why = f"rule {rule.name!r}: there is no kind {named!r}, so this holds nothing"
            hint = nearest(kind, names) or "write Kind, or Kind.group"
            yield Diagnostic("policy-kind", why, rule.where, hint=hint, severity=Severity.WARNING)


def _kinds(rule: Rule) -> Iterator[str]:
    for protected in rule.protected or ():
        yield from protected.kinds
    if rule.freeze:
        yield from rule.freeze.kinds


def _rule(rule: Rule) -> Iterable[Fault]:
    said = rule.says
    if len(said) != 1:
        found = f"it says {' and '.join(said)}" if said else "it says nothing"
        yield Fault((said[1],) if said else (), f"{found}; a rule says one of {', '.join(CHECKS.values())}")
    for index, protected in enumerate(rule.protected or ()):
        yield from _protected(protected, ("protected", index))
    if rule.protected == ():
        yield Fault(("protected",), "it protects nothing", "`- {}` stands for every object")
    if rule.required_rollout is not None:
        yield from _required(rule.required_rollout, ("requiredRollout",))
    if rule.freeze is not None:
        try:
            window_of(rule.freeze)
        except BadWindow as error:
            yield Fault(("freeze", error.field), error.message, error.hint)
    yield from _expressions(rule)


def _protected(protected: Protected, at: Path) -> Iterator[Fault]:
    selector = protected.selector
    if selector is None:
        return
    if unknown := sorted(selector.keys() - {"matchLabels", "matchExpressions"}):
        yield Fault((*at, "selector", unknown[0]), f"unknown key {unknown[0]!r} in a label selector")
    elif not _is_selector(selector):
        yield Fault((*at, "selector"), "it is no label selector: matchLabels is a mapping of texts, "
                    "matchExpressions a list of key, operator and values")  # fmt: skip
    elif fault := selector_fault(selector):
        yield Fault((*at, "selector"), fault)


def _is_selector(selector: dict[str, object]) -> bool:
    """Whether it has the form of one, so that more can be asked."""
    labels, terms = selector.get("matchLabels", {}), selector.get("matchExpressions", [])
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        return False
    if not isinstance(terms, list) or not all(isinstance(term, dict) for term in terms):
        return False
    return all(
        isinstance(term.get("key"), str)
        and isinstance(term.get("values", []), list)
        and all(isinstance(value, str) for value in term.get("values", []))
        for term in terms
    )


def _required(required: RequiredRollout, at: Path) -> Iterator[Fault]:
    for index, name in enumerate(required.placements):
        if name.count("/") != 1 or not all(name.split("/")):
            why = f"{name!r} is no placement"
            yield Fault((*at, "placements", index), why, "write NAMESPACE/NAME; either may be a glob")
    if required.min_success_time is not None:
        try:
            parse_duration(required.min_success_time)
        except ScalarError as error:
            yield Fault((*at, "minSuccessTime"), error.message, error.hint)


def _expressions(rule: Rule) -> Iterator[Fault]:
    texts = (("expression", rule.expression), ("messageExpression", rule.message_expression))
    if rule.message_expression is not None and rule.expression is None:
        yield Fault(("messageExpression",), "it goes with an expression", "write a `message`")
    if all(text is None for _, text in texts):
        return
    from gitops_ocm.desired.policy_language import compiled, compiled_message

    for (name, text), compile_ in zip(texts, (compiled, compiled_message), strict=True):
        if text is not None:
            try:
                compile_(text)
            except CompileError as error:
                # On one line: the others repeat the expression, which is at the place that is told.
                why = error.message.partition("\n")[0].removeprefix("ERROR: <input>:")
                yield Fault((name,), f"{name} cannot be asked: {why}")

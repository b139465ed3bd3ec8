"""Label and field selectors: what they mean and how their text is read.

`matches` judges a `LabelSelector` as objects carry it; `parse` and `parse_fields` read the text of
a LIST or WATCH request. Texts of errors follow apimachinery's `labels` and `fields` packages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.objects.faults import bad_request
from gitops_ocm.objects.names import key_problems, label_value_problems
from gitops_ocm.objects.paths import get
from gitops_ocm.objects.selector_text import terms

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term: `operator` is In, NotIn, Exists, DoesNotExist, Gt or Lt."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Labels) -> bool:
        """Whether `labels` meet this term; NotIn is also met by an absent key."""
        value = labels.get(self.key)
        match self.operator:
            case "In":
                return value is not None and value in self.values
            case "NotIn":
                return value is None or value not in self.values
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None
            case "Gt" | "Lt":
                return _compares(value, self.operator, self.values)
        return False


@dataclass(frozen=True, slots=True)
class Selector:
    """A conjunction of requirements; without any it selects everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Labels | None) -> bool:
        """Whether an object with these labels is selected."""
        held = labels or {}
        return all(r.matches(held) for r in self.requirements)


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """A conjunction of `path = value` (`equal`) or `path != value` terms."""

    terms: tuple[tuple[str, bool, str], ...] = ()

    def matches(self, obj: Mapping[str, Any]) -> bool:
        """Whether the object's fields are as asked; an absent field is the empty string."""
        return all((_field_text(obj, path) == value) is equal for path, equal, value in self.terms)

    @property
    def paths(self) -> tuple[str, ...]:
        """The fields asked about."""
        return tuple(path for path, _, _ in self.terms)

    def exact(self, path: str) -> str:
        """The one value `path` must have, `""` where that is not said."""
        for term, equal, value in self.terms:
            if term == path and equal:
                return value
        return ""


def matches(label_selector: Mapping[str, Any] | None, labels: Labels | None) -> bool:
    """Whether a `LabelSelector` selects `labels`: None selects nothing, `{}` everything."""
    if label_selector is None:
        return False
    held = labels or {}
    for key, value in (label_selector.get("matchLabels") or {}).items():
        if held.get(key) != value:
            return False
    return all(
        Requirement(e.get("key", ""), e.get("operator", ""), frozenset(e.get("values") or ())).matches(held)
        for e in label_selector.get("matchExpressions") or ()
    )


def parse(text: str) -> Selector:
    """Read `a=b,c!=d,e in (f,g),!h,i`; raises `ApiError` BadRequest."""
    return Selector(tuple(_requirement(*term) for term in terms(text)))


def parse_fields(text: str) -> FieldSelector:
    """Read `metadata.name=a,status.phase!=Running`; raises `ApiError` BadRequest."""
    terms = []
    for term in filter(None, re.split(r"(?<!\\),", text)):
        found = re.match(r"(.*?)(==|!=|=)(.*)\Z", term, re.DOTALL)
        if not found:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{term}'")
        path, operator, value = found.groups()
        if odd := re.search(r"(?<!\\)[=]", value):
            raise bad_request(f"invalid field selector: unescaped character in value: {ord(odd[0])}")
        terms.append((path, operator != "!=", re.sub(r"\\([\\,=])", r"\1", value)))
    return FieldSelector(tuple(terms))


_FLAGS = frozenset({"spec.hostNetwork", "spec.unschedulable"})
"""Fields of built-in kinds that are false where nothing is said."""


def _field_text(obj: Mapping[str, Any], path: str) -> str:
    value = get(obj, *path.split("."))
    if value is None:
        return "false" if path in _FLAGS else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _compares(value: str | None, operator: str, bounds: frozenset[str]) -> bool:
    try:
        have, bound = int(value or ""), int(next(iter(bounds), ""))
    except ValueError:
        return False
    return have > bound if operator == "Gt" else have < bound


def _requirement(key: str, operator: str, values: list[str]) -> Requirement:
    for problem in key_problems(key):
        raise bad_request(f'unable to parse requirement: <nil>: Invalid value: "{key}": {problem}')
    for at, value in enumerate(values):
        problems = label_value_problems(value)
        if operator in ("Gt", "Lt") and not re.fullmatch(r"[+-]?\d+", value):
            problems = ["for 'Gt', 'Lt' operators, the value must be an integer"]
        for problem in problems:
            where = f"values[{at}]" if operator in ("Gt", "Lt") else f"values[{at}][{key}]"
            raise bad_request(f'unable to parse requirement: {where}: Invalid value: "{value}": {problem}')
    return Requirement(key, operator, frozenset(values))

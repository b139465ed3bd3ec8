"""Label and field selectors: what they mean and how their text is read.

`matches` judges a `LabelSelector` as objects carry it; `parse` and `parse_fields` read the text of
a LIST or WATCH request. Texts of errors follow apimachinery's `labels` and `fields` packages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.objects.faults import ApiError, bad_request
from gitops_ocm.objects.paths import get

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
    if not text.strip():
        return Selector()
    return Selector(tuple(_requirement(term) for term in _split(text)))


def parse_fields(text: str) -> FieldSelector:
    """Read `metadata.name=a,status.phase!=Running`; raises `ApiError` BadRequest."""
    terms = []
    for term in filter(None, re.split(r"(?<!\\),", text)):
        found = re.match(r"((?:\\.|[^\\=!])*)(==|!=|=)(.*)\Z", term, re.DOTALL)
        if not found:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{term}'")
        path, operator, value = found.groups()
        terms.append((path, operator != "!=", re.sub(r"\\([\\,=])", r"\1", value)))
    return FieldSelector(tuple(terms))


def _field_text(obj: Mapping[str, Any], path: str) -> str:
    value = get(obj, *path.split("."))
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _compares(value: str | None, operator: str, bounds: frozenset[str]) -> bool:
    try:
        have, bound = int(value or ""), int(next(iter(bounds), ""))
    except ValueError:
        return False
    return have > bound if operator == "Gt" else have < bound


_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY = rf"(?:[a-z0-9](?:[-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME}"
_VALUE = re.compile(rf"(?:{_NAME})?")
_SET = re.compile(rf"\s*({_KEY})\s+(in|notin)\s*\(([^()]*)\)\s*")
_COMPARE = re.compile(rf"\s*({_KEY})\s*(==|!=|=|>|<)\s*([^\s,=!<>()]*)\s*")
_BARE = re.compile(rf"\s*(!?)\s*({_KEY})\s*")
_OPERATORS = {"=": "In", "==": "In", "!=": "NotIn", ">": "Gt", "<": "Lt", "in": "In", "notin": "NotIn"}


def _split(text: str) -> list[str]:
    """Terms between commas that are not inside parentheses."""
    terms, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            terms.append(text[start:at])
            start = at + 1
    return [*terms, text[start:]]


def _requirement(term: str) -> Requirement:
    readers: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Requirement]], ...] = (
        (_SET, _of_set),
        (_COMPARE, _of_comparison),
        (_BARE, lambda m: Requirement(m[2], "DoesNotExist" if m[1] else "Exists")),
    )
    for pattern, read in readers:
        found = pattern.fullmatch(term)
        if found:
            return read(found)
    raise bad_request(f"unable to parse requirement: found '{term.strip()}', expected: a label requirement")


def _of_set(found: re.Match[str]) -> Requirement:
    values = frozenset(_value(found[1], v.strip()) for v in found[3].split(","))
    return Requirement(found[1], _OPERATORS[found[2]], values)


def _of_comparison(found: re.Match[str]) -> Requirement:
    key, operator, value = found.groups()
    if operator in "<>" and not re.fullmatch(r"[+-]?\d+", value):
        raise _unreadable(key, value, "for 'Gt', 'Lt' operators, the value must be an integer")
    return Requirement(key, _OPERATORS[operator], frozenset((_value(key, value),)))


def _value(key: str, value: str) -> str:
    if _VALUE.fullmatch(value):
        return value
    raise _unreadable(
        key,
        value,
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
        "must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
        "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    )


def _unreadable(key: str, value: str, why: str) -> ApiError:
    return bad_request(f'unable to parse requirement: values[0][{key}]: Invalid value: "{value}": {why}')

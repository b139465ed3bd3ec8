"""Reading the text of a label selector, token by token, with the errors of apimachinery.

    terms("app in (a,b),!old")  →  [("app", "In", ["a", "b"]), ("old", "DoesNotExist", [])]

What a term means is `selectors.Requirement`.
"""

from __future__ import annotations

import re

from gitops_ocm.objects.faults import ApiError, bad_request

Term = tuple[str, str, list[str]]

_TOKEN = re.compile(r"\s*(==|!=|[=!(),><]|[^\s=!(),><]+)")
_SYMBOLS = frozenset(("==", "!=", "=", "!", "(", ")", ",", ">", "<"))
_OPERATORS = {"=": "In", "==": "In", "!=": "NotIn", ">": "Gt", "<": "Lt", "in": "In", "notin": "NotIn"}


def terms(text: str) -> list[Term]:
    """The terms, in order; raises `ApiError` BadRequest at the first token out of place."""
    return _Reader(text).selector()


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    def selector(self) -> list[Term]:
        found: list[Term] = []
        if not self._peek():
            return found
        if not self._starts_term():
            raise _unexpected(self._peek(), "!, identifier, or 'end of string'")
        while True:
            try:
                found.append(self._term())
            except ApiError as error:
                raise bad_request(f"unable to parse requirement: {error.message}") from None
            after = self._take()
            if not after:
                return found
            if after != ",":
                raise _unexpected(after, "',' or 'end of string'")
            if not self._starts_term():
                raise _unexpected(self._peek(), "identifier after ','")

    def _term(self) -> Term:
        negated = self._peek() == "!"
        if negated:
            self._take()
        key = self._identifier("identifier")
        if negated or self._peek() in ("", ","):
            return key, "DoesNotExist" if negated else "Exists", []
        operator = self._take()
        if operator not in _OPERATORS:
            raise _unexpected(operator, "in, notin, =, ==, !=, gt, lt")
        values = self._values() if operator in ("in", "notin") else self._value()
        return key, _OPERATORS[operator], values

    def _value(self) -> list[str]:
        return [""] if self._peek() in ("", ",") else [self._identifier("identifier")]

    def _values(self) -> list[str]:
        opened = self._take()
        if opened != "(":
            raise bad_request(f"found '{opened}' expected: '('")
        values: list[str] = []
        while True:
            if self._peek() in (",", ")"):
                values.append("")
            else:
                values.append(self._identifier("',', ')' or identifier"))
            after = self._take()
            if after == ")":
                return sorted(set(values))
            if after != ",":
                raise _unexpected(after, "',' or ')'")

    def _starts_term(self) -> bool:
        return self._peek() not in {"", *_SYMBOLS} or self._peek() == "!"

    def _identifier(self, expected: str) -> str:
        token = self._take()
        if not token or token in _SYMBOLS:
            raise _unexpected(token, expected)
        return token

    def _peek(self) -> str:
        token: str = self._tokens[self._at] if self._at < len(self._tokens) else ""
        return token

    def _take(self) -> str:
        token = self._peek()
        self._at += 1
        return token


def _unexpected(token: str, expected: str) -> ApiError:
    return bad_request(f"found '{token}', expected: {expected}")

"""The names in a pod's DNS settings, which may have underscores."""

from __future__ import annotations

import re

_LABEL = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SEARCH = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and "
    "must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    rf"'{_LABEL}(\.{_LABEL})*')"
)


def search_problems(name: str) -> list[str]:
    """What is wrong with a domain to look names up in."""
    problems = ["must be no more than 253 characters"] if len(name) > 253 else []
    return problems if _SEARCH.fullmatch(name) else [*problems, _TEXT]

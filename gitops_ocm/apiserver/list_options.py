"""Which combinations of a LIST's or WATCH's options make sense; the rest is refused as kube-apiserver does.

Reading them out of a query is `handlers_options`, obeying them `reading`.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ocm.objects.faults import Cause, invalid

EXACT, NOT_OLDER = "Exact", "NotOlderThan"
_MATCH = "resourceVersionMatch"


def check_list(*, version: str, match: str, token: str, initial: bool | None = None) -> None:
    """Raise Invalid for options that a LIST cannot have together."""
    _refuse([*_list_causes(version, match, token, initial)])


def check_watch(*, match: str, token: str = "", initial: bool | None = None) -> None:
    """Raise Invalid for options that a WATCH cannot have together."""
    _refuse([*_watch_causes(match, token, initial)])


def _list_causes(version: str, match: str, token: str, initial: bool | None) -> Iterator[Cause]:
    if match and not version:
        yield _forbidden(f"{_MATCH} is forbidden unless resourceVersion is provided")
    if match and token:
        yield _forbidden(f"{_MATCH} is forbidden when continue is provided")
    if match and match not in (EXACT, NOT_OLDER):
        yield _unsupported(match, (EXACT, NOT_OLDER, ""))
    if match == EXACT and version == "0":
        yield _forbidden(f'{_MATCH} "exact" is forbidden for resourceVersion "0"')
    if initial is not None:
        yield _forbidden("sendInitialEvents is forbidden for list", "sendInitialEvents")


def _watch_causes(match: str, token: str, initial: bool | None) -> Iterator[Cause]:
    if initial is not None and match != NOT_OLDER:
        yield _forbidden(f"sendInitialEvents requires setting {_MATCH} to {NOT_OLDER}")
    if match and initial is None:
        yield _forbidden(f"{_MATCH} is forbidden for watch unless sendInitialEvents is provided")
    if match and match != NOT_OLDER:
        yield _unsupported(match, (NOT_OLDER,))
    if token:
        yield _forbidden(f"{_MATCH} is forbidden when continue is provided")


def _forbidden(why: str, field: str = _MATCH) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {why}", field)


def _unsupported(value: str, supported: tuple[str, ...]) -> Cause:
    known = ", ".join(f'"{v}"' for v in supported)
    text = f'Unsupported value: "{value}": supported values: {known}'
    return Cause("FieldValueNotSupported", text, _MATCH)


def _refuse(causes: list[Cause]) -> None:
    if causes:
        raise invalid("meta.k8s.io", "ListOptions", "", causes)

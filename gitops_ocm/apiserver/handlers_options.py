"""The query parameters and option bodies of a request, checked as a kube-apiserver checks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.apiserver.bodies import meta_problem
from gitops_ocm.apiserver.handlers_body import bad_options
from gitops_ocm.apiserver.values import ListOptions
from gitops_ocm.objects import decoding
from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.faults import ApiError, Cause, bad_request, invalid
from gitops_ocm.objects.schema import Schema

Query = Mapping[str, str]

MAX_MANAGER = 128
_META = "meta.k8s.io"
_LONG = 100
"""Digits that are too many for any number, without counting."""
_TEXT = {"type": "string"}
_DELETE_OPTIONS = Schema(
    {
        "type": "object",
        "properties": {
            "gracePeriodSeconds": {"type": "integer", "format": "int64"},
            "preconditions": {"type": "object", "properties": {"uid": _TEXT, "resourceVersion": _TEXT}},
            "orphanDependents": {"type": "boolean"},
            "propagationPolicy": _TEXT,
            "dryRun": {"type": "array", "items": _TEXT},
            "ignoreStoreReadErrorWithClusterBreakingPotential": {"type": "boolean"},
        },
    },
    None,
)
_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_PROPAGATIONS = ("Foreground", "Background", "Orphan")


@dataclass(frozen=True, slots=True)
class WriteQuery:
    """What a POST, PUT or PATCH says beside its body."""

    dry_run: bool = False
    field_manager: str = ""
    field_validation: str = ""
    force: bool = False


def write_query(query: Query, kind: str, *, user_agent: str = "") -> WriteQuery:
    """The options of a write; `kind` (`CreateOptions`) is for the message of a bad one.

    Without a `fieldManager` it is the first part of the user agent, as everywhere in Kubernetes.
    """
    if not query:
        return WriteQuery(field_manager=_agent(user_agent), field_validation="Warn")
    dry_run = "dryRun" in query and _dry_run(query["dryRun"], kind)
    manager = query.get("fieldManager", "")
    if len(manager.encode()) > MAX_MANAGER:
        raise _bad(
            kind, "fieldManager", "FieldValueTooLong", f"Too long: may not be more than {MAX_MANAGER} bytes"
        )
    if not manager.isprintable():
        at, odd = next((at, c) for at, c in enumerate(manager) if not c.isprintable())
        why = f"invalid character U+{ord(odd):04X} (at position {at})"
        text = f"Invalid value: {canonical_json(manager).decode()}: {why}"
        raise _bad(kind, "fieldManager", "FieldValueInvalid", text)
    validation = query.get("fieldValidation", "")
    if validation not in _VALIDATIONS:
        supported = ", ".join(f'"{v}"' for v in _VALIDATIONS)
        text = f'Unsupported value: "{validation}": supported values: {supported}'
        raise _bad(kind, "fieldValidation", "FieldValueNotSupported", text)
    return WriteQuery(dry_run, manager or _agent(user_agent), validation or "Warn", flag(query, "force"))


def told_options(query: Query) -> dict[str, Any]:
    """What a request says of its options itself, as webhooks are told it."""
    said = {name: query[name] for name in ("fieldManager", "fieldValidation") if query.get(name)}
    return {**({"dryRun": ["All"]} if query.get("dryRun") else {}), **said}


def require_apply_options(query: Query, *, apply: bool) -> None:
    """An apply patch names its manager; nothing else may be forced."""
    if apply and not query.get("fieldManager"):
        raise _bad(
            "PatchOptions",
            "fieldManager",
            "FieldValueRequired",
            "Required value: is required for apply patch",
        )
    if not apply and query.get("force"):
        text = "Forbidden: may not be specified for non-apply patch"
        raise _bad("PatchOptions", "force", "FieldValueForbidden", text)


def delete_options(query: Query, body: Any) -> dict[str, Any]:
    """`DeleteOptions` from the body or, where there is none, from the query."""
    options: dict[str, Any] = {}
    if body is not None:
        options = _options_of(body)
    else:
        if "gracePeriodSeconds" in query:
            options["gracePeriodSeconds"] = integer(query, "gracePeriodSeconds")
        if "propagationPolicy" in query:
            options["propagationPolicy"] = query["propagationPolicy"]
        if "orphanDependents" in query:
            options["orphanDependents"] = flag(query, "orphanDependents")
        if "dryRun" in query:
            options["dryRun"] = [query["dryRun"]]
    if odd := [value for value in options.get("dryRun") or () if value != "All"]:
        _dry_run(str(odd[0] or ""), "DeleteOptions")
    propagation = options.get("propagationPolicy")
    if propagation is not None and propagation not in _PROPAGATIONS:
        supported = ", ".join(f'"{p}"' for p in (*_PROPAGATIONS, "nil"))
        text = f'Unsupported value: "{propagation}": supported values: {supported}'
        raise _bad("DeleteOptions", "propagationPolicy", "FieldValueNotSupported", text)
    return options


def _options_of(body: Any) -> dict[str, Any]:
    """A body as DeleteOptions; 400 where Go could not read it as such."""
    if wrong := meta_problem(body):
        raise bad_request(f"couldn't get version/kind; json parse error: {wrong}")
    if body.get("kind") not in (None, "", "DeleteOptions"):
        raise bad_options(body)
    named = {**body, "kind": "DeleteOptions", "apiVersion": body.get("apiVersion") or "v1"}
    decoding.check_options(named, _DELETE_OPTIONS)
    return {key: value for key, value in body.items() if value is not None}


def selection(query: Query) -> ListOptions:
    """Which part of a collection is meant."""
    return {
        "labels": query.get("labelSelector", ""),
        "fields": query.get("fieldSelector", ""),
        "limit": integer(query, "limit"),
        "continue_token": query.get("continue", ""),
    }


def integer(query: Query, name: str) -> int:
    """A whole number, 0 where it is absent."""
    text = query.get(name, "")
    if not text:
        return 0
    try:
        found = int(text) if len(text) < _LONG else 1 << 63
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
    if abs(found) >= 1 << 63:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": value out of range')
    return found


def flag(query: Query, name: str) -> bool:
    """A boolean as Go reads it in a query: absent, `0` and `false` are false."""
    return name in query and query[name].lower() not in ("0", "false")


def asked(query: Query, name: str) -> bool | None:
    """A boolean that may be left open."""
    return flag(query, name) if query.get(name) else None


def _dry_run(text: str, kind: str) -> bool:
    if text == "All":
        return True
    message = f'Unsupported value: ["{text}"]: supported values: "All"'
    raise _bad(kind, "dryRun", "FieldValueNotSupported", message)


def _agent(user_agent: str) -> str:
    return user_agent.partition("/")[0][:MAX_MANAGER] or "unknown"


def _bad(kind: str, field: str, reason: str, message: str) -> ApiError:
    return invalid(_META, kind, "", [Cause(reason, message, field)])

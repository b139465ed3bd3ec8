"""A live object with a patch laid over it, by the patch's content type.

Server-side apply is not here: it needs the object's owners (`objects.ownership`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from gitops_ocm.apiserver.bodies import KEPT_AROUND, too_deep
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError, Cause, bad_request, invalid
from gitops_ocm.objects.patch import json_patch, merge_patch
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.strategic import strategic_merge


def check_type(type: PatchType, served: Served) -> None:
    """Raise UnsupportedMediaType for a strategic merge of what has no merge strategies."""
    if type is PatchType.STRATEGIC and (served.custom or served.schema is None):
        accepted = ", ".join(str(t) for t in (PatchType.JSON, PatchType.MERGE, PatchType.APPLY))
        raise ApiError(
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: " + accepted,
        )


def patched(live: Object, type: PatchType, body: Any, served: Served) -> Object:
    """The whole object after the patch, before anything is checked."""
    if type is PatchType.JSON:
        result = json_patch(live, body)
    elif not isinstance(body, dict):
        found = "array" if isinstance(body, list) else _go_kind(body)
        told = "error decoding patch: " if type is PatchType.MERGE else ""
        raise bad_request(
            "Invalid JSON Patch"
            if body is None
            else f"{told}json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
        )
    elif type is PatchType.MERGE:
        result = merge_patch(live, body)
    else:
        result = strategic_merge(live, body, served.schema)
    # Operations can put what is deep where it is deep already.
    if not isinstance(result, dict) or (type is PatchType.JSON and too_deep(result, around=KEPT_AROUND)):
        raise ApiError("Invalid", "the server rejected our request due to an error in our request")
    return result


@contextmanager
def said_of_patch(result: Object) -> Iterator[None]:
    """Where what a patch comes to cannot be read as its kind, blame the patch (422, not 400)."""
    try:
        yield
    except ApiError as error:
        if error.reason != "BadRequest" or _OTHER_NAMESPACE in error.message:
            raise
        _, handled, why = error.message.partition(": ")
        shown = orjson.dumps(orjson.dumps(result).decode()).decode()
        told = why if " cannot be handled as a " in error.message and handled else error.message
        cause = Cause("FieldValueInvalid", f"Invalid value: {shown}: {told}", "patch")
        raise invalid("", "", "", (cause,)) from None


_OTHER_NAMESPACE = "does not match the namespace sent on the request"


def _go_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "string" if isinstance(value, str) else "number"

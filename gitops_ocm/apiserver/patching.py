"""A live object with a patch laid over it, by the patch's content type.

Server-side apply is not here: it needs the object's owners (`objects.ownership`).
"""

from __future__ import annotations

from typing import Any

from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError, bad_request
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
        raise bad_request(
            f"error decoding patch: json: cannot unmarshal {found} into Go value of type "
            "map[string]interface {}"
        )
    elif type is PatchType.MERGE:
        result = merge_patch(live, body)
    else:
        result = strategic_merge(live, body, served.schema)
    if not isinstance(result, dict):
        raise ApiError("Invalid", "the server rejected our request due to an error in our request")
    return result


def _go_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "string" if isinstance(value, str) else "number"

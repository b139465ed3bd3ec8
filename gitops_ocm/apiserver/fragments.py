"""The fragment of a server-side apply, before it meets the live object.

What the request itself gets wrong is said here; whether it fits the schema is `objects.typed_check`.
"""

from __future__ import annotations

from typing import Any

from gitops_ocm.apiserver.values import WriteOptions
from gitops_ocm.objects import decoding, intake
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import Cause, bad_request, conflict, invalid
from gitops_ocm.objects.lifecycle import check_version
from gitops_ocm.objects.object_meta import OBJECT_FIELDS
from gitops_ocm.objects.ref import Object, split_api_version
from gitops_ocm.objects.schema import Schema
from gitops_ocm.objects.typed_check import check_fragment

_IDENTIFIED = Schema({"type": "object", "properties": OBJECT_FIELDS}, None)


def checked_fragment(
    fragment: Any, served: Served, namespace: str, name: str, options: WriteOptions
) -> Object:
    """The applied fragment with the name of its URL; raises what is wrong with it."""
    if not options.field_manager:
        cause = Cause("FieldValueRequired", "Required value: is required for apply patch", "fieldManager")
        raise invalid("meta.k8s.io", "PatchOptions", "", (cause,))
    if fragment is None:
        fragment = {}
    if not isinstance(fragment, dict):
        raise bad_request(
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal "
            f"{decoding.json_type(fragment)} into Go value of type map[string]interface {{}}"
        )
    _check_kind(fragment, served)
    intake.check_identity(fragment, served, namespace)
    # What is judged before the fragment as a whole is: its name, its version.
    identity = ("apiVersion", "kind", "metadata")
    check_fragment({k: fragment[k] for k in identity if k in fragment}, _IDENTIFIED)
    meta = dict(fragment.get("metadata") or {})
    if meta.get("name") not in (None, "", name):
        raise bad_request(
            f"the name of the object ({meta['name']}) does not match the name on the URL ({name})"
        )
    meta["name"] = name
    return {**fragment, "metadata": meta}


def check_match(live: Object | None, fragment: Object, served: Served, name: str) -> None:
    """Raise Conflict where the fragment is meant for another version of the object, or one that is gone."""
    meta = fragment["metadata"]
    if live is not None:
        version = {"resourceVersion": meta.get("resourceVersion")}
        check_version(live, version, resource=served.resource)
    elif meta.get("uid"):
        why = (
            f"uid mismatch: the provided object specified uid {meta['uid']}, and no existing object was found"
        )
        raise conflict(served.resource.group, served.resource.plural, name, why)


def _check_kind(fragment: Object, served: Served) -> None:
    found = str(fragment.get("apiVersion") or ""), str(fragment.get("kind") or "")
    if found != (served.resource.api_version, served.resource.kind):
        group, version = split_api_version(found[0]) if found[0] else ("", "")
        raise bad_request(f"invalid object type: {group}/{version}, Kind={found[1]}")


def part_for(fragment: Object, served: Served, subresource: str) -> Object:
    """What of a fragment the (sub)resource applied to can change."""
    if subresource in ("status", "approval"):
        kept = ("apiVersion", "kind", "metadata", "status")
        return {k: v for k, v in fragment.items() if k in kept}
    if "status" in served.resource.subresources:
        return {k: v for k, v in fragment.items() if k != "status"}
    return fragment

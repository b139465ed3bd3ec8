"""The fragment of a server-side apply, before it meets the live object.

What the request itself gets wrong is said here; whether it fits the schema is `objects.typed_check`.
"""

from __future__ import annotations

from typing import Any

from gitops_ocm.apiserver.values import WriteOptions
from gitops_ocm.objects import intake
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import Cause, bad_request, invalid
from gitops_ocm.objects.ref import Object


def checked_fragment(
    fragment: Any, served: Served, namespace: str, name: str, options: WriteOptions
) -> Object:
    """The applied fragment with the name and namespace of its URL; raises what is wrong with it."""
    if not options.field_manager:
        cause = Cause("FieldValueRequired", "Required value: is required for apply patch", "fieldManager")
        raise invalid("meta.k8s.io", "PatchOptions", "", (cause,))
    if not isinstance(fragment, dict):
        raise bad_request("error decoding YAML: an applied configuration is an object")
    intake.check_identity(fragment, served, namespace)
    meta = dict(fragment.get("metadata") or {})
    if meta.get("name") not in (None, "", name):
        raise bad_request(
            f"the name of the object ({meta['name']}) does not match the name on the URL ({name})"
        )
    meta["name"] = name
    if served.resource.namespaced and namespace:
        meta["namespace"] = namespace
    return {**fragment, "metadata": meta}


def part_for(fragment: Object, served: Served, subresource: str) -> Object:
    """What of a fragment the (sub)resource applied to can change."""
    if subresource in ("status", "approval"):
        kept = ("apiVersion", "kind", "metadata", "status")
        return {k: v for k, v in fragment.items() if k in kept}
    if "status" in served.resource.subresources:
        return {k: v for k, v in fragment.items() if k != "status"}
    return fragment

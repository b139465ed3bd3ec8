"""The `scale` subresource: the replicas of a workload, shown and set as a `Scale`."""

from __future__ import annotations

from typing import Any

from gitops_ocm.apiserver.handlers_body import check_kind
from gitops_ocm.apiserver.tables_workloads import pairs, selector_text
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.catalog import Catalog, Served
from gitops_ocm.objects.decoding import cannot_handle, json_type
from gitops_ocm.objects.faults import ApiError, Cause, bad_request, invalid
from gitops_ocm.objects.lifecycle import check_name
from gitops_ocm.objects.patch import json_patch, merge_patch
from gitops_ocm.objects.paths import get, with_value
from gitops_ocm.objects.ref import Object, Resource

SCALE = "scale"
SCALE_KIND = Served(Resource("autoscaling", "v1", "Scale", "scales", namespaced=True))
UNSET = -(2**31)
"""Stands for no replicas while a Scale is changed."""
_KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: Object, served: Served, *, read: bool = True) -> Object:
    """The `Scale` (`autoscaling/v1`) of a workload, or of a custom object whose CRD says where its is.

    A custom object without replicas cannot be read (`read`), but may be given some.
    """
    replicas, shown = _custom(obj, served) if served.custom else _native(obj)
    if replicas == UNSET and read:
        text = f'the spec replicas field "{served.scale["specReplicasPath"]}" does not exist'
        details = {"causes": [{"message": text}]}
        raise ApiError("InternalError", f"Internal error occurred: {text}", details=details)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: obj["metadata"][key] for key in _KEPT if key in obj["metadata"]},
        # Zero is what an absent number means in a Scale.
        "spec": {"replicas": replicas} if replicas else {},
        "status": shown,
    }


def _native(obj: Object) -> tuple[int, Object]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    selector = spec.get("selector")
    shown: Object = {"replicas": status.get("replicas", 0)}
    if selector:
        plain = not selector.keys() & {"matchLabels", "matchExpressions"}
        shown["selector"] = pairs(selector) if plain else selector_text(selector)
    return spec.get("replicas", 1), shown


def _custom(obj: Object, served: Served) -> tuple[int, Object]:
    where = served.scale
    replicas = get(obj, *steps_of(where["specReplicasPath"]))
    counted = get(obj, *steps_of(where["statusReplicasPath"]))
    shown: Object = {"replicas": counted if isinstance(counted, int) else 0}
    if where.get("labelSelectorPath"):
        selector = get(obj, *steps_of(where["labelSelectorPath"]))
        if isinstance(selector, str) and selector:
            shown["selector"] = selector
    return replicas if isinstance(replicas, int) else UNSET, shown


def steps_of(path: str) -> list[str]:
    """`.spec.replicas` → its steps; a scale's paths have no others."""
    return path.lstrip(".").split(".")


def patched_scale(scale: Object, kind: PatchType, body: Any) -> Any:
    """A Scale after a patch of it. Apply and strategic patches of one number are merges."""
    if kind is PatchType.JSON:
        return json_patch(scale, body)
    return merge_patch(scale, body)


def check_scale(scale: Any, name: str, catalog: Catalog) -> None:
    """Raise where what was sent is no Scale of this object."""
    if isinstance(scale, dict) and scale.get("kind"):
        check_kind(scale, SCALE_KIND, catalog)
        check_name(scale, name)
        replicas = (scale.get("spec") or {}).get("replicas", 0)
        if not isinstance(replicas, int) or isinstance(replicas, bool):
            why = f"json: cannot unmarshal {json_type(replicas)} into Go struct field "
            raise cannot_handle(scale, f"{why}ScaleSpec.spec.replicas of type int32")


def replicas_patch(scale: Any, served: Served) -> Object:
    """The merge patch of the workload that a written Scale comes to."""
    if not isinstance(scale, dict) or scale.get("kind", "Scale") != "Scale":
        raise bad_request("the object provided is unrecognized (must be of type Scale)")
    spec, metadata = scale.get("spec") or {}, scale.get("metadata") or {}
    replicas = spec.get("replicas", 0)
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise bad_request("spec.replicas of a Scale must be a number")
    if replicas == UNSET and served.custom:
        path = served.scale["specReplicasPath"]
        raise bad_request(f'the spec replicas field "{path}" cannot be empty')
    if replicas < 0 and not served.custom:
        text = f"Invalid value: {replicas}: must be greater than or equal to 0"
        cause = Cause("FieldValueInvalid", text, "spec.replicas")
        raise invalid("autoscaling", "Scale", metadata.get("name", ""), [cause])
    lock = {key: metadata[key] for key in ("resourceVersion", "uid") if metadata.get(key)}
    steps = steps_of(served.scale["specReplicasPath"]) if served.custom else ["spec", "replicas"]
    return with_value({"metadata": lock} if lock else {}, steps, replicas)

"""The `scale` subresource: the replicas of a workload, shown and set as a `Scale`."""

from __future__ import annotations

from typing import Any

from gitops_ocm.apiserver.tables_workloads import pairs, selector_text
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.faults import Cause, bad_request, invalid
from gitops_ocm.objects.patch import json_patch, merge_patch
from gitops_ocm.objects.ref import Object

SCALE = "scale"
_KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: Object) -> Object:
    """The `Scale` (`autoscaling/v1`) of a workload."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    selector = spec.get("selector")
    shown: Object = {"replicas": status.get("replicas", 0)}
    if selector:
        plain = not selector.keys() & {"matchLabels", "matchExpressions"}
        shown["selector"] = pairs(selector) if plain else selector_text(selector)
    replicas = spec.get("replicas", 1)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: obj["metadata"][key] for key in _KEPT if key in obj["metadata"]},
        # Zero is what an absent number means in a Scale.
        "spec": {"replicas": replicas} if replicas else {},
        "status": shown,
    }


def patched_scale(scale: Object, kind: PatchType, body: Any) -> Any:
    """A Scale after a patch of it. Apply and strategic patches of one number are merges."""
    if kind is PatchType.JSON:
        return json_patch(scale, body)
    return merge_patch(scale, body)


def replicas_patch(scale: Any) -> Object:
    """The merge patch of the workload that a written Scale comes to."""
    if not isinstance(scale, dict) or scale.get("kind", "Scale") != "Scale":
        raise bad_request("the object provided is unrecognized (must be of type Scale)")
    spec, metadata = scale.get("spec") or {}, scale.get("metadata") or {}
    replicas = spec.get("replicas", 0)
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise bad_request("spec.replicas of a Scale must be a number")
    if replicas < 0:
        text = f"Invalid value: {replicas}: must be greater than or equal to 0"
        cause = Cause("FieldValueInvalid", text, "spec.replicas")
        raise invalid("autoscaling", "Scale", metadata.get("name", ""), [cause])
    lock = {key: metadata[key] for key in ("resourceVersion", "uid") if metadata.get(key)}
    return {"spec": {"replicas": replicas}, **({"metadata": lock} if lock else {})}

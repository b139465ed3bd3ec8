"""Subresources that are no view of a whole object: what can be done with them, what they show and take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gitops_ocm.objects.ref import Resource

PROXY = "proxy"
CONNECTED = frozenset({"attach", "exec", "log", "portforward", PROXY})
"""What a kubelet would answer, or whatever runs in a pod."""
_WHOLE = ("get", "patch", "update")
_VERBS: Mapping[str, Sequence[str]] = {
    "finalize": ("update",),
    "token": ("create",),
    "binding": ("create",),
    "eviction": ("create",),
    "attach": ("create", "get"),
    "exec": ("create", "get"),
    "portforward": ("create", "get"),
    "log": ("get",),
    PROXY: ("create", "delete", "get", "patch", "update"),
}
_KINDS: Mapping[str, Mapping[str, str]] = {
    "scale": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
    "token": {"group": "authentication.k8s.io", "version": "v1", "kind": "TokenRequest"},
    "eviction": {"group": "policy", "version": "v1", "kind": "Eviction"},
    "binding": {"kind": "Binding"},
    "attach": {"kind": "PodAttachOptions"},
    "exec": {"kind": "PodExecOptions"},
    "portforward": {"kind": "PodPortForwardOptions"},
}


def verbs_of(subresource: str) -> list[str]:
    """What can be done with a subresource."""
    return list(_VERBS.get(subresource, _WHOLE))


def kind_of(resource: Resource, subresource: str) -> Mapping[str, Any]:
    """The kind of what a subresource shows and takes; its group only where that is another one."""
    if subresource == PROXY:
        return {"kind": f"{resource.kind}ProxyOptions"}
    return _KINDS.get(subresource, {"kind": resource.kind})

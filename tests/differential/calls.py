"""The words that the scripts of API calls are written in: one HTTP request is one `Call`.

`{ns}` in a path or body is the scenario's namespace; a call may `save` values of its answer, which later
calls of the same scenario name in braces too. Playing them is `play`, comparing what came is `compare`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CORE = "/api/v1/namespaces/{ns}"
CM = f"{CORE}/configmaps"
SECRETS = f"{CORE}/secrets"
PODS = f"{CORE}/pods"
SERVICES = f"{CORE}/services"
DEPLOYMENTS = "/apis/apps/v1/namespaces/{ns}/deployments"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAMESPACES = "/api/v1/namespaces"

JSON = "application/json"
YAML = "application/yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@dataclass(frozen=True)
class Call:
    """One request. A `body` that is text or bytes is sent as it is, anything else as JSON.

    `save` names values of the answer by their path; `events` is how many lines of a watch are read before
    it is given up; `until` is the status to be waited for, by asking again.
    """

    method: str
    path: str
    body: Any = None
    type: str = ""
    accept: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    save: Mapping[str, str] = field(default_factory=dict)
    events: int = 0
    until: int = 0

    def __str__(self) -> str:
        shown = str(self.body)
        body = "" if self.body is None else f" {shown[:300]}"
        kind = f" ({self.type})" if self.type not in ("", JSON) else ""
        accept = f" → {self.accept}" if self.accept else ""
        return f"{self.method} {self.path}{kind}{body}{accept}"


def get(path: str, **more: Any) -> Call:
    """GET."""
    return Call("GET", path, **more)


def post(path: str, body: Any = None, type: str = JSON, **more: Any) -> Call:
    """POST."""
    return Call("POST", path, body, type, **more)


def put(path: str, body: Any = None, type: str = JSON, **more: Any) -> Call:
    """PUT."""
    return Call("PUT", path, body, type, **more)


def patch(path: str, body: Any = None, type: str = MERGE, **more: Any) -> Call:
    """PATCH, a merge patch unless it says otherwise."""
    return Call("PATCH", path, body, type, **more)


def apply(path: str, body: Any, manager: str = "us", query: str = "", **more: Any) -> Call:
    """Server-side apply."""
    asked = "&".join(filter(None, (f"fieldManager={manager}" if manager else "", query)))
    return Call("PATCH", f"{path}?{asked}" if asked else path, body, APPLY, **more)


def delete(path: str, body: Any = None, **more: Any) -> Call:
    """DELETE."""
    return Call("DELETE", path, body, JSON if body is not None else "", **more)


def watch(path: str, events: int, **more: Any) -> Call:
    """A watch of which so many lines are read; the time limit in the path ends one that is shorter."""
    return Call("GET", path, events=events, **more)


def wait(path: str, status: int = 200) -> Call:
    """Ask until the answer has this status; a missing thing may come, a deleted one may take its time."""
    return Call("GET", path, until=status)


def obj(
    kind: str, name: str = "", *, api: str = "v1", meta: Mapping[str, Any] | None = None, **rest: Any
) -> Any:
    """An object."""
    metadata = ({"name": name} if name else {}) | dict(meta or {})
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def cm(name: str = "a", *, meta: Mapping[str, Any] | None = None, **rest: Any) -> Any:
    """A ConfigMap."""
    return obj("ConfigMap", name, meta=meta, **rest)


def pod(name: str = "a", *, meta: Mapping[str, Any] | None = None, **spec: Any) -> Any:
    """A Pod with one container."""
    return obj("Pod", name, meta=meta, spec={"containers": [{"name": "c", "image": "i:1"}], **spec})


def deployment(name: str = "web", *, image: str = "web:1", **spec: Any) -> Any:
    """A Deployment with one container."""
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "web", "image": image, "ports": [{"containerPort": 80}]}]},
    }
    wanted = {"selector": {"matchLabels": {"app": name}}, "template": template, **spec}
    return obj("Deployment", name, api="apps/v1", spec=wanted)


def crd(plural: str, kind: str, schema: Mapping[str, Any], *, group: str, **version: Any) -> Any:
    """A CustomResourceDefinition of one version."""
    one = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": dict(schema)},
    } | version
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [one]}
    return obj("CustomResourceDefinition", f"{plural}.{group}", api="apiextensions.k8s.io/v1", spec=spec)

"""Small histories of API calls, run on any `Cluster`, and what came of each call in a comparable form.

A case is a list of steps; `run` answers with one outcome a step. Uids, versions, times and the
namespace are replaced by names in order of appearance, so that outcomes of different hubs compare.
`record.py` writes what a real kube-apiserver answers to `semantics.json`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import orjson

from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource

KINDS: Mapping[str, Resource] = {
    "ConfigMap": Resource("", "v1", "ConfigMap", "configmaps", namespaced=True),
    "Secret": Resource("", "v1", "Secret", "secrets", namespaced=True),
    "Service": Resource("", "v1", "Service", "services", namespaced=True),
    "Namespace": Resource("", "v1", "Namespace", "namespaces", namespaced=False),
    "Deployment": Resource(
        "apps", "v1", "Deployment", "deployments", namespaced=True, subresources=frozenset({"status"})
    ),
    "Widget": Resource(
        "semantics.gitops-ocm.io",
        "v1",
        "Widget",
        "widgets",
        namespaced=True,
        subresources=frozenset({"status"}),
    ),
}

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_VERSION = re.compile(r'(?<="resourceVersion":")\d+(?=")|(?<=in record \()\d+(?=\))')

ROOT_CA = "kube-root-ca.crt"
"""What most clusters put into every namespace, and what no history is about."""

Step = Mapping[str, Any]


async def run(cluster: Cluster, namespace: str, steps: list[Step]) -> list[Any]:
    """The outcome of every step, in comparable form."""
    names: dict[str, str] = {}
    return [_comparable(await _outcome(cluster, namespace, step), namespace, names) for step in steps]


async def _outcome(cluster: Cluster, namespace: str, step: Step) -> Any:
    try:
        return await _do(cluster, namespace, step)
    except ApiError as error:
        causes = sorted({(c.reason, c.message, c.field) for c in error.causes})
        return {"error": error.reason, "code": error.http_code, "message": error.message, "causes": causes}


async def _do(cluster: Cluster, namespace: str, step: Step) -> Any:
    resource = KINDS[step["kind"]]
    where = namespace if resource.namespaced else ""
    options: dict[str, Any] = dict(step.get("options") or {})
    name = step.get("name", "a")
    body = deepcopy(step.get("body"))
    match step["do"]:
        case "create":
            return await cluster.create(resource, _named(body, resource, where, name), **options)
        case "update":
            live = await cluster.get(resource, where, name)
            obj = _named(body, resource, where, name)
            meta = {"resourceVersion": live["metadata"]["resourceVersion"], **obj["metadata"]}
            obj["metadata"] = {k: v for k, v in meta.items() if v != "-"}
            return await cluster.update(resource, obj, **options)
        case "get":
            return await cluster.get(resource, where, name)
        case "delete":
            return await cluster.delete(resource, where, name, **options)
        case "list":
            found = [o["metadata"]["name"] for o in (await cluster.list(resource, where, **options)).items]
            return sorted(name for name in found if name != ROOT_CA)
        case "apply":
            fragment = _named(body, resource, where, name)
            return await cluster.patch(resource, where, name, fragment, type=PatchType.APPLY, **options)
    kinds = {"merge": PatchType.MERGE, "json": PatchType.JSON, "strategic": PatchType.STRATEGIC}
    return await cluster.patch(resource, where, name, body, type=kinds[step["do"]], **options)


def _named(body: Object | None, resource: Resource, namespace: str, name: str) -> Object:
    obj = {"apiVersion": resource.api_version, "kind": resource.kind, **(body or {})}
    meta = {"name": name, **(obj.get("metadata") or {})}
    if namespace:
        meta.setdefault("namespace", namespace)
    return {**obj, "metadata": meta}


def _comparable(outcome: Any, namespace: str, names: dict[str, str]) -> Any:
    if isinstance(outcome, dict) and "metadata" in outcome:
        entries = outcome["metadata"].get("managedFields")
        if entries:
            entries.sort(
                key=lambda e: orjson.dumps({k: v for k, v in e.items() if k != "time"}, option=_SORT)
            )
    text = orjson.dumps(outcome, option=_SORT).decode().replace(namespace, "NAMESPACE")
    text = _TIME.sub("TIME", text)
    text = _UID.sub(lambda found: _name(names, "uid", found[0]), text)
    text = _VERSION.sub(lambda found: _name(names, "version", found[0]), text)
    return orjson.loads(text)


_SORT = orjson.OPT_SORT_KEYS


def _name(names: dict[str, str], label: str, value: str) -> str:
    return names.setdefault(f"{label} {value}", f"{label}-{sum(k.startswith(label) for k in names) + 1}")

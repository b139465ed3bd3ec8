"""OpenAPI documents of what is served: v3 per group and version, and a v2 for older clients.

kubectl reads them to explain fields, to see whether the server validates fields itself, and to
patch built-in kinds. Built-in kinds are told by their packaged definitions, custom ones by their
CRD's schema. Made when asked for, kept until the catalog changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from gitops_ocm.apiserver.discovery import Discovery, Group
from gitops_ocm.apiserver.openapi_protobuf import encode_openapi
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.runtime.catalog import definition_names, definitions, descriptions, kubernetes_version

V3_PREFIX, V2_PREFIX = "#/components/schemas/", "#/definitions/"
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
SHARED = ("ObjectMeta", "ListMeta", "Status", "DeleteOptions", "Patch", "WatchEvent")
_WRITE_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "pretty")
_NOT_IN_V2 = frozenset({"oneOf", "anyOf", "not", "nullable"})
Prose = Mapping[str, Mapping[str, str]]
_ANY = "io.k8s.api.core.v1.ConfigMap"
"""A kind of whose `apiVersion`, `kind` and `metadata` the same is told as of any other's."""
_CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
_ACTIONS = {"get": "get", "put": "put", "patch": "patch", "delete": "delete", "post": "post"}


class OpenApi:
    """The OpenAPI documents of one `Discovery`."""

    def __init__(self, discovery: Discovery, descriptions: Path | None = None) -> None:
        self._discovery = discovery
        self._descriptions = descriptions
        self._documents: dict[str, bytes] = {}
        self._hashes: dict[str, str] = {}

    def root(self) -> Object:
        """`/openapi/v3`: where each group-version's document is, with a hash to cache by."""
        found = {}
        for path, served in self._group_versions():
            found[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={self._hash(path, served)}"}
        return {"paths": found}

    def v3(self, path: str) -> bytes | None:
        """`/openapi/v3/PATH` (`api/v1`, `apis/apps/v1`), or None where that is not served."""
        if path not in self._documents:
            served = dict(self._group_versions()).get(path)
            if served is None:
                return None
            self._documents[path] = orjson.dumps(_document(path, served, descriptions(self._descriptions)))
        return self._documents[path]

    def v2(self) -> bytes:
        """`/openapi/v2`: all definitions and paths in Swagger 2.0."""
        if "v2" not in self._documents:
            self._documents["v2"] = orjson.dumps(self._swagger())
        return self._documents["v2"]

    def v2_protobuf(self) -> bytes:
        """The same as protobuf."""
        if "v2 protobuf" not in self._documents:
            self._documents["v2 protobuf"] = encode_openapi(self._swagger())
        return self._documents["v2 protobuf"]

    def _group_versions(self) -> Iterator[tuple[str, tuple[Served, ...]]]:
        for group in self._discovery.groups.values():
            for version, served in group.versions.items():
                yield group_version_path(group, version), served

    def _hash(self, path: str, served: Iterable[Served]) -> str:
        # A hash of what the document is made of, so that the index does not make every document.
        if path not in self._hashes:
            digest = hashlib.sha256(f"{kubernetes_version()['gitVersion']} {self._descriptions}".encode())
            for entry in served:
                digest.update(repr(entry.resource).encode())
                if entry.custom:
                    digest.update(orjson.dumps(_custom_schema(entry), option=orjson.OPT_SORT_KEYS))
            self._hashes[path] = digest.hexdigest().upper()
        return self._hashes[path]

    def _swagger(self) -> Object:
        schemas: dict[str, Any] = {}
        paths: dict[str, Any] = {}
        prose = descriptions(self._descriptions)
        for path, served in self._group_versions():
            schemas |= _schemas(served, prose)
            paths |= _without_content(_paths(path, served))
        document: Object = {
            "swagger": "2.0",
            "info": {"title": "Kubernetes", "version": kubernetes_version()["gitVersion"]},
            "paths": paths,
            "definitions": {name: _as_v2(schema) for name, schema in schemas.items()},
        }
        return document


def group_version_path(group: Group, version: str) -> str:
    """`api/v1` or `apis/apps/v1`."""
    return f"apis/{group.name}/{version}" if group.name else f"api/{version}"


def _document(path: str, served: tuple[Served, ...], prose: Prose) -> Object:
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": kubernetes_version()["gitVersion"]},
        "paths": _paths(path, served),
        "components": {"schemas": _schemas(served, prose)},
    }


# Paths


def _paths(root: str, served: Iterable[Served]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in served:
        resource = entry.resource
        within = "/namespaces/{namespace}" if resource.namespaced else ""
        collection = f"/{root}{within}/{resource.plural}"
        if resource.namespaced:
            found[f"/{root}/{resource.plural}"] = _operations(entry, {"get": "list"})
        found[collection] = _operations(
            entry, {"get": "list", "post": "create", "delete": "deletecollection"}
        )
        item = {"get": "get", "put": "update", "patch": "patch", "delete": "delete"}
        found[f"{collection}/{{name}}"] = _operations(entry, item)
        for name in sorted(resource.subresources):
            found[f"{collection}/{{name}}/{name}"] = _operations(
                entry, {"get": "get", "put": "update", "patch": "patch"}
            )
    return {path: operations for path, operations in found.items() if operations}


def _operations(entry: Served, methods: Mapping[str, str]) -> dict[str, Any]:
    resource = entry.resource
    return {
        method: _operation(entry, method, verb) for method, verb in methods.items() if verb in resource.verbs
    }


def _operation(entry: Served, method: str, verb: str) -> dict[str, Any]:
    resource = entry.resource
    name = definition_name(resource) + ("List" if verb == "list" else "")
    content = {"application/json": {"schema": {"$ref": V3_PREFIX + name}}}
    operation: dict[str, Any] = {
        "operationId": f"{verb}_{resource.group or 'core'}_{resource.version}_{resource.plural}",
        "responses": {"200": {"description": "OK", "content": content}},
        "x-kubernetes-action": verb if verb in ("list", "deletecollection") else _ACTIONS[method],
        "x-kubernetes-group-version-kind": _gvk(resource),
    }
    if method in ("post", "put", "patch"):
        operation["parameters"] = [
            {"name": parameter, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
            for parameter in (*_WRITE_PARAMETERS, *(("force",) if method == "patch" else ()))
        ]
        operation["requestBody"] = {"content": {"*/*": content["application/json"]}, "required": True}
    return operation


def _gvk(resource: Resource) -> dict[str, str]:
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


def _without_content(paths: dict[str, Any]) -> dict[str, Any]:
    """Paths for Swagger 2.0, where bodies are described elsewhere: which kind, which parameters."""
    for operations in paths.values():
        for operation in operations.values():
            operation.pop("requestBody", None)
            operation["responses"] = {"200": {"description": "OK"}}
    return paths


# Schemas


def definition_name(resource: Resource) -> str:
    """The name of a kind's definition; a custom group is written backwards, as CRDs' are."""
    known = definition_names().get((resource.group, resource.version, resource.kind))
    if known:
        return known
    return ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])


def _schemas(served: Iterable[Served], prose: Prose) -> dict[str, Any]:
    found: dict[str, Any] = {}
    pending = [META + name for name in SHARED]
    for entry in served:
        name = definition_name(entry.resource)
        if entry.custom:
            found[name] = _described(
                _custom_schema(entry), {"apiVersion": "", "kind": "", "metadata": ""}, prose
            )
            found[name + "List"] = _described(_list_schema(entry, name), _list_prose(entry), prose)
            pending += [*_references(found[name]), *_references(found[name + "List"])]
        else:
            pending += [name, name + "List"]
    while pending:
        name = pending.pop()
        if name not in found and name in definitions():
            found[name] = _described(definitions()[name], prose.get(name, {}), prose)
            pending += _references(found[name])
    return dict(sorted(found.items()))


def _described(schema: Mapping[str, Any], told: Mapping[str, str], prose: Prose) -> dict[str, Any]:
    """A definition with what is told of it and its fields; `""` for what every object's field is told."""
    usual = prose.get(f"{_ANY}List" if "items" in told else _ANY, {})
    result = dict(schema)
    if "" in told:
        result["description"] = told[""]
    if "properties" in schema:
        result["properties"] = {
            name: {"description": text, **raw}
            if (text := told.get(name) or (usual.get(name) if name in told else None))
            else raw
            for name, raw in schema["properties"].items()
        }
    return result


def _list_prose(entry: Served) -> dict[str, str]:
    kind, plural = entry.resource.kind, entry.resource.plural
    return {
        "": f"{entry.list_kind or f'{kind}List'} is a list of {kind}",
        "items": f"List of {plural}. More info: {_CONVENTIONS}",
        "apiVersion": "",
        "kind": "",
        "metadata": "",
    }


def _custom_schema(entry: Served) -> dict[str, Any]:
    schema: dict[str, Any] = _published(entry.schema.raw) if entry.schema else {"type": "object"}
    properties = dict(schema.get("properties") or {})
    properties["apiVersion"] = {"type": "string"}
    properties["kind"] = {"type": "string"}
    properties["metadata"] = {"allOf": [{"$ref": f"{V3_PREFIX}{META}ObjectMeta"}]}
    schema["properties"] = properties
    schema["x-kubernetes-group-version-kind"] = [_gvk(entry.resource)]
    return schema


def _published(schema: Any) -> Any:
    """A CRD's schema as it is published: a whole object inside says what every object has."""
    if isinstance(schema, list):
        return [_published(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {k: v if k in ("default", "enum") else _inside(k, v, _published) for k, v in schema.items()}
    if schema.get("x-kubernetes-embedded-resource"):
        kept["properties"] = {
            **(kept.get("properties") or {}),
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"allOf": [{"$ref": f"{V3_PREFIX}{META}ObjectMeta"}]},
        }
        kept["required"] = sorted({*(kept.get("required") or ()), "apiVersion", "kind"})
    return kept


def _inside(keyword: str, value: Any, change: Callable[[Any], Any]) -> Any:
    """What a keyword says, changed; the names under `properties` are no keywords, whatever they are."""
    if keyword == "properties" and isinstance(value, Mapping):
        return {name: change(inner) for name, inner in value.items()}
    return change(value)


def _list_schema(entry: Served, name: str) -> dict[str, Any]:
    gvk = _gvk(entry.resource) | {"kind": entry.list_kind or f"{entry.resource.kind}List"}
    return {
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"allOf": [{"$ref": f"{V3_PREFIX}{META}ListMeta"}]},
            "items": {"type": "array", "items": {"allOf": [{"$ref": V3_PREFIX + name}]}},
        },
        "x-kubernetes-group-version-kind": [gvk],
    }


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        ref = schema.get("$ref")
        if isinstance(ref, str):
            yield ref.rpartition("/")[2]
        for inner in schema.values():
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def _as_v2(schema: Any) -> Any:
    """Swagger 2.0 knows neither `oneOf` nor `nullable`, and keeps definitions elsewhere."""
    if isinstance(schema, list):
        return [_as_v2(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        k: v if k == "default" else _inside(k, v, _as_v2) for k, v in schema.items() if k not in _NOT_IN_V2
    }
    told = {"description": kept["description"]} if isinstance(kept.get("description"), str) else {}
    if isinstance(kept.get("$ref"), str):
        return {"$ref": kept["$ref"].replace(V3_PREFIX, V2_PREFIX), **told}
    parts = kept.get("allOf")
    if isinstance(parts, list) and len(parts) == 1 and "$ref" in parts[0]:
        return {**parts[0], **told}
    return kept

"""Kinds of our own on the managed cluster, and short ways to say the objects that cases are full of."""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.ref import Object

GROUP = "wire.example.com"
ANYTHING: Object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def definition(
    kind: str, plural: str, *, scope: str = "Namespaced", status: bool = False, spec: Object | None = None
) -> Object:
    """A CRD of our group: with a status subresource or without, its spec free or checked."""
    schema = {"type": "object", "properties": {"spec": spec or ANYTHING, "status": ANYTHING}}
    version: Object = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        **({"subresources": {"status": {}}} if status else {}),
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": scope,
            "names": {
                "kind": kind,
                "plural": plural,
                "singular": kind.lower(),
                "listKind": f"{kind}List",
            },
            "versions": [version],
        },
    }


def definitions() -> list[Object]:
    """Widget has a status subresource, Note has none, Gadget is cluster-scoped with an unusual plural."""
    strict = {
        "type": "object",
        "properties": {
            "size": {"type": "integer", "maximum": 10},
            "mode": {"type": "string", "default": "plain"},
            "data": ANYTHING,
        },
    }
    return [
        definition("Widget", "widgets", status=True, spec=strict),
        definition("Note", "notes"),
        definition("Gadget", "gadgetry", scope="Cluster"),
    ]


def obj(
    api_version: str, kind: str, name: str = "$me", namespace: str | None = "$ns", **fields: Any
) -> Object:
    """An object; `metadata` in `fields` is added to its name and namespace. Without `namespace`: None."""
    meta: Object = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {**meta, **fields.pop("metadata", {})},
        **fields,
    }


def config_map(name: str = "$me", data: dict[str, Any] | None = None, **meta: Any) -> Object:
    """A ConfigMap."""
    return obj("v1", "ConfigMap", name, metadata=meta, data={"key": "value"} if data is None else data)


def widget(name: str = "$me", **fields: Any) -> Object:
    """A custom resource with a status subresource."""
    return obj(f"{GROUP}/v1", "Widget", name, **fields)


def note(name: str = "$me", **fields: Any) -> Object:
    """A custom resource whose status is a field like any other."""
    return obj(f"{GROUP}/v1", "Note", name, **fields)


def gadget(name: str = "$me", **fields: Any) -> Object:
    """A cluster-scoped custom resource."""
    return obj(f"{GROUP}/v1", "Gadget", name, None, **fields)


def config(
    resource: str, *, group: str = "", name: str = "$me", namespace: str = "$ns", **attributes: Any
) -> Object:
    """An entry of `manifestConfigs`."""
    identifier = {"group": group, "resource": resource, "name": name}
    if namespace:
        identifier["namespace"] = namespace
    return {"resourceIdentifier": identifier, **attributes}


def configs(*entries: Object) -> Object:
    """The options of a work with these `manifestConfigs`."""
    return {"manifestConfigs": list(entries)}

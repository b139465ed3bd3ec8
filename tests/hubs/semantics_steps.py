"""The words the histories are written in, and the custom kind they use."""

from __future__ import annotations

from typing import Any

from tests.hubs.semantics import Step


def create(kind: str, body: Any = None, name: str = "a", **options: Any) -> Step:
    """POST."""
    return {"do": "create", "kind": kind, "body": body, "name": name, "options": options}


def merge(kind: str, body: Any, name: str = "a", **options: Any) -> Step:
    """PATCH with a JSON merge patch."""
    return {"do": "merge", "kind": kind, "body": body, "name": name, "options": options}


def jsonp(kind: str, *ops: Any, name: str = "a", **options: Any) -> Step:
    """PATCH with a JSON patch."""
    return {"do": "json", "kind": kind, "body": list(ops), "name": name, "options": options}


def strategic(kind: str, body: Any, name: str = "a", **options: Any) -> Step:
    """PATCH with a strategic merge patch."""
    return {"do": "strategic", "kind": kind, "body": body, "name": name, "options": options}


def update(kind: str, body: Any, name: str = "a", **options: Any) -> Step:
    """PUT over what is there; a metadata value "-" is left out."""
    return {"do": "update", "kind": kind, "body": body, "name": name, "options": options}


def apply(kind: str, body: Any, manager: str = "one", name: str = "a", **options: Any) -> Step:
    """Server-side apply."""
    return {"do": "apply", "kind": kind, "body": body, "name": name,
            "options": {"field_manager": manager, **options}}  # fmt: skip


def delete(kind: str, name: str = "a", **options: Any) -> Step:
    """DELETE."""
    return {"do": "delete", "kind": kind, "name": name, "options": options}


def get(kind: str, name: str = "a") -> Step:
    """GET."""
    return {"do": "get", "kind": kind, "name": name}


CM, SECRET, W, D = "ConfigMap", "Secret", "Widget", "Deployment"


def meta(**fields: Any) -> Any:
    """Metadata alone."""
    return {"metadata": fields}


def spec(**fields: Any) -> Any:
    """A Widget's spec; `a` is required."""
    return {"spec": {"a": 1, **fields}}


DEPLOYMENT = {
    "spec": {
        "selector": {"matchLabels": {"app": "x"}},
        "template": {
            "metadata": {"labels": {"app": "x"}},
            "spec": {
                "containers": [{"name": "c", "image": "busybox:1.36", "ports": [{"containerPort": 80}]}]
            },
        },
    }
}

WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.semantics.gitops-ocm.io"},
    "spec": {
        "group": "semantics.gitops-ocm.io",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "required": ["spec"],
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["a"],
                                "properties": {
                                    "a": {"type": "integer", "minimum": 1, "maximum": 9},
                                    "s": {
                                        "type": "string",
                                        "maxLength": 3,
                                        "minLength": 1,
                                        "pattern": "^[a-z]+$",
                                    },
                                    "e": {"type": "string", "enum": ["x", "y"]},
                                    "b": {"type": "boolean"},
                                    "t": {"type": "string", "format": "date-time"},
                                    "l": {
                                        "type": "array",
                                        "items": {"type": "string"},
                                        "maxItems": 2,
                                        "minItems": 1,
                                    },
                                    "set": {
                                        "type": "array",
                                        "items": {"type": "string"},
                                        "x-kubernetes-list-type": "set",
                                    },
                                    "m": {
                                        "type": "array",
                                        "x-kubernetes-list-type": "map",
                                        "x-kubernetes-list-map-keys": ["name"],
                                        "items": {
                                            "type": "object",
                                            "required": ["name"],
                                            "properties": {
                                                "name": {"type": "string"},
                                                "v": {"type": "string"},
                                                "p": {"type": "integer", "default": 80},
                                            },
                                        },
                                    },
                                    "i": {"x-kubernetes-int-or-string": True},
                                    "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                                    "emb": {
                                        "type": "object",
                                        "x-kubernetes-preserve-unknown-fields": True,
                                        "x-kubernetes-embedded-resource": True,
                                    },
                                    "nul": {"type": "string", "nullable": True},
                                    "d": {"type": "string", "default": "dflt"},
                                    "one": {
                                        "type": "object",
                                        "properties": {"p": {"type": "string"}, "q": {"type": "string"}},
                                        "oneOf": [{"required": ["p"]}, {"required": ["q"]}],
                                    },
                                    "mp": {
                                        "type": "object",
                                        "additionalProperties": {"type": "string"},
                                        "maxProperties": 2,
                                    },
                                    "at": {
                                        "type": "object",
                                        "x-kubernetes-map-type": "atomic",
                                        "additionalProperties": {"type": "string"},
                                    },
                                    "im": {
                                        "type": "string",
                                        "x-kubernetes-validations": [
                                            {"rule": "self == oldSelf", "message": "im is immutable"}
                                        ],
                                    },
                                    "r": {
                                        "type": "array",
                                        "maxItems": 5,
                                        "items": {"type": "string", "maxLength": 5},
                                        "x-kubernetes-validations": [
                                            {"rule": "self.isSorted()", "message": "sort it"}
                                        ],
                                    },
                                    "sc": {
                                        "type": "integer",
                                        "x-kubernetes-validations": [{"rule": "self % 2 == 0"}],
                                    },
                                    "c": {
                                        "type": "object",
                                        "properties": {"x": {"type": "integer"}, "w": {"type": "integer"}},
                                        "x-kubernetes-validations": [
                                            {"rule": "self.x < self.w"},
                                            {
                                                "rule": "self.x != 5",
                                                "messageExpression": "self.x == 5 ? 'x was five' : 'other'",
                                                "reason": "FieldValueForbidden",
                                                "fieldPath": ".x",
                                            },
                                        ],
                                    },
                                },
                            },
                            "status": {"type": "object", "properties": {"phase": {"type": "string"}}},
                        },
                    }
                },
            }
        ],
    },
}

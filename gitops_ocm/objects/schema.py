"""The schema of a kind: what its fields are, which lists are maps, what defaults and rules hold.

`Schema` is read from OpenAPI: a CRD's `openAPIV3Schema`, or the definitions a kube-apiserver
publishes for its own kinds (with `$ref`s). Nodes are made when first visited, so a schema of a
thousand fields costs what is used of it.

What is done with it stands beside: `schema_values` (defaults, pruning, unknown fields), `native_values`
(the same for built-in kinds), `schema_checks` (validation), `schema_rules` (CEL), `ownership` and
`strategic` (merging).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from gitops_ocm.objects import native_values, schema_checks, schema_rules, schema_values
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.object_meta import OBJECT_FIELDS
from gitops_ocm.objects.ref import Object

Resolve = Callable[[str], Mapping[str, Any]]
"""From the name a `$ref` ends in to that definition."""
Letters = Callable[[str], Mapping[str, str]]
"""From the name of a definition to the letters of its fields."""
_UNIONS = ("JSONSchemaPropsOrArray", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrStringArray")
_SCALARS = frozenset({"string", "integer", "boolean", "number"})


class Definitions:
    """The named definitions that `$ref`s of native kinds point to, each compiled once.

    `letters` says of a definition what Go's types do to its fields (`native_values`).
    """

    def __init__(self, resolve: Resolve, letters: Letters = lambda name: {}) -> None:
        self._resolve = resolve
        self._letters = letters
        self._nodes: dict[str, Schema] = {}

    def node(self, ref: str) -> Schema:
        """The schema a `$ref` (`#/components/schemas/NAME`) names."""
        name = ref.rsplit("/", 1)[-1]
        node = self._nodes.get(name)
        if node is None:
            node = self._nodes[name] = Schema._node(self._resolve(name), self)
            node.name, node.letters = name, self._letters(name)
            if name.endswith(".RawExtension"):
                node.map_type = "atomic"  # nobody knows what is in it
        return node


class Schema:
    """One node: the schema of one value.

    `native` marks the schema of a built-in kind, whose server decodes into types: unknown fields
    of an untyped object are kept, and `letters` say how Go writes its fields. `name` is that of its
    definition. `struct` marks a value of a native kind that is never absent.
    """

    def __init__(self, raw: Mapping[str, Any], definitions: Definitions | None) -> None:
        self.raw = raw
        self._definitions = definitions
        self.native = definitions is not None
        self.name = ""
        self.letters: Mapping[str, str] = {}
        self.type: str = raw.get("type", "")
        self.properties: Mapping[str, Any] = raw.get("properties") or {}
        if raw.get("x-kubernetes-embedded-resource"):
            self.properties = {**OBJECT_FIELDS, **self.properties}
        self.nullable: bool = bool(raw.get("nullable"))
        self.int_or_string: bool = bool(
            raw.get("x-kubernetes-int-or-string") or raw.get("format") == "int-or-string"
        )
        self.preserve: bool = bool(raw.get("x-kubernetes-preserve-unknown-fields"))
        self.struct = False
        self.embedded: bool = bool(raw.get("x-kubernetes-embedded-resource"))
        self.enum: list[Any] | None = raw.get("enum")
        self.required: list[str] = raw.get("required") or []
        self.rules: list[Mapping[str, Any]] = raw.get("x-kubernetes-validations") or []
        self.list_type: str = raw.get("x-kubernetes-list-type") or "atomic"
        self.list_keys: tuple[str, ...] = tuple(raw.get("x-kubernetes-list-map-keys") or ())
        self.map_type: str = raw.get("x-kubernetes-map-type") or "granular"
        self.merge_key: str = raw.get("x-kubernetes-patch-merge-key") or ""
        self.merge_strategy: str = raw.get("x-kubernetes-patch-strategy") or ""
        self.has_default: bool = raw.get("default") is not None
        self.default_value: Any = raw.get("default")
        self.ruled_memo: bool | None = None
        self.plain_memo: bool | None = None
        self.nulls_memo: bool | None = None
        self.defaults_memo: tuple[tuple[str, Schema], ...] | None = None
        self.static_memo: Mapping[str, Any] | None = None
        self.rules_memo: schema_rules.Rules | None = None
        self._fields: dict[str, Schema] = {}
        self._items: Schema | None = None
        self._additional: Schema | None = None

    @classmethod
    def from_openapi(cls, raw: Mapping[str, Any], *, definitions: Definitions | None = None) -> Schema:
        """The schema of a kind: a CRD's `openAPIV3Schema`, or with `definitions` a native kind's.

        The fields every object has (`apiVersion`, `kind`, `metadata`) are known whatever a CRD says.
        """
        if definitions is not None:
            return cls._node(raw, definitions)
        return cls._node({**raw, "properties": {**(raw.get("properties") or {}), **OBJECT_FIELDS}}, None)

    @classmethod
    def _node(cls, raw: Mapping[str, Any], definitions: Definitions | None) -> Schema:
        ref = raw.get("$ref")
        parts = raw.get("allOf")
        if ref is None and definitions and isinstance(parts, list) and len(parts) == 1:
            ref = parts[0].get("$ref")
        if ref is None:
            return cls(raw, definitions)
        if definitions is None:
            raise ValueError(f"a structural schema has no $ref: {ref}")
        return definitions.node(ref)._beside(raw, struct=bool(parts))

    def _beside(self, siblings: Mapping[str, Any], *, struct: bool) -> Schema:
        """This node with what stands beside the `$ref` to it (a default, list keys).

        A default beside `allOf` is how the server's own OpenAPI shows a Go struct that is no pointer.
        """
        extra = {k: v for k, v in siblings.items() if k not in ("$ref", "allOf", "description")}
        if not extra:
            return self
        node = copy(self)
        fresh = Schema({**self.raw, **extra}, self._definitions)
        for name in ("default_value", "has_default", "list_keys", "list_type", "map_type", "merge_key"):
            setattr(node, name, getattr(fresh, name))
        node.merge_strategy, node.raw = fresh.merge_strategy, fresh.raw
        node.struct = struct and isinstance(fresh.default_value, Mapping)
        return node

    def field(self, name: str) -> Schema | None:
        """The schema of a declared property, else of any key, else None."""
        node = self._fields.get(name)
        if node is None:
            raw = self.properties.get(name)
            if raw is None:
                return self.additional
            node = self._fields[name] = Schema._node(raw, self._definitions)
        return node

    @property
    def items(self) -> Schema | None:
        """The schema of a list's elements."""
        if self._items is None and isinstance(self.raw.get("items"), Mapping):
            self._items = Schema._node(self.raw["items"], self._definitions)
        return self._items

    @property
    def additional(self) -> Schema | None:
        """The schema of the values of undeclared keys (`additionalProperties`)."""
        if self._additional is None:
            raw = self.raw.get("additionalProperties")
            if isinstance(raw, Mapping) and raw:
                self._additional = Schema._node(raw, self._definitions)
        return self._additional

    def alternative(self) -> Schema | None:
        """Of a native union (`JSONSchemaPropsOrBool`) the schema of what has fields; None for others."""
        if self._definitions is None or not self.name.endswith(_UNIONS):
            return None
        return self._definitions.node(self.name.rpartition("Or")[0])

    def parts(self, keyword: str) -> list[Schema]:
        """The schemas under `allOf`, `anyOf`, `oneOf` or `not`."""
        raw = self.raw.get(keyword) or ()
        return [Schema(part, self._definitions) for part in ([raw] if isinstance(raw, Mapping) else raw)]

    @property
    def defaults(self) -> tuple[tuple[str, Schema], ...]:
        """The declared properties that have a default, in their order."""
        if self.defaults_memo is None:
            nodes = ((name, self.field(name)) for name in self.properties)
            found = tuple((name, node) for name, node in nodes if node is not None and node.has_default)
            self.defaults_memo = found
        return self.defaults_memo

    @property
    def plain(self) -> bool:
        """Whether this is a free map of scalars without defaults: nothing in it to prune or fill in."""
        if self.plain_memo is None:
            node = self.additional
            self.plain_memo = (
                self.type == "object"
                and not self.properties
                and node is not None
                and node.type in ("string", "integer", "boolean", "number")
                and not node.has_default
            )
        return self.plain_memo

    @property
    def scalar(self) -> bool:
        """Whether its values are taken as they come: scalars with no form of their own."""
        return self.type in _SCALARS and self.name not in native_values.SCALARS

    @property
    def nulls(self) -> bool:
        """Whether a value of this native kind may be shown as `null`, or hold one that is."""
        if self.nulls_memo is None:
            self.nulls_memo = native_values.has_nulls(self)
        return self.nulls_memo

    @property
    def open(self) -> bool:
        """Whether keys that are not declared are kept as they are."""
        if self.preserve or self.raw.get("additionalProperties") in (True, {}):
            return True
        return self.native and not self.properties and self.additional is None

    @property
    def ruled(self) -> bool:
        """Whether this node or one below it has CEL rules (a structural schema has no cycles)."""
        if self.ruled_memo is None:
            below = [self.field(name) for name in self.properties]
            nodes = [n for n in (*below, self.items, self.additional) if n is not None]
            self.ruled_memo = bool(self.rules) or (not self.native and any(n.ruled for n in nodes))
        return self.ruled_memo

    def default(self, obj: Object) -> Object:
        """A copy with defaults filled in; non-nullable nulls are dropped or defaulted."""
        fill = native_values.decoded if self.native else schema_values.defaulted
        result: Object = fill(obj, self)
        return result

    def prune(self, obj: Object) -> Object:
        """A copy without the fields the schema does not know."""
        result: Object = schema_values.pruned(obj, self)
        return result

    def unknown_fields(self, obj: Object) -> list[str]:
        """Paths of the fields that `prune` would drop, in the order they are met."""
        return schema_values.unknown(obj, self)

    def validate(self, obj: Object, old: Object | None = None) -> list[Cause]:
        """Every field at fault, with the texts of kube-apiserver; `old` for transition rules."""
        return schema_checks.causes(obj, self, old)

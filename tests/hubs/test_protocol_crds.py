"""Custom kinds: defaults, pruning, validation, rules; definitions that come and go."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CRDS
from tests.hubs.conftest import GROUP, WIDGETS, Hub

Eventually = Callable[..., Awaitable[object]]


async def test_defaults_are_filled_in(hub: Hub) -> None:
    """Defaults appear where the field is missing and its parent is there; null counts as missing."""
    spec = {"size": 1, "nested": {}, "parts": [{"name": "a"}], "colour": None}
    created = await hub.create(hub.widget("w", spec=spec))
    assert created["spec"] == {
        "size": 1,
        "colour": "red",
        "nested": {"enabled": True},
        "parts": [{"name": "a", "count": 1}],
    }
    bare = await hub.create(hub.widget("bare"))
    assert "nested" not in bare["spec"]


async def test_null_stays_where_it_is_allowed(hub: Hub) -> None:
    """A nullable field keeps an explicit null."""
    created = await hub.create(hub.widget("w", spec={"size": 1, "nested": {"note": None}}))
    assert created["spec"]["nested"] == {"enabled": True, "note": None}


async def test_unknown_fields_are_pruned(hub: Hub) -> None:
    """What the schema does not know is dropped, except below a field that keeps unknown ones."""
    spec = {"size": 1, "unknown": True, "free": {"anything": {"goes": [1]}}, "nested": {"other": 1}}
    created = await hub.create(hub.widget("w", spec=spec) | {"top": "level"})
    assert "top" not in created
    assert created["spec"] == {
        "size": 1,
        "colour": "red",
        "free": {"anything": {"goes": [1]}},
        "nested": {"enabled": True},
    }


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("required", {}, "spec.size: Required value"),
    (
        "minimum",
        {"size": 0},
        "spec.size: Invalid value: 0: spec.size in body should be greater",
    ),
    ("maximum", {"size": 101}, "spec.size in body should be less than or equal to 100"),
    (
        "type",
        {"size": "big"},
        'Invalid value: "string": spec.size in body must be of type integer: "string"',
    ),
    (
        "enum",
        {"size": 1, "colour": "blue"},
        'spec.colour: Unsupported value: "blue": supported values: "red", "green"',
    ),
    ("pattern", {"size": 1, "code": "A1"}, "spec.code in body should match '^[a-z]+$'"),
    ("max-length", {"size": 1, "serial": "x" * 17}, "spec.serial: Too long: may not be more than 16 bytes"),
    (
        "null",
        {"size": 1, "nested": {"enabled": "yes"}},
        'spec.nested.enabled in body must be of type boolean: "string"',
    ),
    ("int-or-string", {"size": 1, "port": 1.5}, "spec.port"),
    (
        "max-items",
        {"size": 1, "parts": [{"name": str(n)} for n in range(6)]},
        "spec.parts: Too many: 6: must have at most 5 items",
    ),
    ("list-map-key", {"size": 1, "parts": [{"value": "1"}]}, "spec.parts[0].name: Required value"),
    (
        "list-map-twice",
        {"size": 1, "parts": [{"name": "a"}, {"name": "a"}]},
        'spec.parts[1]: Duplicate value: {"name":"a"}',
    ),
    ("set-twice", {"size": 1, "tags": ["x", "x"]}, 'spec.tags[1]: Duplicate value: "x"'),
    ("rule", {"size": 5, "limit": 4}, "spec: Invalid value: size must not exceed limit"),
]


@pytest.mark.parametrize(
    ("spec", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
async def test_validation(hub: Hub, spec: dict[str, Any], message: str) -> None:
    """A value that the schema does not allow is a 422 with the text of Kubernetes, which names the field."""
    with pytest.raises(ApiError) as refused:
        await hub.create(hub.widget("w", spec=spec))
    assert (refused.value.reason, refused.value.http_code) == ("Invalid", 422)
    assert refused.value.message.startswith(f'Widget.{GROUP} "w" is invalid: ')
    assert message in refused.value.message
    assert refused.value.causes


@pytest.mark.parametrize("port", [80, "http"])
async def test_int_or_string(hub: Hub, port: int | str) -> None:
    """Both forms are kept as they came."""
    created = await hub.create(hub.widget("w", spec={"size": 1, "port": port}))
    assert created["spec"]["port"] == port


async def test_all_faults_are_told_at_once(hub: Hub) -> None:
    """Two wrong fields are two causes in one answer."""
    with pytest.raises(ApiError) as refused:
        await hub.create(hub.widget("w", spec={"size": 0, "colour": "blue"}))
    assert {c.field for c in refused.value.causes} >= {"spec.colour", "spec.size"}


async def test_a_transition_rule_compares_with_the_old_object(hub: Hub) -> None:
    """A rule over oldSelf refuses the update it forbids, not the first write."""
    widget = await hub.create(hub.widget("w", spec={"size": 1, "serial": "a"}))
    with pytest.raises(ApiError) as refused:
        await hub.patch(widget, {"spec": {"serial": "b"}})
    assert "serial is immutable" in refused.value.message
    assert (await hub.patch(widget, {"spec": {"size": 2}}))["spec"]["serial"] == "a"


async def test_status_is_validated_too(hub: Hub) -> None:
    """A status write that the schema does not allow is refused."""
    widget = await hub.create(hub.widget("w"))
    with pytest.raises(ApiError) as refused:
        await hub.patch(widget, {"status": {"conditions": [{"type": "Ready"}]}}, subresource="status")
    assert "status.conditions[0].status: Required value" in refused.value.message


def gadgets(name: str) -> tuple[Object, Resource]:
    """A definition of its own for one test, and how its kind will be served."""
    definition = copy.deepcopy(WIDGETS)
    plural = name.replace("-", "") + "s"
    names = {"kind": plural.capitalize(), "plural": plural, "singular": plural, "listKind": f"{plural}List"}
    definition["metadata"] = {"name": f"{plural}.{GROUP}"}
    definition["spec"]["names"] = names
    return definition, Resource(GROUP, "v1", names["kind"], plural, namespaced=True)


async def test_a_definition_comes_and_goes(hub: Hub, eventually: Eventually) -> None:
    """A kind is served once its definition is Established; with the definition its objects go."""
    definition, resource = gadgets(hub.unique("gadget"))
    with pytest.raises(ApiError) as missing:
        await hub.cluster.list(resource, hub.namespace)
    assert (missing.value.reason, missing.value.http_code) == ("NotFound", 404)
    created = await hub.create(definition)

    async def established() -> bool:
        found = await hub.get(created)
        return is_true(found, "Established") and is_true(found, "NamesAccepted")

    async def discovered() -> bool:
        return resource.kind in {r.kind for r in await hub.cluster.discover()}

    await eventually(established)
    await eventually(discovered)
    gadget = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": "g", "namespace": hub.namespace},
        "spec": {"size": 1},
    }

    async def accepted() -> bool:
        return bool(await hub.cluster.create(resource, gadget))

    await eventually(accepted)
    await hub.delete(created)

    async def unknown() -> bool:
        try:
            await hub.cluster.get(CRDS, "", definition["metadata"]["name"])
        except ApiError as error:
            return error.reason == "NotFound"
        return False

    await eventually(unknown)

    async def no_longer_served() -> bool:
        return resource.kind not in {r.kind for r in await hub.cluster.discover()}

    await eventually(no_longer_served)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("metadata", "name"), "wrong.example.com", "metadata.name"),
        (("spec", "scope"), "Somewhere", "spec.scope"),
        (("spec", "versions", 0, "schema", "openAPIV3Schema", "type"), "array", "openAPIV3Schema"),
        (("spec", "versions", 0, "storage"), False, "storage"),
    ],
    ids=["name", "scope", "schema", "storage"],
)
async def test_bad_definitions_are_refused(hub: Hub, path: tuple[Any, ...], value: Any, message: str) -> None:
    """A definition that cannot be served is a 422 that names the field."""
    definition, _ = gadgets(hub.unique("bad"))
    target: Any = definition
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    with pytest.raises(ApiError) as refused:
        await hub.create(definition)
    assert refused.value.reason == "Invalid"
    assert message in refused.value.message

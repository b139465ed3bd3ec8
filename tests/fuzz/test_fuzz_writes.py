"""Writes of anything to anything: each ends in a success or in a Status that blames the client."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.oracle import judged
from tests.fuzz.strategies import OBJECTS, json_patches, mutated, objects, part_of, texts, values
from tests.fuzz.wire import Wire

FEW = settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PATHS = pytest.mark.parametrize("path", OBJECTS, ids=lambda path: str(path).rsplit("/", 2)[1])
DRY = "dryRun=All"


@PATHS
@given(data=st.data())
@FEW
async def test_any_json_patch(root: Wire, path: str, data: st.DataObject) -> None:
    """Operations on places that are there and places that are not, with values of any shape."""
    patch = data.draw(json_patches(OBJECTS[path]))
    judged(await root("PATCH", f"{path}?{DRY}", patch, "application/json-patch+json"), (path, patch))


@PATHS
@given(data=st.data(), kind=st.sampled_from(["merge-patch", "strategic-merge-patch"]))
@FEW
async def test_any_merge(root: Wire, path: str, data: st.DataObject, kind: str) -> None:
    """Parts of the object with something else in them, nulls and directives among it."""
    patch = data.draw(part_of(OBJECTS[path]) | mutated(OBJECTS[path]) | values)
    judged(await root("PATCH", f"{path}?{DRY}", patch, f"application/{kind}+json"), (kind, path, patch))


@PATHS
@given(data=st.data(), force=st.booleans())
@FEW
async def test_any_apply(root: Wire, path: str, data: st.DataObject, force: bool) -> None:
    """Fragments of the object under a manager's name, its kind mostly left in place."""
    fragment: Any = data.draw(part_of(OBJECTS[path]) | mutated(OBJECTS[path]))
    if isinstance(fragment, dict) and data.draw(st.integers(0, 4)):
        fragment |= {key: OBJECTS[path][key] for key in ("apiVersion", "kind")}
    query = f"{DRY}&fieldManager=m&force={str(force).lower()}"
    judged(await root("PATCH", f"{path}?{query}", fragment, "application/apply-patch+yaml"), (path, fragment))


@PATHS
@given(data=st.data(), validation=st.sampled_from(["Strict", "Warn", "Ignore", "x"]))
@FEW
async def test_any_object(root: Wire, path: str, data: st.DataObject, validation: str) -> None:
    """The object with something exchanged, put over itself and created anew."""
    obj: Any = data.draw(mutated(OBJECTS[path]))
    query = f"{DRY}&fieldValidation={validation}"
    judged(await root("PUT", f"{path}?{query}", obj), ("PUT", path, obj))
    if isinstance(obj, dict) and isinstance(obj.get("metadata"), dict):
        obj = {**obj, "metadata": {"generateName": "x-", **obj["metadata"], "name": None}}
    judged(await root("POST", f"{path.rsplit('/', 1)[0]}?{query}", obj), ("POST", path, obj))


_OWNED: Any = {
    "f:data": {".": {}, "f:k": {}},
    "f:spec": {"f:many": {'k:{"name":"a","port":1}': {".": {}, "f:note": {}}}},
}
MANAGED: Any = [
    {
        "manager": "x",
        "operation": "Apply",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "time": "2026-01-01T00:00:00Z",
        "fieldsV1": _OWNED,
    }
]


@PATHS
@given(data=st.data())
@FEW
async def test_any_managed_fields(root: Wire, path: str, data: st.DataObject) -> None:
    """`managedFields` of any shape are taken or refused, and an apply over them likewise."""
    managed = data.draw(mutated(MANAGED))
    patch = {"metadata": {"managedFields": managed}}
    judged(await root("PATCH", path, patch, "application/merge-patch+json"), managed)
    fragment = {key: OBJECTS[path][key] for key in ("apiVersion", "kind")}
    target = f"{path}?fieldManager=x&force=true&{DRY}"
    judged(await root("PATCH", target, fragment, "application/apply-patch+yaml"), managed)
    judged(await root("GET", path, Accept="application/json;as=Table;v=v1;g=meta.k8s.io"), managed)
    reset: Any = {"metadata": {"managedFields": [{}]}}
    judged(await root("PATCH", path, reset, "application/merge-patch+json"), managed)


@PATHS
@given(options=objects | st.fixed_dictionaries({}, optional={
    "kind": texts, "apiVersion": texts, "gracePeriodSeconds": values, "orphanDependents": values,
    "propagationPolicy": values, "dryRun": values, "preconditions": values | st.fixed_dictionaries(
        {}, optional={"uid": values, "resourceVersion": values})}))  # fmt: skip
@FEW
async def test_any_delete_options(root: Wire, path: str, options: Any) -> None:
    """A DELETE with any body; without effect, but where the body says so by leaving out the dry run."""
    sent = {**options, "dryRun": options.get("dryRun", ["All"])} if options else {"dryRun": ["All"]}
    if not sent["dryRun"]:
        sent["dryRun"] = ["All"]
    judged(await root("DELETE", path, sent), (path, sent))
    judged(await root("DELETE", f"{path.rsplit('/', 1)[0]}?labelSelector=none%3Dsuch", sent), (path, sent))


@PATHS
@given(data=st.data())
@FEW
async def test_any_subresource(root: Wire, path: str, data: st.DataObject) -> None:
    """Statuses, scales, approvals and tokens of any shape, whether the kind has such a thing or not."""
    under = data.draw(st.sampled_from(["status", "scale", "finalize", "token", "approval", "log", "x/y", ""]))
    method = data.draw(st.sampled_from(["GET", "PUT", "PATCH", "POST", "DELETE"]))
    body = data.draw(mutated(OBJECTS[path]) | values)
    media = "application/merge-patch+json" if method == "PATCH" else "application/json"
    target = f"{path}/{under}?{DRY}"
    judged(await root(method, target, None if method == "GET" else body, media), (method, target, body))

"""What fuzzing has brought up is answered as a real kube-apiserver answers it: the same code, the same reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from yarl import URL

from tests.differential.play import Server, connected
from tests.fuzz.strategies import CONFIG_MAP, DEPLOYMENT

JSON, MERGE, STRATEGIC = (
    "application/json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
PATCH, APPLY = "application/json-patch+json", "application/apply-patch+yaml"
MAPS, ONE = "/api/v1/namespaces/{ns}/configmaps", "/api/v1/namespaces/{ns}/configmaps/c"
DEPLOYED = "/apis/apps/v1/namespaces/{ns}/deployments/d"
AS = f"{DEPLOYED}?fieldManager=x&force=true"
_SPEC = "/spec/template/spec"


def _spec(**fields: Any) -> Any:
    return {"spec": {"template": {"spec": fields}}}


def _container(**fields: Any) -> Any:
    return {"apiVersion": "apps/v1", "kind": "Deployment", **_spec(containers=[fields])}


CASES: dict[str, tuple[str, str, Any, str]] = {
    "managed fields of nothing": ("PATCH", ONE, {"metadata": {"managedFields": [None]}}, MERGE),
    "owners of nothing": ("PATCH", ONE, {"metadata": {"ownerReferences": [None]}}, MERGE),
    "finalizers of nothing": ("PATCH", ONE, {"metadata": {"finalizers": [None]}}, MERGE),
    "metadata of a list": ("PATCH", ONE, {"metadata": []}, MERGE),
    "metadata of nothing": ("PATCH", ONE, {"metadata": None}, MERGE),
    "a version of words": ("PATCH", ONE, {"metadata": {"resourceVersion": "x"}}, MERGE),
    "a version too long": ("PATCH", ONE, {"metadata": {"resourceVersion": "9" * 30}}, MERGE),
    "a list for an object": ("PUT", ONE, [], JSON),
    "text for an object": ("PUT", ONE, "x", JSON),
    "nothing for an object": ("PUT", ONE, None, JSON),
    "a number too large": ("PATCH", ONE, b'{"data":{"a":1e400}}', MERGE),
    "half a character": ("PATCH", f"{ONE}?dryRun=All", b'{"data":{"a":"\\ud800"}}', MERGE),
    "no json": ("PATCH", ONE, b"{", MERGE),
    "no json at all": ("PATCH", ONE, b"", MERGE),
    "a patch of no list": ("PATCH", ONE, {}, PATCH),
    "an operation of no kind": ("PATCH", ONE, [{"op": "x", "path": "/a"}], PATCH),
    "an operation of nothing": ("PATCH", ONE, [None], PATCH),
    "a place far off": ("PATCH", ONE, [{"op": "replace", "path": "/metadata/finalizers/99999999999", "value": 1}], PATCH),
    "no place": ("PATCH", ONE, [{"op": "add", "value": 1}], PATCH),
    "all of it away": ("PATCH", ONE, [{"op": "remove", "path": ""}], PATCH),
    "all of it twice": ("PATCH", ONE, [{"op": "copy", "from": "", "path": "/a"}] * 40, PATCH),
    "too many operations": ("PATCH", ONE, [{"op": "test", "path": "/kind", "value": "ConfigMap"}] * 10_001, PATCH),
    "an order of no list": ("PATCH", DEPLOYED, _spec(**{"$setElementOrder/containers": 5}), STRATEGIC),
    "a deletion of no list": ("PATCH", ONE, {"metadata": {"$deleteFromPrimitiveList/finalizers": {}}}, STRATEGIC),
    "keys to keep of no list": ("PATCH", DEPLOYED, {"spec": {"$retainKeys": 1}}, STRATEGIC),
    "a directive of no name": ("PATCH", DEPLOYED, {"$patch": "x"}, STRATEGIC),
    "an item without its key": ("PATCH", DEPLOYED, _spec(containers=[{"image": "i"}]), STRATEGIC),
    "an item of no map": ("PATCH", DEPLOYED, _spec(containers=[5]), STRATEGIC),
    "an apply of a list": ("PATCH", AS, [], APPLY),
    "an apply of text": ("PATCH", AS, b"a", APPLY),
    "an apply of two": ("PATCH", AS, b"a: 1\n---\nb: 2", APPLY),
    "an apply of metadata that is a list": (
        "PATCH", AS, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": [[1, 2]]}, APPLY),
    "an apply of a key that is a map": ("PATCH", AS, _container(name={}), APPLY),
    "an apply of what is unknown": ("PATCH", AS, _container(name="main", x=1), APPLY),
    "options of a list": ("DELETE", f"{ONE}?dryRun=All", [], JSON),
    "options with a wrong number": ("DELETE", ONE, {"gracePeriodSeconds": "x"}, JSON),
    "options with a wrong list": ("DELETE", ONE, {"dryRun": "All"}, JSON),
    "options with a dry run of nothing": ("DELETE", ONE, {"dryRun": ["x"]}, JSON),
    "options with preconditions of a list": ("DELETE", ONE, {"preconditions": []}, JSON),
    "options of another kind": ("DELETE", ONE, {"kind": "Pod", "apiVersion": "v1"}, JSON),
    "a limit too large": ("GET", f"{MAPS}?limit={'9' * 30}", None, ""),
    "a version to read too large": ("GET", f"{MAPS}?resourceVersion={'9' * 30}", None, ""),
    "a token of nothing": ("GET", f"{MAPS}?continue=bnVsbA%3D%3D", None, ""),
    "a token of slashes": ("GET", f"{MAPS}?continue=////", None, ""),
    "a selector of brackets": ("GET", f"{MAPS}?labelSelector=(((", None, ""),
    "fields of nothing": ("GET", f"{MAPS}?fieldSelector=%3D", None, ""),
    "a packed body": ("POST", MAPS, b"\x1f\x8b\x08\x00", JSON),
    "a body of 4 MiB": ("POST", MAPS, b" " * 4 * 2**20, JSON),
    "a limit below nothing": ("GET", f"{MAPS}?limit=-1", None, ""),
    "another kind with metadata of text": ("PATCH", ONE, {"kind": "Pod", "metadata": "x"}, MERGE),
    "a count that is a list": ("PATCH", DEPLOYED, {"spec": {"strategy": {"rollingUpdate": {"maxSurge": [None]}}}}, MERGE),
    "a container of nothing": ("PATCH", DEPLOYED, _spec(containers=[None]), MERGE),
    "a label of nothing": ("PATCH", f"{DEPLOYED}?dryRun=All", {"spec": {"template": {"metadata": {"annotations": {"a": None}}}}}, MERGE),
    "a secret of nothing": ("POST", "/api/v1/namespaces/{ns}/serviceaccounts", {"metadata": {"name": "n"}, "secrets": [None]}, JSON),
    "a quantity of nothing": ("PUT", DEPLOYED, {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i", "resources": {"limits": {"cpu": None}}}]}}}}, JSON),
    "cbor": ("POST", MAPS, b"\xd9\xd9\xf7\xa0", "application/cbor"),
}  # fmt: skip

DIFFERENT: dict[str, str] = {}
"""Cases whose answers differ, and why."""


@pytest.fixture(scope="module")
async def both(
    embedded_kubeconfig: Path, kubernetes_kubeconfig: Path
) -> AsyncIterator[tuple[Server, Server]]:
    """The embedded server and a real one."""
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(connected(embedded_kubeconfig))
        yield ours, await stack.enter_async_context(connected(kubernetes_kubeconfig))


async def _ask(server: Server, method: str, path: str, body: Any, media: str) -> tuple[int, str, str]:
    """The code, the reason and the message of an answer."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    data = None if method == "GET" else BytesIO(raw)
    headers = {"Content-Type": media} if media else {}
    async with server.session.request(
        method, URL(server.url + path, encoded=True), data=data, headers=headers
    ) as answer:
        found = orjson.loads(await answer.read() or b"{}")
        failed = found.get("kind") == "Status"
        return answer.status, str(found.get("reason", "")) if failed else "", str(found.get("message", ""))


@pytest.mark.controlplane
@pytest.mark.slow
async def test_finds_are_answered_alike(both: tuple[Server, Server], unique: Any) -> None:
    """Every case has the code and reason that it has on the real server, but for those that say why not."""
    namespace = unique("fuzz")
    for server in both:
        for path, obj in (
            ("/api/v1/namespaces", {"metadata": {"name": namespace}}),
            (f"/api/v1/namespaces/{namespace}/configmaps", {**CONFIG_MAP, "metadata": {"name": "c"}}),
            (f"/apis/apps/v1/namespaces/{namespace}/deployments", DEPLOYMENT),
        ):
            assert (await _ask(server, "POST", path, obj, JSON))[0] == 201
    differ = {}
    for name, (method, path, body, media) in CASES.items():
        asked = method, path.replace("{ns}", namespace), body, media
        ours, theirs = [await _ask(server, *asked) for server in both]
        if ours[:2] != theirs[:2]:
            differ[name] = f"ours {ours}, theirs {theirs}"
    for server in both:
        await _ask(server, "DELETE", f"/api/v1/namespaces/{namespace}", {}, JSON)
    odd = [f"{name}: {told[:600]}" for name, told in differ.items() if name not in DIFFERENT]
    assert not odd, "\n".join(odd)
    assert DIFFERENT.keys() <= differ.keys()

"""The embedded server over real HTTPS: status codes, forms, errors."""

from __future__ import annotations

import orjson
import pytest

from gitops_ocm.kube.cluster import PatchType
from tests.apiserver.plain_http import IN_DEFAULT, TABLE, Http, config_map

NO_SUCH = "the server could not find the requested resource"

NOT_ALLOWED = "the server does not allow this method on the requested resource"


@pytest.mark.parametrize(
    ("method", "path", "code", "message"),
    [
        ("GET", "/api/v1/foos", 404, NO_SUCH),
        ("GET", "/api/v2", 404, NO_SUCH),
        ("GET", "/apis/apps/v2", 404, NO_SUCH),
        ("GET", f"{IN_DEFAULT}/x/status", 404, NO_SUCH),
        ("GET", "/api/v1/configmaps/x", 404, NO_SUCH),
        ("GET", "/api/v1/namespaces/default/nodes", 404, NO_SUCH),
        ("GET", f"{IN_DEFAULT}/x", 404, 'configmaps "x" not found'),
        ("POST", f"{IN_DEFAULT}/x", 405, NOT_ALLOWED),
        ("PUT", IN_DEFAULT, 405, NOT_ALLOWED),
        ("POST", "/api/v1/configmaps", 405, NOT_ALLOWED),
        ("DELETE", "/api/v1/namespaces", 405, NOT_ALLOWED),
        ("TRACE", f"{IN_DEFAULT}/x", 405, NOT_ALLOWED),
        ("GET", f"{IN_DEFAULT}?limit=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
    ],
)
async def test_errors_are_statuses(
    shared_http: Http, method: str, path: str, code: int, message: str
) -> None:
    """Codes and texts of the real server for what is not there or not allowed."""
    status, body, _ = await shared_http(method, path)
    assert (status, body["kind"], body["message"], body["code"]) == (code, "Status", message, code)


@pytest.mark.parametrize("path", ["/foo", "/apis/foo", "/apis/foo/v1", "/apis/foo/v1/bars"])
async def test_unknown_paths_are_plain_text(shared_http: Http, path: str) -> None:
    """Outside the served groups nothing is a Status."""
    assert (await shared_http("GET", path))[:2] == (404, b"404 page not found\n")


async def test_an_unknown_openapi_document_is_nothing(shared_http: Http) -> None:
    """Of documents that there are not, not even that is said."""
    assert (await shared_http("GET", "/openapi/v3/x"))[:2] == (404, b"")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz", "/version"])
async def test_health_needs_no_credentials(shared_http: Http, path: str) -> None:
    """Probes carry none."""
    status, body, _ = await shared_http("GET", path, token="")
    assert status == 200
    assert body == b"ok" or body["gitVersion"].startswith("v1.35")


async def test_metrics_are_for_those_who_may_see_them(shared_http: Http) -> None:
    """An administrator sees those of the process, the loop's lag among them; anonymous sees none."""
    status, body, headers = await shared_http("GET", "/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b"\n# TYPE gitops_ocm_event_loop_lag_seconds histogram\n" in body
    assert (await shared_http("GET", "/metrics", token=""))[0] == 403


async def test_forms_of_an_answer(http: Http) -> None:
    """Table, metadata alone, YAML, laid out, and 406 for what is none of these."""
    await http("POST", IN_DEFAULT, config_map(x="1"))
    _, table, _ = await http("GET", IN_DEFAULT, Accept=TABLE)
    assert [c["name"] for c in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert table["rows"][0]["cells"][:2] == ["a", 1]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    _, partial, _ = await http(
        "GET", f"{IN_DEFAULT}/a", Accept=TABLE.replace("Table", "PartialObjectMetadata")
    )
    assert set(partial) == {"kind", "apiVersion", "metadata"}
    _, text, headers = await http("GET", f"{IN_DEFAULT}/a", Accept="application/yaml")
    assert headers["Content-Type"] == "application/yaml"
    assert b"kind: ConfigMap\n" in text
    async with http.session.get(
        f"{http.server.url}{IN_DEFAULT}/a?pretty=true", headers={"Authorization": "Bearer root"}
    ) as answer:
        assert (await answer.read()).startswith(b'{\n  "')
    assert (await http("GET", IN_DEFAULT, Accept="text/html"))[0] == 406


async def test_lists_say_the_kind_once(http: Http) -> None:
    """A typed list names its items' kind in its own; a large one is compressed."""
    for number in range(299):  # and the CA's, which every namespace has
        await http("POST", IN_DEFAULT, config_map(f"c{number}", x="y" * 400))
    _, body, headers = await http("GET", IN_DEFAULT, Accept_Encoding="gzip")
    assert (body["kind"], len(body["items"])) == ("ConfigMapList", 300)
    assert "kind" not in body["items"][0]
    assert headers["Content-Encoding"] == "gzip"
    _, page, _ = await http("GET", f"{IN_DEFAULT}?limit=100")
    assert (len(page["items"]), page["metadata"]["remainingItemCount"]) == (100, 200)
    _, rest, _ = await http("GET", f"{IN_DEFAULT}?limit=500&continue={page['metadata']['continue']}")
    assert len(rest["items"]) == 200


@pytest.mark.parametrize(
    ("body", "media", "code"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"", "application/json", 400),
        (b"k8s\x00\xff", "application/vnd.kubernetes.protobuf", 400),
        (b"{}", "application/cbor", 415),
        (b"{}", "text/html", 415),
        (b"x" * (3 * 1024 * 1024 + 1), "application/json", 413),
        (
            orjson.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}),
            "application/json",
            400,
        ),
    ],
    ids=["broken", "list", "empty", "protobuf", "cbor", "html", "too-large", "other-kind"],
)
async def test_bad_bodies_are_refused(shared_http: Http, body: bytes, media: str, code: int) -> None:
    """Nothing that is not the object it should be gets in, and the connection survives."""
    status, answer, _ = await shared_http("POST", IN_DEFAULT, body, Content_Type=media)
    assert (status, answer["kind"]) == (code, "Status")
    assert (await shared_http("GET", f"{IN_DEFAULT}/a"))[0] == 404


async def test_warnings_and_strictness(http: Http) -> None:
    """An unknown field is a Warning header, an error when asked, or nothing."""
    extra = {**config_map(), "foo": 1}
    status, _, headers = await http("POST", f"{IN_DEFAULT}?dryRun=All", extra)
    assert (status, headers["Warning"]) == (201, '299 - "unknown field \\"foo\\""')
    status, body, _ = await http("POST", f"{IN_DEFAULT}?fieldValidation=Strict", extra)
    assert status == 400
    assert 'unknown field "foo"' in body["message"]
    status, _, headers = await http("POST", f"{IN_DEFAULT}?fieldValidation=Ignore", extra)
    assert status == 201
    assert "Warning" not in headers


@pytest.mark.parametrize("part", ["", "/status", "/finalize"])
async def test_a_built_in_kind_is_known_by_its_path(shared_http: Http, part: str) -> None:
    """Items of a list have no kind; sent back as they are, they are understood."""
    path = "/api/v1/namespaces"
    _, listed, _ = await shared_http("GET", path)
    item = next(i for i in listed["items"] if i["metadata"]["name"] == "default")
    assert "kind" not in item
    status, answer, _ = await shared_http("PUT", f"{path}/default{part}", item)
    assert (status, answer["kind"]) == (200, "Namespace")


async def test_deletion_answers(http: Http) -> None:
    """What is gone is told by a Status, what waits for finalizers is shown; a collection is listed.

    The ConfigMap that every namespace has comes back.
    """
    await http("POST", IN_DEFAULT, config_map("gone"))
    held = config_map("held")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    await http("POST", IN_DEFAULT, held)
    status, body, _ = await http("DELETE", f"{IN_DEFAULT}/gone")
    assert (status, body["status"], body["details"]["name"]) == (200, "Success", "gone")
    status, body, _ = await http("DELETE", f"{IN_DEFAULT}/held", {"propagationPolicy": "Background"})
    assert body["metadata"]["deletionTimestamp"]
    await http("POST", IN_DEFAULT, config_map("more"))
    status, body, _ = await http("DELETE", IN_DEFAULT)
    assert (status, body["kind"]) == (200, "ConfigMapList")
    _, left, _ = await http("GET", IN_DEFAULT)
    assert [i["metadata"]["name"] for i in left["items"]] == ["held", "kube-root-ca.crt"]


async def test_scale(http: Http) -> None:
    """Replicas are read and written through the subresource."""
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    path = "/apis/apps/v1/namespaces/default/deployments"
    assert (await http("POST", path, {"metadata": {"name": "d"}, "spec": spec}))[0] == 201
    _, scale, _ = await http("GET", f"{path}/d/scale")
    assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == ("Scale", {"replicas": 1}, "a=b")
    scale["spec"]["replicas"] = 4
    assert (await http("PUT", f"{path}/d/scale", scale))[0] == 200
    assert (await http("PUT", f"{path}/d/scale", scale))[0] == 409
    media = {"Content_Type": PatchType.MERGE.value}
    assert (await http("PATCH", f"{path}/d/scale", {"spec": {"replicas": -1}}, **media))[0] == 422
    _, deployment, _ = await http("GET", f"{path}/d")
    assert deployment["spec"]["replicas"] == 4


async def test_aggregated_discovery_is_cached_by_etag(http: Http) -> None:
    """A client that has it already is told so; a new CRD changes it."""
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    status, body, headers = await http("GET", "/apis", Accept=accept)
    assert (status, orjson.loads(body)["kind"] if isinstance(body, bytes) else body["kind"]) == (
        200,
        "APIGroupDiscoveryList",
    )
    assert (await http("GET", "/apis", Accept=accept, If_None_Match=headers["ETag"]))[0] == 304
    crd = {
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Cluster",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object"}},
                }
            ],
        },
    }
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert (await http("POST", crds, crd))[0] == 201
    assert (await http("GET", "/apis", Accept=accept, If_None_Match=headers["ETag"]))[0] == 200
    assert (await http("GET", "/apis/example.com/v1/things"))[0] == 200
    assert (await http("GET", "/openapi/v3/apis/example.com/v1"))[0] == 200

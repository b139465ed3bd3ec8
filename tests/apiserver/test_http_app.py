"""The embedded server over real HTTPS: status codes, forms, errors, watches, access, its directory."""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from gitops_ocm.apiserver.rbac import User
from gitops_ocm.apiserver.serve import CannotServe, Server, serve, serve_fleet
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CONFIG_MAPS
from gitops_ocm.runtime.catalog import load_catalog
from tests.apiserver.identity.csr_requests import encoded, pem

IN_DEFAULT = "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
TOKENS = {"root": User("root", ("system:masters",)), "ann": User("ann", ("dev",))}


class Http:
    """A plain HTTP client of the server under test."""

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session

    async def __call__(
        self, method: str, path: str, body: Any = None, *, token: str = "root", **headers: str
    ) -> tuple[int, Any, Any]:
        """Status, body (decoded where it is JSON) and headers."""
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        raw_body = body if isinstance(body, bytes) else None if body is None else orjson.dumps(body)
        data = io.BytesIO(raw_body) if raw_body is not None else None
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        async with self.session.request(method, self.server.url + path, data=data, headers=sent) as answer:
            raw = await answer.read()
            is_json = answer.content_type == "application/json"
            return answer.status, orjson.loads(raw) if is_json and raw else raw, answer.headers


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    """A server in memory and a client that trusts its CA."""
    async with serve(Api(load_catalog()), tokens=TOKENS) as server:
        context = ssl.create_default_context(cadata=server.authority.pem.decode())
        connector = aiohttp.TCPConnector(ssl=context)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=True) as session:
            yield Http(server, session)


def _config_map(name: str = "a", **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


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
async def test_errors_are_statuses(http: Http, method: str, path: str, code: int, message: str) -> None:
    """Codes and texts of the real server for what is not there or not allowed."""
    status, body, _ = await http(method, path)
    assert (status, body["kind"], body["message"], body["code"]) == (code, "Status", message, code)


@pytest.mark.parametrize("path", ["/foo", "/apis/foo", "/apis/foo/v1", "/apis/foo/v1/bars"])
async def test_unknown_paths_are_plain_text(http: Http, path: str) -> None:
    """Outside the served groups nothing is a Status."""
    assert (await http("GET", path))[:2] == (404, b"404 page not found\n")


async def test_an_unknown_openapi_document_is_nothing(http: Http) -> None:
    """Of documents that there are not, not even that is said."""
    assert (await http("GET", "/openapi/v3/x"))[:2] == (404, b"")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz", "/version"])
async def test_health_needs_no_credentials(http: Http, path: str) -> None:
    """Probes carry none."""
    status, body, _ = await http("GET", path, token="")
    assert status == 200
    assert body == b"ok" or body["gitVersion"].startswith("v1.35")


async def test_who_may(http: Http) -> None:
    """Bad credentials 401; none, or too few rights, 403 with the well-known sentence."""
    status, body, _ = await http("GET", IN_DEFAULT, token="wrong")
    assert (status, body["message"]) == (401, "Unauthorized")
    status, body, _ = await http("GET", IN_DEFAULT, token="")
    assert status == 403
    assert body["message"].startswith('configmaps is forbidden: User "system:anonymous" cannot list')
    status, body, _ = await http("DELETE", f"{IN_DEFAULT}/x", token="ann")
    expected = (
        'configmaps "x" is forbidden: User "ann" cannot delete resource "configmaps" '
        'in API group "" in the namespace "default"'
    )
    assert (status, body["message"], body["reason"]) == (403, expected, "Forbidden")
    assert body["details"] == {"name": "x", "kind": "configmaps"}


async def test_a_binding_counts_at_once(http: Http) -> None:
    """A role given, then taken away, changes the very next answer."""
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    role = {
        "metadata": {"name": "r"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}],
    }
    binding = {
        "metadata": {"name": "b"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        "subjects": [{"kind": "Group", "name": "dev", "apiGroup": "rbac.authorization.k8s.io"}],
    }
    assert (await http("GET", IN_DEFAULT, token="ann"))[0] == 403
    assert (await http("POST", f"{rbac}/roles", role))[0] == 201
    assert (await http("POST", f"{rbac}/rolebindings", binding))[0] == 201
    assert (await http("GET", IN_DEFAULT, token="ann"))[0] == 200
    assert (await http("GET", "/api/v1/configmaps", token="ann"))[0] == 403
    assert (await http("DELETE", f"{rbac}/rolebindings/b"))[0] == 200
    assert (await http("GET", IN_DEFAULT, token="ann"))[0] == 403


async def test_impersonation_is_a_right(http: Http) -> None:
    """Who may impersonate acts as the other; who may not is refused; nobody acts as themselves by it."""
    assert (await http("GET", IN_DEFAULT, Impersonate_User="bob"))[0] == 403
    status, body, _ = await http("GET", IN_DEFAULT, token="ann", Impersonate_User="root")
    assert status == 403
    assert 'cannot impersonate resource "users"' in body["message"]
    assert (await http("GET", IN_DEFAULT, Impersonate_Group="system:masters"))[0] == 400
    reviews = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    status, body, _ = await http("POST", reviews, {}, Impersonate_User="bob", Impersonate_Group="g")
    assert status == 201
    assert body["status"]["userInfo"] == {"username": "bob", "groups": ["g", "system:authenticated"]}


async def test_an_apply_that_creates_needs_create(http: Http) -> None:
    """To patch is one right, to bring into being another."""
    cluster = "/apis/rbac.authorization.k8s.io/v1"
    role = {
        "metadata": {"name": "p"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]}],
    }
    binding = {
        "metadata": {"name": "p"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "p"},
        "subjects": [{"kind": "User", "name": "ann", "apiGroup": "rbac.authorization.k8s.io"}],
    }
    await http("POST", f"{cluster}/clusterroles", role)
    await http("POST", f"{cluster}/clusterrolebindings", binding)
    path = f"{IN_DEFAULT}/a?fieldManager=m"
    apply = {"Content_Type": PatchType.APPLY.value}
    status, body, _ = await http("PATCH", path, _config_map(), token="ann", **apply)
    assert status == 403
    assert "cannot create resource" in body["message"]
    assert (await http("PATCH", path, _config_map(), **apply))[0] == 201
    assert (await http("PATCH", path, _config_map(x="1"), token="ann", **apply))[0] == 200


async def test_forms_of_an_answer(http: Http) -> None:
    """Table, metadata alone, YAML, laid out, and 406 for what is none of these."""
    await http("POST", IN_DEFAULT, _config_map(x="1"))
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
        await http("POST", IN_DEFAULT, _config_map(f"c{number}", x="y" * 400))
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
async def test_bad_bodies_are_refused(http: Http, body: bytes, media: str, code: int) -> None:
    """Nothing that is not the object it should be gets in, and the connection survives."""
    status, answer, _ = await http("POST", IN_DEFAULT, body, Content_Type=media)
    assert (status, answer["kind"]) == (code, "Status")
    assert (await http("GET", f"{IN_DEFAULT}/a"))[0] == 404


async def test_warnings_and_strictness(http: Http) -> None:
    """An unknown field is a Warning header, an error when asked, or nothing."""
    extra = {**_config_map(), "foo": 1}
    status, _, headers = await http("POST", f"{IN_DEFAULT}?dryRun=All", extra)
    assert (status, headers["Warning"]) == (201, '299 - "unknown field \\"foo\\""')
    status, body, _ = await http("POST", f"{IN_DEFAULT}?fieldValidation=Strict", extra)
    assert status == 400
    assert 'unknown field "foo"' in body["message"]
    status, _, headers = await http("POST", f"{IN_DEFAULT}?fieldValidation=Ignore", extra)
    assert status == 201
    assert "Warning" not in headers


@pytest.mark.parametrize("part", ["", "/status", "/finalize"])
async def test_a_built_in_kind_is_known_by_its_path(http: Http, part: str) -> None:
    """Items of a list have no kind; sent back as they are, they are understood."""
    path = "/api/v1/namespaces"
    _, listed, _ = await http("GET", path)
    item = next(i for i in listed["items"] if i["metadata"]["name"] == "default")
    assert "kind" not in item
    status, answer, _ = await http("PUT", f"{path}/default{part}", item)
    assert (status, answer["kind"]) == (200, "Namespace")


async def test_deletion_answers(http: Http) -> None:
    """What is gone is told by a Status, what waits for finalizers is shown; a collection is listed.

    The ConfigMap that every namespace has comes back.
    """
    await http("POST", IN_DEFAULT, _config_map("gone"))
    held = _config_map("held")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    await http("POST", IN_DEFAULT, held)
    status, body, _ = await http("DELETE", f"{IN_DEFAULT}/gone")
    assert (status, body["status"], body["details"]["name"]) == (200, "Success", "gone")
    status, body, _ = await http("DELETE", f"{IN_DEFAULT}/held", {"propagationPolicy": "Background"})
    assert body["metadata"]["deletionTimestamp"]
    await http("POST", IN_DEFAULT, _config_map("more"))
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


async def test_a_certificate_request_says_who_asked(http: Http) -> None:
    """The identity in a CSR is the caller's own; approving takes a right for the signer."""
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
    rules = [{"apiGroups": ["certificates.k8s.io"], "resources": ["*"], "verbs": ["create", "update", "get"]}]
    subjects = [{"kind": "User", "name": "ann", "apiGroup": "rbac.authorization.k8s.io"}]
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "csr"}
    await http("POST", f"{rbac}/clusterroles", {"metadata": {"name": "csr"}, "rules": rules})
    await http(
        "POST",
        f"{rbac}/clusterrolebindings",
        {"metadata": {"name": "c"}, "roleRef": ref, "subjects": subjects},
    )
    spec = {
        "request": encoded(pem()),
        "signerName": "example.com/client",
        "usages": ["client auth"],
        "username": "root",
        "groups": ["system:masters"],
    }
    status, made, _ = await http("POST", path, {"metadata": {"name": "r"}, "spec": spec}, token="ann")
    assert status == 201
    assert (made["spec"]["username"], made["spec"]["groups"]) == ("ann", ["dev", "system:authenticated"])
    approval = {"type": "Approved", "status": "True", "reason": "r", "message": "m"}
    approved = {**made, "status": {"conditions": [approval]}}
    status, body, _ = await http("PUT", f"{path}/r/approval", approved, token="ann")
    assert status == 403
    assert 'not permitted to approve requests with signerName "example.com/client"' in body["message"]
    signers = {"apiGroups": ["certificates.k8s.io"], "resources": ["signers"], "verbs": ["approve"]}
    more = {**signers, "resourceNames": ["example.com/*"]}
    _, role, _ = await http("GET", f"{rbac}/clusterroles/csr")
    await http("PUT", f"{rbac}/clusterroles/csr", {**role, "rules": [*rules, more]})
    assert (await http("PUT", f"{path}/r/approval", approved, token="ann"))[0] == 200


@pytest.mark.parametrize(
    ("media", "body"),
    [
        (PatchType.MERGE, {"spec": {"username": "root"}, "metadata": {"labels": {"a": "b"}}}),
        (PatchType.JSON, [{"op": "replace", "path": "/spec/username", "value": "root"}]),
        (PatchType.STRATEGIC, {"spec": {"groups": ["system:masters"]}}),
        (PatchType.APPLY, {"spec": {"username": "root"}}),
    ],
)
async def test_a_certificate_request_stays_what_it_is(http: Http, media: PatchType, body: Any) -> None:
    """No patch makes it somebody else's, not even an apply that creates it."""
    path = "/apis/certificates.k8s.io/v1/certificatesigningrequests/r?fieldManager=m"
    spec = {
        "request": encoded(pem()),
        "signerName": "example.com/c",
        "usages": ["client auth"],
        "username": "eve",
    }
    whole = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "spec": spec}
    apply = PatchType.APPLY.value
    status, made, _ = await http("PATCH", path, whole, Content_Type=apply, Impersonate_User="ann")
    assert status == 403
    status, made, _ = await http("PATCH", path, whole, Content_Type=apply)
    assert (status, made["spec"]["username"]) == (201, "root")
    if media is PatchType.APPLY:
        body = {**whole, "spec": {**spec, "username": "root", "groups": ["other"]}}
    status, after, _ = await http("PATCH", path, body, Content_Type=media.value)
    assert status == 200
    assert after["spec"] == made["spec"]


async def test_reviews_answer_questions(http: Http) -> None:
    """`kubectl auth can-i` and its kin, for oneself and for others."""
    reviews = "/apis/authorization.k8s.io/v1"
    wanted = {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "x"}}
    _, mine, _ = await http("POST", f"{reviews}/selfsubjectaccessreviews", {"spec": wanted}, token="ann")
    assert mine["status"]["allowed"] is False
    for user, allowed in (("ann", False), ("root", True)):
        spec = {**wanted, "user": user, "groups": list(TOKENS[user].groups)}
        _, theirs, _ = await http("POST", f"{reviews}/subjectaccessreviews", {"spec": spec})
        assert theirs["status"]["allowed"] is allowed
    assert (await http("POST", f"{reviews}/subjectaccessreviews", {"spec": wanted}))[0] == 422
    assert (await http("POST", f"{reviews}/selfsubjectaccessreviews", {"spec": {}}))[0] == 422
    assert (await http("POST", f"{reviews}/subjectaccessreviews", {"spec": wanted}, token="ann"))[0] == 403


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


async def _lines(http: Http, query: str, count: int, *, accept: str = "*/*") -> list[Any]:
    url = f"{http.server.url}{IN_DEFAULT}?watch=1&{query}"
    headers = {"Authorization": "Bearer root", "Accept": accept}
    found = []
    async with http.session.get(url, headers=headers) as answer:
        assert answer.status == 200
        async for line in answer.content:
            found.append(orjson.loads(line))
            if len(found) == count:
                break
    return found


async def test_watch_streams_lines(http: Http) -> None:
    """What happens after a version, one JSON document a line, whenever the watch begins."""
    _, made, _ = await http("POST", IN_DEFAULT, _config_map())
    since = made["metadata"]["resourceVersion"]
    watching = asyncio.create_task(_lines(http, f"timeoutSeconds=30&resourceVersion={since}", 2))
    await http("PUT", f"{IN_DEFAULT}/a", {**made, "data": {"x": "2"}})
    await http("DELETE", f"{IN_DEFAULT}/a")
    assert [line["type"] for line in await watching] == ["MODIFIED", "DELETED"]
    (first,) = await _lines(http, f"timeoutSeconds=30&resourceVersion={since}", 1)
    assert first["object"]["data"] == {"x": "2"}


async def test_watch_as_table_heads_once(http: Http) -> None:
    """Only the first event of a Table watch carries the column heads."""
    for name in ("a", "b"):
        await http("POST", IN_DEFAULT, _config_map(name))
    first, second = await _lines(http, "timeoutSeconds=30", 2, accept=TABLE)
    assert first["object"]["columnDefinitions"]
    assert second["object"]["columnDefinitions"] is None


async def test_watch_ends_in_time_and_tells_errors_as_events(http: Http) -> None:
    """A timeout is a clean end; a version that nobody remembers is an ERROR event; nonsense is a 400."""
    assert await _lines(http, "timeoutSeconds=1&resourceVersion=0&labelSelector=a", 1) == []
    http.server.api.store.history.compact()
    await http("POST", IN_DEFAULT, _config_map())
    (error,) = await _lines(http, "timeoutSeconds=30&resourceVersion=1", 1)
    assert (error["type"], error["object"]["code"]) == ("ERROR", 410)
    assert (await http("GET", f"{IN_DEFAULT}?watch=1&resourceVersion=x"))[0] == 500


async def test_stopping_ends_watches_cleanly(tmp_path: Path) -> None:
    """A watch sees the end of its stream, not a broken connection, when the server stops."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve(tmp_path / "hub", tokens=TOKENS))
        context = ssl.create_default_context(cadata=server.authority.pem.decode())
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
            url = f"{server.url}{IN_DEFAULT}?watch=1&resourceVersion=0&labelSelector=none"
            answer = await session.get(url, headers={"Authorization": "Bearer root"})
            await stack.aclose()
            assert await answer.read() == b""
            answer.close()


async def test_the_clients_certificate_is_who_it_says(tmp_path: Path) -> None:
    """The kubeconfig written is an administrator's; its objects survive a restart on the same port."""
    directory = tmp_path / "hub"
    async with serve(directory) as server:
        first = server.url
        cluster = HttpCluster(load_kubeconfig(server.kubeconfig_path))
        await cluster.create(
            CONFIG_MAPS, {**_config_map(x="1"), "metadata": {"name": "a", "namespace": "default"}}
        )
        await cluster.close()
        assert server.kubeconfig_path.stat().st_mode & 0o777 == 0o600
    async with serve(directory) as server:
        assert server.url == first
        cluster = HttpCluster(load_kubeconfig(server.kubeconfig_path))
        assert (await cluster.get(CONFIG_MAPS, "default", "a"))["data"] == {"x": "1"}
        await cluster.close()


async def test_servers_of_clients_find_the_ca_of_this_ones_users(tmp_path: Path) -> None:
    """Controllers with endpoints of their own read it from kube-system; a restart writes nothing anew."""
    versions = []
    for _ in range(2):
        async with serve(tmp_path) as server:
            cluster = HttpCluster(load_kubeconfig(server.kubeconfig_path))
            found = await cluster.get(CONFIG_MAPS, "kube-system", "extension-apiserver-authentication")
            await cluster.close()
        assert found["data"]["client-ca-file"] == server.authority.pem.decode()
        versions.append(found["metadata"]["resourceVersion"])
    assert versions[0] == versions[1]


async def test_one_directory_one_server(tmp_path: Path) -> None:
    """A second server on the same directory, or port, says who holds it."""
    async with serve(tmp_path / "hub") as server:
        with pytest.raises(CannotServe, match="already served"):
            async with serve(tmp_path / "hub"):
                pass
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(CannotServe, match=f"cannot listen on 127.0.0.1:{port}"):
            async with serve(tmp_path / "other", port=port):
                pass


async def test_a_fleet_is_servers_side_by_side(tmp_path: Path) -> None:
    """A hub and its clusters share nothing but the process."""
    async with serve_fleet(tmp_path, clusters=2) as (hub, members):
        assert list(members) == ["cluster1", "cluster2"]
        urls = {hub.url, *(m.url for m in members.values())}
        assert len(urls) == 3
        assert members["cluster1"].kubeconfig_path == tmp_path / "clusters" / "cluster1" / "kubeconfig"
        assert members["cluster1"].authority.pem != hub.authority.pem

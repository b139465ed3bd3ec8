"""OCM's webhooks, asked as an API server asks: the envelope, what is let in, and what is not."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.hub.webhook import CONVERT, MUTATE, VALIDATE, ServingCertificate, WebhookError
from gitops_ocm.kube.cluster import Cluster, Unreachable
from gitops_ocm.objects.conversion import converted
from gitops_ocm.objects.patch import json_patch
from gitops_ocm.objects.ref import Object
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.clusters import memory
from tests.hub.conftest import Serve, role_for, write_pair

VALIDATE_CLUSTER, VALIDATE_BINDING, VALIDATE_WORK = VALIDATE
CLUSTER = "cluster.open-cluster-management.io"
REGISTER = "register.open-cluster-management.io"
VERSIONS = ("admission.k8s.io/v1", "admission.k8s.io/v1beta1")


@pytest.fixture(scope="module")
async def hub() -> AsyncIterator[Cluster]:
    """A hub where `accepter` may accept c1 and `joiner` put clusters into the set s1; nothing changes it."""
    async with memory() as cluster:
        rules = [
            *role_for("accepter", "accepts", (REGISTER, "managedclusters/accept", "update"), names=("c1",)),
            *role_for("accepter", "joins", (CLUSTER, "managedclustersets/join", "create")),
            *role_for("joiner", "joins-one", (CLUSTER, "managedclustersets/join", "create"), names=("s1",)),
        ]
        kinds = {r.kind: r for r in await cluster.discover()}
        for obj in rules:
            await cluster.create(kinds[obj["kind"]], obj)
        yield cluster


def review(
    obj: Object, old: Object | None = None, user: str = "nobody", version: str = VERSIONS[0]
) -> dict[str, Any]:
    """An AdmissionReview as an API server sends it."""
    return {
        "apiVersion": version,
        "kind": "AdmissionReview",
        "request": {
            "uid": "u-1",
            "operation": "CREATE" if old is None else "UPDATE",
            "name": obj["metadata"].get("name", ""),
            "userInfo": {"username": user, "groups": ["system:authenticated"]},
            "object": obj,
            "oldObject": old,
        },
    }


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_is_filled_in(hub: Cluster, served: Serve, version: str) -> None:
    """The patch gives a new cluster its default set and its taints their time, and nothing else."""
    sent = make.managed_cluster("c1", cluster_set="", taints=[{"key": "a", "effect": "NoSelect"}])
    before = datetime.now(UTC).replace(microsecond=0)
    async with served(hub) as webhooks:
        status, answer = await webhooks.post(MUTATE, review(sent, version=version))
    assert (status, answer["apiVersion"], answer["kind"]) == (200, version, "AdmissionReview")
    response = answer["response"]
    assert (response["uid"], response["allowed"], response["patchType"]) == ("u-1", True, "JSONPatch")
    wanted = json_patch(sent, orjson.loads(base64.b64decode(response["patch"])))
    (taint,) = wanted["spec"]["taints"]
    assert before <= datetime.fromisoformat(taint.pop("timeAdded")) <= datetime.now(UTC)
    labelled = make.managed_cluster("c1", taints=[{"key": "a", "effect": "NoSelect"}])
    assert wanted == labelled


async def test_what_is_complete_is_not_patched(hub: Cluster, served: Serve) -> None:
    """An answer without a patch lets the object in as it is."""
    async with served(hub) as webhooks:
        _, answer = await webhooks.post(MUTATE, review(make.managed_cluster("c1")))
    assert answer["response"] == {"uid": "u-1", "allowed": True}


def cluster(*, accepted: bool = False, cluster_set: str = "", name: str = "c1", url: str = "") -> Object:
    """A ManagedCluster as it reaches validation."""
    obj = make.managed_cluster(name, accepted=accepted, cluster_set=cluster_set)
    if url:
        obj["spec"]["managedClusterClientConfigs"] = [{"url": url}]
    return obj


def binding(name: str, to: str) -> Object:
    """A ManagedClusterSetBinding."""
    return {
        "apiVersion": f"{CLUSTER}/v1beta2",
        "kind": "ManagedClusterSetBinding",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"clusterSet": to},
    }


FORGED = [{"key": "a", "effect": "NoSelect", "timeAdded": "2026-01-01T00:00:00Z"}]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("path", "obj", "old", "user", "code", "text"),
    [
        (VALIDATE_CLUSTER, cluster(), None, "nobody", 0, ""),
        (VALIDATE_CLUSTER, cluster(accepted=True), None, "accepter", 0, ""),
        (VALIDATE_CLUSTER, cluster(accepted=True), cluster(), "accepter", 0, ""),
        (VALIDATE_CLUSTER, cluster(), cluster(accepted=True), "nobody", 0, ""),
        (
            VALIDATE_CLUSTER,
            cluster(accepted=True),
            None,
            "nobody",
            403,
            'user "nobody" cannot update the Hub',
        ),
        (
            VALIDATE_CLUSTER,
            cluster(accepted=True, name="c2"),
            None,
            "accepter",
            403,
            'user "accepter" cannot',
        ),
        (VALIDATE_CLUSTER, cluster(cluster_set="s1"), None, "joiner", 0, ""),
        (VALIDATE_CLUSTER, cluster(cluster_set="s1"), cluster(cluster_set="s2"), "joiner", 403, 'Set "s2"'),
        (VALIDATE_CLUSTER, cluster(cluster_set="s2"), cluster(cluster_set="s1"), "joiner", 403, 'Set "s2"'),
        (VALIDATE_CLUSTER, cluster(), cluster(cluster_set="s2"), "accepter", 0, ""),
        (VALIDATE_CLUSTER, cluster(url="http://a"), None, "nobody", 400, 'url "http://a" is invalid'),
        (VALIDATE_CLUSTER, cluster(name="a.b"), None, "nobody", 400, "metadata.name format is not correct"),
        (MUTATE, make.managed_cluster("c1", taints=FORGED), cluster(), "nobody", 400, "TimeAdded of Taint"),
        (VALIDATE_BINDING, binding("s1", "s2"), None, "nobody", 400, "must have the same name"),
        (VALIDATE_BINDING, binding("s1", "s1"), None, "nobody", 403, "not allowed to bind cluster set"),
        (VALIDATE_BINDING, binding("s1", "s1"), binding("s1", "s1"), "nobody", 0, ""),
        (
            VALIDATE_WORK,
            make.manifest_work("w", "c1", []),
            None,
            "nobody",
            400,
            "manifests should not be empty",
        ),
        (VALIDATE_WORK, make.manifest_work("w", "c1", [make.config_map("a")]), None, "nobody", 0, ""),
    ],
)
async def test_who_may_write_what(
    hub: Cluster,
    served: Serve,
    version: str,
    path: str,
    obj: Object,
    old: Object | None,
    user: str,
    code: int,
    text: str,
) -> None:
    """Rights are asked of the hub; a refusal carries the code and OCM's words."""
    async with served(hub) as webhooks:
        status, answer = await webhooks.post(path, review(obj, old, user, version))
    response = answer["response"]
    assert (status, answer["apiVersion"], response["uid"]) == (200, version, "u-1")
    assert response["allowed"] is (code == 0)
    if code:
        assert response["status"]["code"] == code
        assert text in response["status"]["message"]


class Unanswering(LocalCluster):
    """A hub that gives no answer to questions."""

    async def create(self, *args: Any, **options: Any) -> Object:
        """Nothing comes back."""
        raise Unreachable("the hub does not answer")


async def test_without_an_answer_nobody_may(hub: Cluster, served: Serve) -> None:
    """Where rights cannot be asked about, the write is refused and says why."""
    assert isinstance(hub, LocalCluster)
    async with served(Unanswering(hub.api)) as webhooks:
        _, answer = await webhooks.post(VALIDATE_CLUSTER, review(cluster(accepted=True), user="accepter"))
    assert not answer["response"]["allowed"]
    assert "the hub does not answer" in answer["response"]["status"]["message"]


@pytest.mark.parametrize("path", [MUTATE, VALIDATE_CLUSTER])
async def test_deletions_are_let_in(hub: Cluster, served: Serve, path: str) -> None:
    """Whoever registers the webhooks for deletions, too, is not kept from deleting."""
    body = review(cluster(accepted=True), user="nobody")
    request = body["request"]
    body["request"] = {**request, "operation": "DELETE", "object": None, "oldObject": request["object"]}
    async with served(hub) as webhooks:
        status, answer = await webhooks.post(path, body)
    assert status == 200
    assert answer["response"] == {"uid": request["uid"], "allowed": True}


@pytest.mark.parametrize("body", [None, [], {}, {"request": {}}, {"request": {"uid": "u"}}, "text"])
@pytest.mark.parametrize("path", [MUTATE, VALIDATE_CLUSTER, CONVERT])
async def test_what_is_no_review(hub: Cluster, served: Serve, path: str, body: Any) -> None:
    """Anything else is a bad request, and the server goes on."""
    async with served(hub) as webhooks:
        status, answer = await webhooks.post(path, body)
        convertible = path == CONVERT and body == {"request": {"uid": "u"}}
        assert status == (200 if convertible else 400), answer
        assert (await webhooks.post(MUTATE, review(cluster())))[0] == 200


ADDON: Object = {
    "apiVersion": "addon.open-cluster-management.io/v1alpha1",
    "kind": "ManagedClusterAddOn",
    "metadata": {"name": "a", "namespace": "c1", "uid": "1"},
    "spec": {"installNamespace": "there"},
}


@pytest.mark.parametrize("version", ["apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1beta1"])
async def test_add_ons_are_converted(hub: Cluster, served: Serve, version: str) -> None:
    """All objects of a review come back at the version that is asked for, and back again as they were."""
    beta = "addon.open-cluster-management.io/v1beta1"
    async with served(hub) as webhooks:

        async def asked(wanted: str, objects: list[Object]) -> Any:
            request = {"uid": "u", "desiredAPIVersion": wanted, "objects": objects}
            body = {"apiVersion": version, "kind": "ConversionReview", "request": request}
            status, answer = await webhooks.post(CONVERT, body)
            assert (status, answer["apiVersion"], answer["kind"]) == (200, version, "ConversionReview")
            return answer["response"]

        there = await asked(beta, [ADDON])
        assert there == {
            "uid": "u",
            "convertedObjects": [converted(ADDON, beta)],
            "result": {"status": "Success"},
        }
        back = await asked(ADDON["apiVersion"], there["convertedObjects"])
        assert back["convertedObjects"] == [ADDON]
        other = await asked("apps/v1", [ADDON])
        assert other["result"]["status"] == "Failure"


async def test_a_renewed_certificate_is_taken_over(
    hub: Cluster, served: Serve, eventually: Callable[..., Awaitable[object]]
) -> None:
    """New connections get what is in the files, without a restart; a broken certificate is not used."""
    async with served(hub) as webhooks:
        port = int(webhooks.url.rpartition(":")[2])

        async def shown() -> bytes:
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=webhooks.trusting())
            try:
                found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
                return found
            finally:
                writer.close()
                await writer.wait_closed()

        first = await shown()
        webhooks.files.certificate.write_text("no certificate")
        assert await shown() == first
        write_pair(webhooks.authority, webhooks.files, "new.example.com")

        async def renewed() -> bool:
            return await shown() != first

        await eventually(renewed, describe="the new certificate is shown")
        assert ssl.DER_cert_to_PEM_cert(await shown()) in webhooks.files.certificate.read_text()


async def test_files_that_do_not_fit(hub: Cluster, served: Serve) -> None:
    """A missing file or a foreign key is said with the name of the file and the options."""
    async with served(hub) as webhooks:
        files = webhooks.files
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with pytest.raises(WebhookError, match=r"none\.crt: No such file"):
            ServingCertificate(files.certificate.with_name("none.crt"), files.key).load_into(context)
        other = files.key.with_name("other.key")
        old = files.key.read_bytes()
        write_pair(webhooks.authority, files, "new.example.com")
        other.write_bytes(old)
        with pytest.raises(WebhookError, match="KEY_VALUES_MISMATCH") as caught:
            ServingCertificate(files.certificate, other).load_into(context)
        assert "--tls-cert-file" in caught.value.hint

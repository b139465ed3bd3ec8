"""Add-ons get their credentials for the hub, live by their leases, and lose what they had when they go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from gitops_ocm.klusterlet.kept import SecretData
from gitops_ocm.klusterlet.keys import read_certificate
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.token_request import read_token
from gitops_ocm.objects.conditions import find, micro_timestamp
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import ACCOUNTS, LEASES, NAMESPACES, SECRETS
from gitops_ocm.testing import objects as make
from tests.klusterlet.conftest import Agent, Hub
from tests.klusterlet.test_registration import joined

pytestmark = pytest.mark.slow

Eventually = Callable[..., Awaitable[Any]]
Make = Callable[..., Agent]
GROUP = "addon.open-cluster-management.io"
ADDONS = Resource(GROUP, "v1beta1", "ManagedClusterAddOn", "managedclusteraddons", namespaced=True)
HOME = "addon-home"
SIGNER = "example.com/signer"
KUBE = {"type": "kubeClient", "kubeClient": {"subject": {"user": "custom:user", "groups": ["one", "two"]}}}
CUSTOM = {
    "type": "customSigner",
    "customSigner": {"signerName": SIGNER, "subject": {"organizationUnits": ["unit"]}},
}


async def installed(hub: Hub, spoke: Cluster, cluster: str, name: str, *registrations: Object) -> None:
    """An add-on as its manager has it: made, and its status says what it registers for."""
    with suppress(ApiError):
        await spoke.create(NAMESPACES, make.namespace(HOME))
    await hub.admin.create(ADDONS, {**make.cluster_addon(name, cluster), "apiVersion": f"{GROUP}/v1beta1"})
    status = {"status": {"namespace": HOME, "registrations": list(registrations)}}
    await hub.admin.patch(ADDONS, cluster, name, status, type=PatchType.MERGE, subresource="status")


async def condition(hub: Hub, cluster: str, name: str, type: str) -> tuple[str, str]:
    """Status and reason of a condition of an add-on."""
    found = find((await hub.admin.get(ADDONS, cluster, name)).get("status", {}).get("conditions"), type) or {}
    return found.get("status", ""), found.get("reason", "")


async def test_certificates_of_an_addon(
    hub: Hub, agent: Make, eventually: Eventually, spoke: Cluster
) -> None:
    """A request for each registration, as the cluster; the kubeconfig's Secret goes with the add-on."""
    one = agent()
    async with one.running():
        await joined(hub, one, eventually)
        await installed(hub, spoke, one.name, "probe", KUBE, CUSTOM)

        async def asked() -> list[Object]:
            found = [r for r in await hub.requests(one.name) if "addon-name" in str(r["metadata"]["labels"])]
            return found if len(found) == 2 else []

        kube, custom = sorted(
            await eventually(asked), key=lambda r: str(r["spec"]["signerName"]), reverse=True
        )
        assert custom["spec"]["signerName"] == SIGNER
        assert kube["metadata"]["generateName"] == f"addon-{one.name}-probe-"
        assert kube["spec"]["username"].startswith(f"system:open-cluster-management:{one.name}:")
        await hub.approved(one.name)
        secret = SecretData(spoke, HOME, "probe-hub-kubeconfig")
        data = await eventually(secret.read)
        assert set(data) == {"kubeconfig", "tls.crt", "tls.key", "cluster-name"}
        found = read_certificate(data["tls.crt"], data["tls.key"])
        assert found is not None
        assert found.subject.common_name == "custom:user"
        assert found.subject.groups == {"one", "two"}
        said = ("True", "ClientCertificateUpdated")

        async def rotated() -> bool:
            return await condition(hub, one.name, "probe", "ClusterCertificateRotated") == said

        await eventually(rotated)
        shown = (await hub.admin.get(ADDONS, one.name, "probe"))["status"]["registrations"]
        assert shown[0]["kubeClient"]["driver"] == "csr"
        await hub.admin.delete(ADDONS, one.name, "probe")

        async def gone() -> bool:
            return not (await spoke.list(SECRETS, HOME)).items

        await eventually(gone)


async def test_an_addon_that_went_while_the_agent_was_down(
    hub: Hub, agent: Make, eventually: Eventually, spoke: Cluster
) -> None:
    """The Secret of an add-on that was deleted meanwhile is found and taken away."""
    one = agent()
    secret = SecretData(spoke, HOME, "brief-hub-kubeconfig")
    async with one.running():
        await joined(hub, one, eventually)
        await installed(hub, spoke, one.name, "brief", {"type": "kubeClient", "kubeClient": {}})

        async def there() -> bool:
            await hub.approved(one.name)
            return bool(await secret.read())

        await eventually(there)
    await hub.admin.delete(ADDONS, one.name, "brief")
    async with one.running():

        async def gone() -> bool:
            return not await secret.read()

        await eventually(gone)


async def test_tokens_of_an_addon(hub: Hub, agent: Make, eventually: Eventually, spoke: Cluster) -> None:
    """With the token driver an add-on gets a token of the account that the hub made for it."""
    one = agent(settings={"addon_driver": "token", "addon_token_lifetime": 3600})
    async with one.running():
        await joined(hub, one, eventually)
        await installed(hub, spoke, one.name, "talker", {"type": "kubeClient", "kubeClient": {}})

        async def declared() -> bool:
            shown = (await hub.admin.get(ADDONS, one.name, "talker"))["status"]["registrations"]
            return bool(shown[0]["kubeClient"].get("driver") == "token")

        await eventually(declared)
        data = await eventually(SecretData(spoke, HOME, "talker-hub-kubeconfig").read)
        token = read_token(data["token"].decode())
        assert token is not None
        account = await hub.admin.get(ACCOUNTS, one.name, "talker-agent")
        assert token.uid == account["metadata"]["uid"]
        assert b"tokenFile: token" in data["kubeconfig"]
        said = ("True", "AddonTokenRefreshed")

        async def refreshed() -> bool:
            return await condition(hub, one.name, "talker", "TokenRefreshed") == said

        await eventually(refreshed)


async def test_an_addon_lives_by_its_lease(
    hub: Hub, agent: Make, eventually: Eventually, spoke: Cluster
) -> None:
    """No lease: Unknown; a fresh one: available; an old one: not available; told as it happens."""
    one = agent()
    lease: Object = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "beating", "namespace": HOME},
        "spec": {"renewTime": micro_timestamp(datetime.now(UTC))},
    }
    async with one.running():
        await joined(hub, one, eventually)
        await installed(hub, spoke, one.name, "beating")

        async def is_(status: str) -> bool:
            return (await condition(hub, one.name, "beating", "Available"))[0] == status

        await eventually(lambda: is_("Unknown"))
        await spoke.create(LEASES, lease)
        await eventually(lambda: is_("True"))
        old = {"spec": {"renewTime": "2026-01-01T00:00:00.000000Z"}}
        await spoke.patch(LEASES, HOME, "beating", old, type=PatchType.MERGE)
        await eventually(lambda: is_("False"))

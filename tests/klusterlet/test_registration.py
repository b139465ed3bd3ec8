"""From a bootstrap kubeconfig to an agent with an identity of its own, and what ends such an identity."""

from __future__ import annotations

import stat
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gitops_ocm.apiserver.serve import serve
from gitops_ocm.decide.agent.certificates import OUTSTANDING_LIMIT, for_cluster, request_object
from gitops_ocm.klusterlet.keys import new_request
from gitops_ocm.klusterlet.process import Klusterlet
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.served import CSRS, SECRETS
from gitops_ocm.testing.joining import CLUSTERS, answer
from tests.klusterlet.clock import Jumping
from tests.klusterlet.conftest import Agent, Hub, hub_at

pytestmark = pytest.mark.slow

Eventually = Callable[..., Awaitable[Any]]
Make = Callable[..., Agent]
ENTRIES = {"kubeconfig", "tls.crt", "tls.key", "cluster-name", "agent-name"}


async def joined(hub: Hub, one: Agent, eventually: Eventually) -> None:
    """What an administrator does until a cluster is there, as its agent says."""
    await eventually(lambda: hub.known(one.name))
    await eventually(lambda: hub.approved(one.name))
    await hub.accept(one.name)
    await eventually(lambda: hub.available(one.name))


async def test_bootstrap_to_available(
    each_hub: Hub, agent: Make, eventually: Eventually, tmp_path: Path
) -> None:
    """Cluster, one request, approval, acceptance: joined by its own identity, and no key is told anybody."""
    hub, one = each_hub, agent(bootstraps=(each_hub.bootstrap,))
    with capture_logs() as logs:
        async with one.running():
            await joined(hub, one, eventually)
    (request,) = await hub.requests(one.name)
    assert request["metadata"]["name"].startswith(f"{one.name}-")
    kept = await one.kept.read()
    assert set(kept) == ENTRIES
    assert "client-key: tls.key" in kept["kubeconfig"].decode()
    told = repr(logs) + repr(request) + repr(await hub.cluster(one.name))
    assert "PRIVATE KEY" not in told
    files = [f for f in (tmp_path / "agents").rglob("*") if f.is_file()]
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}
    # Whoever reads the files, another process say, is the agent.
    assert load_kubeconfig(tmp_path / "agents" / one.name / "kubeconfig").certificate.read()


async def test_started_again_it_is_who_it_was(hub: Hub, agent: Make, eventually: Eventually) -> None:
    """A second start asks for nothing: what is kept counts."""
    one = agent()
    async with one.running():
        await joined(hub, one, eventually)
    kept = await one.kept.read()
    patch = {"status": {"version": {"kubernetes": "forgotten"}}}
    await hub.admin.patch(CLUSTERS, "", one.name, patch, type=PatchType.MERGE, subresource="status")
    async with one.running():

        async def told() -> bool:
            version = (await hub.cluster(one.name))["status"]["version"]["kubernetes"]
            return bool(version != "forgotten")

        await eventually(told)
    assert await one.kept.read() == kept
    assert len(await hub.requests(one.name)) == 1


async def test_a_certificate_is_renewed_in_time(hub: Hub, agent: Make, eventually: Eventually) -> None:
    """With a fifth to a quarter of its life left the next one is asked for, by itself, and taken up."""
    clock = Jumping()
    one = agent(clock=clock, lifetime=600)
    async with one.running():
        await eventually(lambda: hub.known(one.name))
        spec = {"spec": {"leaseDurationSeconds": 900}}
        await hub.admin.patch(CLUSTERS, "", one.name, spec, type=PatchType.MERGE)
        await joined(hub, one, eventually)
        first, key = await one.certificate(), (await one.kept.read())["tls.key"]
        clock.jump(490)

        async def rotated() -> bool:
            conditions = (await hub.cluster(one.name))["status"]["conditions"]
            found = find(conditions, "ClusterCertificateRotated") or {}
            return found.get("reason") == "ClientCertificateUpdated"

        await eventually(rotated)
        second = await one.certificate()
        assert (await one.kept.read())["tls.key"] != key
        assert second.subject == first.subject
    requests = await hub.requests(one.name)
    assert sorted(r["spec"]["username"].rpartition(":")[0] for r in requests) == [
        f"system:open-cluster-management:{one.name}",
        "system:serviceaccount:open-cluster-management",
    ]


async def test_a_certificate_that_is_over_is_replaced_from_the_start(
    hub: Hub, agent: Make, eventually: Eventually
) -> None:
    """An agent that was away for longer than its certificate lives registers anew."""
    one = agent(lifetime=600)
    async with one.running():
        await joined(hub, one, eventually)
        first = await one.certificate()
    clock = Jumping()
    clock.jump(700)
    again = agent(one.name, clock=clock, lifetime=3600)
    async with again.running():
        await eventually(lambda: hub.approved(one.name))

        async def renewed() -> bool:
            return (await again.certificate()).not_after > first.not_after

        await eventually(renewed)
    assert {r["spec"]["username"] for r in await hub.requests(one.name)} == {
        "system:serviceaccount:open-cluster-management:agent-registration-bootstrap"
    }


async def test_a_denied_request_is_waited_for(hub: Hub, agent: Make, eventually: Eventually) -> None:
    """No second request follows a denial; when the first is deleted another is made, with another key."""
    one = agent()
    with capture_logs() as logs:
        async with one.running():
            await eventually(lambda: hub.requests(one.name))
            (first,) = await hub.requests(one.name)
            await answer(hub.admin, first["metadata"]["name"], "Denied")
            await eventually(lambda: any("was denied" in line["event"] for line in logs))
        async with one.running():
            await eventually(lambda: sum("was denied" in line["event"] for line in logs) == 2)
            assert len(await hub.requests(one.name)) == 1
            await hub.admin.delete(CSRS, "", first["metadata"]["name"])
            await eventually(lambda: hub.requests(one.name))
            (second,) = await hub.requests(one.name)
            assert second["spec"]["request"] != first["spec"]["request"]
            await joined(hub, one, eventually)


async def test_no_flood_of_requests(
    hub: Hub, agent: Make, eventually: Eventually, unique: Callable[[str], str]
) -> None:
    """With ten requests of a cluster on the hub no more are made; with one less it goes on."""
    name = unique("flood")
    wanted = for_cluster(name, "other")
    made = [
        await hub.admin.create(CSRS, request_object(wanted, new_request(wanted).request))
        for _ in range(OUTSTANDING_LIMIT)
    ]
    one = agent(name)
    with capture_logs() as logs:
        async with one.running():
            await eventually(lambda: any("no more are made" in str(line.get("error")) for line in logs))
            assert len(await hub.requests(name)) == OUTSTANDING_LIMIT
            await hub.admin.delete(CSRS, "", made[0]["metadata"]["name"])

            async def another() -> bool:
                return len(await hub.requests(name)) == OUTSTANDING_LIMIT

            await eventually(another)
            await joined(hub, one, eventually)


async def test_a_lost_identity_is_made_anew(hub: Hub, agent: Make, eventually: Eventually) -> None:
    """Whoever takes the hub kubeconfig away makes the agent register again, under the same names."""
    one = agent()
    async with one.running():
        await joined(hub, one, eventually)
        before = await one.kept.read()
        await one.kept.write(dict.fromkeys(before))
        await eventually(lambda: hub.approved(one.name))

        async def back() -> bool:
            return set(await one.kept.read()) == ENTRIES

        await eventually(back)
        after = await one.kept.read()
    assert after["agent-name"] == before["agent-name"]
    assert after["tls.key"] != before["tls.key"]


async def test_names_are_made_up_once(hub: Hub, agent: Make, eventually: Eventually) -> None:
    """Without a name the cluster gets one, which a restart before the first answer keeps."""
    one = agent(cluster_name="")
    made: set[str] = set()
    for _ in range(2):
        async with one.running():

            async def named() -> bool:
                made.update(
                    n.decode() for k, n in (await one.klusterlet.notes.read()).items() if k == "cluster-name"
                )
                return bool(made) and await hub.known(min(made)) and bool(await hub.requests(min(made)))

            await eventually(named)
    assert len(made) == 1
    assert len(await hub.requests(made.pop())) == 1


async def test_a_hub_that_comes_back_as_another(
    agent: Make, eventually: Eventually, tmp_path: Path, hub: Hub
) -> None:
    """A hub is lost and set up anew with another authority: a new bootstrap kubeconfig is all it takes."""
    bootstrap = tmp_path / "moving"
    one = agent(bootstraps=(bootstrap,))
    async with serve(tmp_path / "first") as server, hub_at(server.kubeconfig_path, tmp_path) as first:
        bootstrap.write_bytes(first.bootstrap.read_bytes())
        port = int(server.url.rpartition(":")[2])
        running = one.running()
        await running.__aenter__()
        await joined(first, one, eventually)
    try:
        async with (
            serve(tmp_path / "second", port=port) as server,
            hub_at(server.kubeconfig_path, tmp_path) as second,
        ):
            bootstrap.write_bytes(second.bootstrap.read_bytes())
            await joined(second, one, eventually)
    finally:
        await running.__aexit__(None, None, None)


async def test_a_hub_with_beta_requests_alone(
    agent: Make, eventually: Eventually, tmp_path: Path, hub: Hub
) -> None:
    """With its gate an agent asks at v1beta1 where the hub serves nothing newer."""
    async with (
        serve(tmp_path / "old", beta_certificates=True) as server,
        hub_at(server.kubeconfig_path, tmp_path) as old,
    ):
        one = agent(bootstraps=(old.bootstrap,), beta=True)
        beta = replace(CSRS, version="v1beta1")
        async with one.running():
            await eventually(lambda: old.known(one.name))

            async def approved() -> bool:
                for request in (await old.admin.list(beta)).items:
                    said = {"type": "Approved", "status": "True", "reason": "Test", "message": "by a test"}
                    request.setdefault("status", {})["conditions"] = [said]
                    await old.admin.update(beta, request, subresource="approval")
                return set(await one.kept.read()) == ENTRIES

            await eventually(approved)


@pytest.mark.slow
@pytest.mark.parametrize("why", ["denied", "away"])
async def test_another_hub_takes_over(
    why: str, agent: Make, eventually: Eventually, tmp_path: Path, hub: Hub
) -> None:
    """With several hubs, one that does not accept the cluster, or is away, is left for the next."""
    async with serve(tmp_path / "one") as server, hub_at(server.kubeconfig_path, tmp_path) as first:
        folder = tmp_path / "of-first"
        folder.write_bytes(first.bootstrap.read_bytes())
        one = agent(bootstraps=(folder, hub.bootstrap), several=True, connection_timeout=4.0)
        running = one.running()
        await running.__aenter__()
        try:
            await joined(first, one, eventually)
            if why == "denied":
                await first.accept(one.name, verdict=False)
                await joined(hub, one, eventually)
        except BaseException:
            await running.__aexit__(None, None, None)
            raise
    try:
        if why == "away":
            await joined(hub, one, eventually)
    finally:
        await running.__aexit__(None, None, None)


async def test_kept_in_a_secret(hub: Hub, agent: Make, eventually: Eventually, spoke: Cluster) -> None:
    """On a cluster the hub kubeconfig is a Secret, as OCM's agents have it; nothing is left pending."""
    from gitops_ocm.klusterlet.kept import SecretData

    one = agent()
    place = "open-cluster-management-agent"
    kept, notes = (SecretData(spoke, place, f"hub-kubeconfig-secret{end}") for end in ("", "-pending"))
    given = one.klusterlet
    one.klusterlet = Klusterlet(spoke, spoke, kept, notes, given.settings)
    async with one.running():
        await joined(hub, one, eventually)
    secret = await spoke.get(SECRETS, place, "hub-kubeconfig-secret")
    assert set(secret["data"]) == ENTRIES
    assert not [name for name in await notes.read() if name.startswith("pending")]

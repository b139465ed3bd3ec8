"""`explain rollout addon/NAME` on a hub: what it says is what the controller does next."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitops_ocm.decide.rollout.explanation import Standing
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.clusters import memory
from gitops_ocm.testing.commands import environment, run_each
from gitops_ocm.testing.hub import controllers_on
from gitops_ocm.testing.objects import addon, binding, managed_cluster, namespace, placement
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs.explain import NotExplained
from gitops_ocm.verbs.explain_addon import AddonQuestion, explain_addon_on
from gitops_ocm.verbs.listing_work import CLUSTER_ADDONS
from tests.decide.addons.playing import deployment_config, management, template
from tests.verbs.doctoring import made

pytestmark = pytest.mark.slow

LOST = {"key": "cluster.open-cluster-management.io/unreachable", "operator": "Exists"}
TWO = {"type": "Progressive", "progressive": {"maxConcurrency": 2}}


async def hub_with(cluster: Cluster, *more: Object) -> None:
    """A hub with three clusters whose agents never answer."""
    names = ("c1", "c2", "c3")
    clusters = [managed_cluster(name) for name in names]
    await made(cluster, namespace("fleet"), binding("default", "fleet"), *clusters)
    await made(cluster, placement("p", "fleet", tolerations=[LOST]), *more)


async def test_an_explanation_is_the_rollout() -> None:
    """Who is configured is under way, who is not is held; the waves to come say who is next."""
    async with memory() as hub:
        await hub_with(hub, template("t1"), deployment_config("one"), management(("p", None, TWO)))
        async with controllers_on(hub):

            async def configured() -> list[str]:
                addons = (await hub.list(CLUSTER_ADDONS)).items
                return [a["metadata"]["namespace"] for a in addons if is_true(a, "Configured")]

            async def two() -> bool:
                return await configured() == ["c1", "c2"]

            await eventually(two)
        (found,) = await explain_addon_on(hub, AddonQuestion("hello"), datetime.now(UTC))
        assert found.placement == "fleet/p"
        standings = {row.cluster: row.standing for row in found.rows}
        assert standings == {"c1": Standing.UNDER_WAY, "c2": Standing.UNDER_WAY, "c3": Standing.HELD}
        assert [wave.clusters for wave in found.plan.waves] == [("c3",)]


ELSEWHERE = {"addon.open-cluster-management.io/lifecycle": "self"}
NOT: dict[str, tuple[list[Object], str]] = {
    "no such add-on": ([], "there is no ClusterManagementAddOn hello"),
    "by hand": ([addon("hello")], "configurations reach all clusters at once"),
    "somebody else's": (
        [addon("hello", [("fleet", "p")], annotations=ELSEWHERE)],
        "is not the add-on manager's",
    ),
    "a placement that is not there": (
        [addon("hello", [("fleet", "gone")])],
        "waits under placement fleet/gone: Placement fleet/gone does not exist",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT)
async def test_what_has_no_rollout(case: str) -> None:
    """It is said why."""
    objects, why = NOT[case]
    async with memory() as hub:
        await hub_with(hub, *objects)
        with pytest.raises(NotExplained, match=why):
            await explain_addon_on(hub, AddonQuestion("hello"), datetime.now(UTC))


def test_the_command_line_knows_add_ons(tmp_path: Path) -> None:
    """`addon/NAME` is asked of the hub: one that nobody reaches is what fails, not the name."""
    nowhere = tmp_path / "nowhere"
    command = ("explain", "rollout", "--kubeconfig", str(nowhere))
    odd, known = run_each([(*command, "pod/x"), (*command, "addon/x")], env=environment(tmp_path))
    assert "write mwrs/NAME for a ManifestWorkReplicaSet, or addon/NAME" in odd.stderr
    assert "nowhere" in known.stderr

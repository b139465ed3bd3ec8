"""`diff` on each hub: what people and controllers did there by hand, as a server-side dry run tells it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.objects.ref import Resource
from gitops_ocm.objects.served import CONFIG_MAPS
from gitops_ocm.report.plan_text import field_lines, plain
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.sync.compare import Comparison, compare
from gitops_ocm.sync.loop import SyncLoop, SyncSettings
from gitops_ocm.testing.gitops import Repo, config_map
from gitops_ocm.testing.waiting import eventually

pytestmark = pytest.mark.slow

DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments", namespaced=True)
SECRETS = Resource("", "v1", "Secret", "secrets", namespaced=True)
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {plural}.example.com}}
spec:
  group: example.com
  scope: Namespaced
  names: {{kind: {kind}, plural: {plural}, singular: {singular}}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"""


def _files(shop: str) -> dict[str, str]:
    """A namespace with objects that a server fills in."""
    at = f"namespace: {shop}"
    return {
        "hub/ns.yaml": f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {shop}\n",
        "hub/a.yaml": config_map("a", namespace=shop),
        "hub/b.yaml": config_map("b", namespace=shop),
        "hub/web.yaml": (
            f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, {at}}}\n"
            "spec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
            "    spec:\n      containers:\n      - name: web\n        image: busybox\n"
            "        ports: [{containerPort: 80}]\n        resources: {requests: {cpu: 1000m}}\n"
        ),
        "hub/secret.yaml": (
            f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s, {at}}}\nstringData: {{password: hunter1}}\n"
        ),
        "hub/service.yaml": (
            f"apiVersion: v1\nkind: Service\nmetadata: {{name: web, {at}}}\n"
            "spec:\n  selector: {app: web}\n  ports: [{port: 80}]\n"
        ),
    }


class Trial:
    """A hub, a repository, and both held against each other."""

    def __init__(self, cluster: Cluster, name: str, folder: Path) -> None:
        self.cluster, self.name = cluster, name
        self.repo = Repo(folder / "repo.git")
        self.settings = SyncSettings(folder / "cache", patience=5.0)
        self.sync = {
            "apiVersion": "sync.gitops-ocm.io/v1alpha1",
            "kind": "HubSync",
            "metadata": {"name": name},
            "spec": {"repository": {"url": str(self.repo.path)}, "interval": "1h"},
        }

    async def synced(self) -> None:
        """Everything is in force."""
        loop = SyncLoop(
            self.cluster, self.name, settings=self.settings, catalog=load_catalog(), create=self.sync
        )
        result = await loop.once()
        assert result.ok, result.problems

    async def compared(self) -> Comparison:
        """What a sync would change now."""
        return await compare(
            self.cluster, self.name, settings=self.settings, catalog=load_catalog(), create=self.sync
        )

    async def told(self) -> dict[str, tuple[str, str]]:
        """By kind and name: why, and which fields."""
        result = (await self.compared()).result
        assert result.problems == ()
        return {
            f"{one.change.ref.kind} {one.change.ref.name}": (
                one.change.reason.value,
                plain(field_lines(one.fields, indent="")),
            )
            for one in result.objects
        }


@pytest.fixture
async def trial(cluster: Cluster, unique: Callable[[str], str], tmp_path: Path) -> Trial:
    """Nothing is committed yet."""
    return Trial(cluster, unique("trial"), tmp_path)


async def test_by_hand(trial: Trial, unique: Callable[[str], str]) -> None:
    """Defaults, a scale and labels of others are no difference; what Git says and the hub has not, is."""
    shop, hub = unique("shop"), trial.cluster
    trial.repo.commit(_files(shop))
    await trial.synced()
    assert await eventually(_none(trial)) is True

    merge = PatchType.MERGE
    await hub.patch(DEPLOYMENTS, shop, "web", {"spec": {"replicas": 3}}, type=merge, field_manager="hpa")
    theirs = {"metadata": {"labels": {"x": "y"}}, "data": {"more": "z"}}
    await hub.patch(CONFIG_MAPS, shop, "a", theirs, type=merge, field_manager="kubectl")
    assert await eventually(_none(trial)) is True

    await hub.patch(CONFIG_MAPS, shop, "a", {"data": {"v": "x"}}, type=merge, field_manager="kubectl")
    await hub.patch(SECRETS, shop, "s", {"data": {"password": "aHVudGVyMg=="}}, type=merge)
    image = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "nginx"}]
    await hub.patch(DEPLOYMENTS, shop, "web", image, type=PatchType.JSON, field_manager="kubectl")
    await hub.delete(CONFIG_MAPS, shop, "b")
    told = await trial.told()
    changed = "changed on the hub"
    assert told["ConfigMap a"] == (changed, '- data.v: "x"\n+ data.v: "1"\n')
    field = "spec.template.spec.containers[web].image"
    assert told["Deployment web"] == (changed, f'- {field}: "nginx"\n+ {field}: "busybox"\n')
    assert told["Secret s"] == (changed, '- data.password: "*** (before)"\n+ data.password: "*** (after)"\n')
    assert told["ConfigMap b"][0] == "deleted on the hub"
    assert set(told) == {"ConfigMap a", "ConfigMap b", "Deployment web", "Secret s"}
    await trial.synced()
    assert await eventually(_none(trial)) is True


def _none(trial: Trial) -> Callable[[], object]:
    async def none() -> bool:
        """A real hub's controllers still touch the Deployment for a while."""
        told = await trial.told()
        assert told == {}
        return True

    return none


async def test_a_kind_that_comes_with_the_commit(trial: Trial, unique: Callable[[str], str]) -> None:
    """An object of a kind whose definition the same commit brings is new; nothing is written by looking."""
    shop = unique("shop")
    kind = unique("Thing").replace("-", "")
    names = {"kind": kind, "plural": f"{kind.lower()}s", "singular": kind.lower()}
    meta = f"metadata: {{name: t, namespace: {shop}}}"
    thing = f"apiVersion: example.com/v1\nkind: {kind}\n{meta}\nspec: {{size: 1}}\n"
    trial.repo.commit(
        {"hub/ns.yaml": _files(shop)["hub/ns.yaml"], "hub/crd.yaml": CRD.format(**names), "hub/t.yaml": thing}
    )
    told = await trial.told()
    assert told[f"{kind} t"] == ("new in Git", '+ spec: {"size": 1}\n')
    assert set(told) == {
        f"{kind} t",
        f"Namespace {shop}",
        f"CustomResourceDefinition {names['plural']}.example.com",
    }
    assert await trial.told() == told

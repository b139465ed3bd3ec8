"""A mass deletion, refused, meant, let through: on the in-process store, the embedded server, a real hub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.served import CONFIG_MAPS
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.sync.loop import SyncLoop, SyncSettings
from gitops_ocm.testing.gitops import SYNCS, Repo, config_map

POLICY = "policy:\n  rules:\n    - name: few\n      maxDeletions: 1\n"


async def test_a_mass_deletion(cluster: Cluster, unique: Callable[[str], str], tmp_path: Path) -> None:
    """The hub keeps the record with its schema, everything stays until a commit says that it is meant."""
    name, shop = unique("fleet"), unique("shop")
    repo = Repo(tmp_path / "repo.git")
    repo.commit(
        {
            "gitops-ocm.yaml": POLICY,
            "hub/ns.yaml": f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {shop}\n",
            **{f"hub/{n}.yaml": config_map(n, namespace=shop) for n in "abcdef"},
        }
    )
    sync = {"metadata": {"name": name}, "spec": {"repository": {"url": str(repo.path)}, "interval": "1h"}}

    def loop() -> SyncLoop:
        settings = SyncSettings(tmp_path / "cache", patience=5.0)
        return SyncLoop(cluster, name, settings=settings, catalog=load_catalog(), create=sync)

    async def there() -> list[str]:
        selected = f"sync.gitops-ocm.io/name={name}"
        found = await cluster.list(CONFIG_MAPS, shop, label_selector=selected)
        return sorted(obj["metadata"]["name"] for obj in found.items)

    assert (await loop().once()).ok
    bad = repo.commit({"hub/a.yaml": None, "hub/b.yaml": None})
    assert (await loop().once()).verdict.reason == "RefusedByPolicy"
    assert await there() == list("abcdef")
    policy = (await cluster.get(SYNCS, "", name))["status"]["policy"]
    assert (policy["commit"], policy["allowed"], policy["rulings"][0]["rule"]) == (bad, False, "few")
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    words = "Mean it\n\nGitops-Override: few: a and b moved elsewhere"
    meant = repo.git(*identity, "commit-tree", "main^{tree}", "-p", "main", "-m", words)
    repo.git("update-ref", "refs/heads/main", meant)
    assert (await loop().once()).ok
    assert await there() == list("cdef")
    policy = (await cluster.get(SYNCS, "", name))["status"]["policy"]
    assert policy["rulings"][0]["override"] == "a and b moved elsewhere"
    assert policy["rulings"][0]["by"] == meant

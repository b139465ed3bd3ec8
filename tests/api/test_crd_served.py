"""The CRDs on API servers: each is established, takes what it should and refuses what it should.

The real kube-apiserver is the judge of the schemas; the embedded one must agree with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from gitops_ocm.api.crd import ConversionWebhook, crds
from gitops_ocm.api.resource import Resource
from gitops_ocm.api.scheme import SCHEME
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.served import CRDS

Object = dict[str, Any]

HERE = Path(__file__).parent
CONVERTED = {(f"{d.group}/{v.name}", d.kind) for d in SCHEME for v in d.versions if v.converted}
SAMPLES = [
    s
    for s in YAML(typ="safe").load_all(HERE / "samples.yaml")
    if (s["apiVersion"], s["kind"]) not in CONVERTED
]
REFUSED = YAML(typ="safe").load(HERE / "refused.yaml")


def name_of(obj: Object) -> str:
    return f"{obj['kind']} {obj['apiVersion'].rpartition('/')[2]}"


def served(obj: Object) -> Resource:
    resource = SCHEME.resource(obj["apiVersion"], obj["kind"])
    assert resource is not None
    return resource


def fresh(obj: Object, unique: Callable[[str], str]) -> Object:
    """The sample under a name of its own, free to be deleted."""
    obj = deepcopy(obj)
    obj["metadata"]["name"] = unique(obj["metadata"]["name"])
    obj["metadata"].pop("finalizers", None)
    if obj["kind"] == "ManagedClusterSetBinding":
        obj["spec"]["clusterSet"] = obj["metadata"]["name"]  # as a hub's admission wants it
    return obj


def changes(case: Object) -> list[tuple[str, Any]]:
    """The case as JSON patch operations on its sample."""
    found: list[tuple[str, Any]] = [("replace", item) for item in case.get("set", {}).items()]
    return found + ([("remove", (case["drop"], None))] if "drop" in case else [])


def pointer(path: str) -> str:
    return "/" + "/".join(part for part in re.split(r"[.\[\]]+", path) if part)


@pytest.mark.parametrize("crd", crds(), ids=lambda c: c["metadata"]["name"])
async def test_every_kind_is_established(cluster: Cluster, crd: Object) -> None:
    """The server serves the kind and has nothing to say against its schema."""
    live = await cluster.get(CRDS, "", crd["metadata"]["name"])
    conditions = {c["type"]: c["status"] for c in live["status"]["conditions"]}
    assert conditions["Established"] == conditions["NamesAccepted"] == "True"
    assert conditions.get("NonStructuralSchema", "False") == "False"
    assert live["status"]["acceptedNames"]["plural"] == crd["spec"]["names"]["plural"]


@pytest.mark.controlplane
async def test_the_versions_of_a_hub_with_a_conversion_webhook_are_accepted(
    kubernetes_cluster: Cluster,
) -> None:
    """With a webhook named, both versions of every add-on kind are served."""
    for crd in crds(conversion_webhook=ConversionWebhook()):
        await kubernetes_cluster.patch(
            CRDS,
            "",
            crd["metadata"]["name"],
            crd,
            type=PatchType.APPLY,
            field_manager="test-crds",
            force=True,
            dry_run=True,
        )


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
async def test_a_full_object_is_kept_whole(
    cluster: Cluster, sample: Object, unique: Callable[[str], str]
) -> None:
    """Nothing of a full object is refused, pruned or changed, in spec or in status."""
    obj, resource = fresh(sample, unique), served(sample)
    place = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
    try:
        made = await cluster.create(resource, obj)
        if "status" in obj and "status" in resource.subresources:
            made = await cluster.update(resource, made | {"status": obj["status"]}, subresource="status")
        for part in ("spec", "status"):
            assert missing(obj.get(part), made.get(part)) == []
    finally:
        with suppress(ApiError):
            await cluster.delete(resource, *place)


def missing(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Where `found` is not what was wanted; defaults may have been added.

    When a taint was added is said by a hub's admission, where it has one.
    """
    if path.endswith(".timeAdded") and found:
        return []
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [m for k, v in wanted.items() for m in missing(v, found.get(k), f"{path}.{k}")]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [m for i, v in enumerate(wanted) for m in missing(v, found[i], f"{path}[{i}]")]
    return [] if wanted == found else [f"{path}: {wanted!r} became {found!r}"]


@pytest.mark.parametrize("case", REFUSED, ids=lambda c: f"{c['sample']}-{c['field']}")
async def test_a_wrong_field_is_refused_by_name(
    cluster: Cluster, case: Object, unique: Callable[[str], str]
) -> None:
    """The server answers 422 and names the field at fault."""
    sample = next(s for s in SAMPLES if case["sample"] in (s["kind"], name_of(s)))
    obj, resource = fresh(sample, unique), served(sample)
    place = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
    subresource = "status" if case["field"].startswith("status") else ""
    patch = [{"op": op, "path": pointer(path), "value": value} for op, (path, value) in changes(case)]
    try:
        made = await cluster.create(resource, obj)
        if subresource:
            await cluster.update(resource, made | {"status": obj["status"]}, subresource=subresource)
        with pytest.raises(ApiError) as caught:
            await cluster.patch(
                resource, *place, patch, type=PatchType.JSON, subresource=subresource, dry_run=True
            )
    finally:
        with suppress(ApiError):
            await cluster.delete(resource, *place)
    assert caught.value.http_code == 422
    assert case["field"] in {c.field for c in caught.value.causes}, caught.value.message


async def test_a_hub_sync_needs_only_a_url(cluster: Cluster, unique: Callable[[str], str]) -> None:
    """Everything else has a default, which the server fills in."""
    obj = {
        "apiVersion": "sync.gitops-ocm.io/v1alpha1",
        "kind": "HubSync",
        "metadata": {"name": unique("fleet")},
        "spec": {"repository": {"url": "https://git.example.com/fleet.git"}},
    }
    made = await cluster.create(served(obj), obj, dry_run=True)
    assert made["spec"] == {
        "repository": {"url": "https://git.example.com/fleet.git", "path": "."},
        "interval": "1m",
        "timeout": "5m",
        "suspend": False,
        "prune": {"mode": "Enabled", "maxPercent": 50},
        "drift": {"mode": "Correct"},
        "conflicts": "Fail",
        "status": {"enabled": True, "branch": "status"},
    }

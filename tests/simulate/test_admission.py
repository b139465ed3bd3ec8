"""A simulated hub admits as the embedded one does: the same objects stored, the same refusals."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.decide.admission import Webhooks
from gitops_ocm.decide.contract import Create
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CATALOG = load_catalog()
TAINTED = make.managed_cluster("c2", cluster_set="")
TAINTED["spec"]["taints"] = [{"key": "a", "effect": "NoSelect"}]
SERVICE: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"ports": [{"port": 80}]},
}


@pytest.mark.parametrize(
    "obj",
    [
        TAINTED,
        SERVICE,
        {**SERVICE, "spec": {**SERVICE["spec"], "clusterIP": "1.2.3.4"}},
        make.managed_cluster("C.1"),
        make.managed_cluster("c.1"),
        make.binding("eu", "default"),
        {**make.binding("eu", "default"), "spec": {"clusterSet": "us"}},
        make.manifest_work("w", "default", []),
        make.manifest_work("w", "default", [make.config_map("a")]),
        make.manifest_work("w", "default", [make.config_map("a"), make.config_map("a")]),
        make.config_map("A"),
        {**make.config_map("a"), "data": {"a": 5}},
        {**make.config_map("a"), "data": {"a b": "c"}},
    ],
)
def test_both_answer_alike(obj: Object) -> None:
    """The object as it is stored but for uids and versions, or the refusal with its words."""
    world = World(CATALOG, namespaces=["default"])
    simulated = world.write(Create(obj), manager="test", now=NOW)
    live = _created(obj)
    if isinstance(live, ApiError):
        assert simulated.error is not None
        assert (simulated.error.http_code, simulated.error.message) == (live.http_code, live.message)
    else:
        assert simulated.obj is not None
        assert _bare(simulated.obj) == _bare(live)


def _created(obj: Object) -> Object | ApiError:
    served = CATALOG.served(obj["apiVersion"], obj["kind"])
    assert served is not None
    api = Api(CATALOG, now=lambda: NOW, admission=Webhooks())
    try:
        return api.create(served, obj["metadata"].get("namespace", ""), obj).obj
    except ApiError as error:
        return error


def _bare(obj: Object) -> Object:
    own = ("uid", "resourceVersion", "managedFields")
    return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k not in own}}

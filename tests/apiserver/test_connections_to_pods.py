"""What is answered to who wants to look into a pod that is simulated."""

from __future__ import annotations

import pytest

from gitops_ocm.apiserver.connections_to_pods import Connections
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog

POD: Object = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"nodeName": "simulated-node", "containers": [{"name": "web", "image": "web"}]},
}


@pytest.mark.parametrize("subresource", ["log", "exec", "attach", "portforward"])
def test_a_simulated_pod_says_that_it_is_one(subresource: str) -> None:
    """Not that a node is missing: the pod looks as if it ran, and a person wonders."""
    api = Api(load_catalog(ocm=False))
    try:
        served = api.catalog.served("v1", "Pod")
        assert served is not None
        api.create(served, "default", POD)
        with pytest.raises(ApiError, match='pod "web" is simulated: nothing runs in it') as caught:
            Connections(api.store).refuse("pods", "default", "web", subresource, {})
    finally:
        api.close()
    assert caught.value.http_code == 503

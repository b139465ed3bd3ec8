"""What a server holds before anybody asks: default roles, how to verify its users, how to reach it.

Done at every start, through the front door of `Api`, so that all of it are objects like any other.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitops_ocm.apiserver.access_bootstrap import authentication_objects, bootstrap_objects, restored
from gitops_ocm.apiserver.cluster_info import published
from gitops_ocm.apiserver.own_service import own_service
from gitops_ocm.apiserver.registry import key_for
from gitops_ocm.apiserver.verbs import Api, WriteOptions
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.rules.cluster import SYSTEM_PRIORITIES

MANAGER = "gitops-ocm-apiserver"
_AS_SERVER = WriteOptions(field_manager=MANAGER, force=True, field_validation="Ignore")


class NotServed(GitopsError):
    """An object to begin with is of a kind that this server does not have."""

    code = "kind-not-served"


def furnish(api: Api, ca: str, more: Iterable[Object] = ()) -> None:
    """Default roles where they are missing or lack something; what else is there from the start as it
    now is, `more` (CRDs) among it.
    """
    with api.store.batch():
        for wanted in (*bootstrap_objects(), *priority_classes()):
            _ensure(api, wanted)
    for obj in (*authentication_objects(ca), *more):
        meta = obj["metadata"]
        where = meta.get("namespace", "")
        api.patch(_served(api, obj), where, meta["name"], PatchType.APPLY, obj, _AS_SERVER)


def priority_classes() -> Iterable[Object]:
    """The classes of pods that a cluster cannot do without."""
    for name, value in SYSTEM_PRIORITIES.items():
        yield {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": value,
        }


def publish(api: Api, ca: str, url: str) -> None:
    """Tell those without credentials, and those inside, where this server is and whose certificate it has."""
    for obj in (published(ca, url), *own_service(url)):
        meta = obj["metadata"]
        api.patch(_served(api, obj), meta["namespace"], meta["name"], PatchType.APPLY, obj, _AS_SERVER)


def _ensure(api: Api, wanted: Object) -> None:
    served, meta = _served(api, wanted), wanted["metadata"]
    namespace = meta.get("namespace", "")
    found = api.store.get(key_for(served, namespace, meta["name"]))
    if found is None:
        api.create(served, namespace, wanted, _AS_SERVER)
    elif (whole := restored(found, wanted)) is not None:
        api.update(served, namespace, meta["name"], whole, _AS_SERVER)


def _served(api: Api, obj: Object) -> Served:
    served = api.catalog.served(obj["apiVersion"], obj["kind"])
    if served is None:
        raise NotServed(f"{obj['kind']} ({obj['apiVersion']}) is not among the kinds served")
    return served

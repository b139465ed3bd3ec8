"""Where a verb's change goes: the hub, or a commit in the fleet's repository.

A verb reads and writes through a `Target` and does not know which it is. `HubTarget` writes to the API, with
`dry_run` only as far as the server's own checks. `commit.RepositoryTarget` edits the files that declare the
objects. What the change *is* stays the verb's; what is read only to be shown needs no target (`listing`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Protocol

from gitops_ocm.api.scheme import SCHEME
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.patch import merge_diff
from gitops_ocm.objects.ref import Object, Resource, kind_of
from gitops_ocm.verbs.voice import VerbError

MANAGER = "gitops-ocm-cli"
"""Field manager of what people change with verbs."""
ATTEMPTS = 5
"""How often a change is made again on what somebody else wrote meanwhile."""

Change = Callable[[Object], None]
"""Alters an object in place."""


class NotAHub(VerbError):
    """The kubeconfig's cluster does not serve what a hub serves."""

    code = "not-a-hub"


class NotManaged(VerbError):
    """The kubeconfig's cluster does not serve what a managed cluster serves."""

    code = "not-a-managed-cluster"


class Target(Protocol):
    """Reads one fleet and takes changes to it."""

    @property
    def writes_now(self) -> bool:
        """Whether a change has happened on the hub when a method returns, so that one may wait for it."""
        ...

    async def check_hub(self) -> None:
        """Raise `NotAHub` where changes would go to something else than a hub."""
        ...

    async def find(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        """The object where changes go: live, or as Git has it. None if there is none."""
        ...

    async def known(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        """The object where changes go, or else as the hub has it: for what a change only refers to."""
        ...

    async def list(self, resource: Resource, namespace: str = "") -> Sequence[Object]:
        """All known objects of a kind, sorted by namespace and name."""
        ...

    async def resource_of(self, obj: Object) -> Resource:
        """How the kind of any object is served."""
        ...

    async def create(self, resource: Resource, obj: Object) -> Object:
        """Bring in a new object; `ApiError` AlreadyExists where there is one."""
        ...

    async def edit(self, resource: Resource, name: str, namespace: str, change: Change) -> Object:
        """Alter an object that is there (`ApiError` NotFound otherwise), again if others were faster."""
        ...

    async def delete(self, resource: Resource, name: str, namespace: str = "") -> bool:
        """Take an object out; whether there was one."""
        ...


class HubTarget:
    """Changes go to the API of a hub, or only through its checks with `dry_run`."""

    def __init__(self, cluster: Cluster, *, dry_run: bool = False) -> None:
        self.cluster = cluster
        self.dry_run = dry_run

    @property
    def writes_now(self) -> bool:
        """Unless it is a dry run."""
        return not self.dry_run

    async def check_hub(self) -> None:
        """The kinds of a hub are served."""
        await require_hub(self.cluster)

    async def find(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        """The live object."""
        return await find(self.cluster, resource, name, namespace)

    async def known(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        """The live object."""
        return await self.find(resource, name, namespace)

    async def list(self, resource: Resource, namespace: str = "") -> Sequence[Object]:
        """The live objects."""
        return await listed(self.cluster, resource, namespace)

    async def resource_of(self, obj: Object) -> Resource:
        """As discovery tells."""
        for resource in await self.cluster.discover():
            if (resource.api_version, resource.kind) == (obj.get("apiVersion"), obj.get("kind")):
                return resource
        raise not_served(obj)

    async def create(self, resource: Resource, obj: Object) -> Object:
        """POST."""
        try:
            return await self.cluster.create(resource, obj, field_manager=MANAGER, dry_run=self.dry_run)
        except ApiError as error:
            namespace = obj["metadata"].get("namespace", "")
            if error.reason == "NotFound" and error.message.startswith("namespaces "):
                error.hint = (
                    f"a cluster's is made when it is let in: gitops-ocm accept --clusters {namespace}"
                )
            raise

    async def edit(self, resource: Resource, name: str, namespace: str, change: Change) -> Object:
        """A merge patch of what differs, held to the version that was looked at."""
        for attempt in range(ATTEMPTS):
            before = await self.cluster.get(resource, namespace, name)
            after = deepcopy(before)
            change(after)
            patch = merge_diff(before, after)
            if not patch:
                return before
            version = before["metadata"].get("resourceVersion", "")
            patch.setdefault("metadata", {})["resourceVersion"] = version
            try:
                return await self.cluster.patch(
                    resource, namespace, name, patch, field_manager=MANAGER, dry_run=self.dry_run
                )
            except ApiError as error:
                if error.reason != "Conflict" or attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    async def delete(self, resource: Resource, name: str, namespace: str = "") -> bool:
        """DELETE."""
        try:
            await self.cluster.delete(resource, namespace, name, dry_run=self.dry_run)
        except ApiError as error:
            if error.reason == "NotFound":
                return False
            raise
        return True


def ocm(api_version: str, kind: str) -> Resource:
    """How one of OCM's kinds is served at a version that this package knows."""
    found = SCHEME.resource(api_version, kind)
    assert found is not None, f"{api_version} {kind} is not in the scheme"
    return found


async def listed(
    cluster: Cluster,
    resource: Resource,
    namespace: str = "",
    *,
    label_selector: str = "",
    field_selector: str = "",
) -> list[Object]:
    """LIST, sorted, each item saying its kind (those of a list need not)."""
    page = await cluster.list(
        resource, namespace, label_selector=label_selector, field_selector=field_selector
    )
    items = [{"apiVersion": resource.api_version, "kind": resource.kind, **item} for item in page.items]
    return sorted(items, key=place_of)


def place_of(obj: Object) -> tuple[str, str]:
    """Namespace and name."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


async def require_hub(cluster: Cluster) -> None:
    """Raise `NotAHub` unless managed clusters are served."""
    if not await _serves(cluster, "v1", "ManagedCluster"):
        raise NotAHub(
            "hub oriented command should not running against non-hub cluster",
            hint="check --kubeconfig and --context; `gitops-ocm init` makes a cluster a hub",
        )


async def require_managed(cluster: Cluster) -> None:
    """Raise `NotManaged` unless cluster claims are served."""
    if not await _serves(cluster, "v1alpha1", "ClusterClaim"):
        raise NotManaged(
            "managed cluster oriented command should not running against non-managed cluster",
            hint="check --kubeconfig and --context; `gitops-ocm join` makes a cluster a managed one",
        )


async def _serves(cluster: Cluster, version: str, kind: str) -> bool:
    wanted = ("cluster.open-cluster-management.io", version, kind)
    return any((r.group, r.version, r.kind) == wanted for r in await cluster.discover())


def not_served(obj: Object) -> VerbError:
    """A kind nobody here knows."""
    return VerbError(
        f"{kind_of(obj)} at {obj.get('apiVersion')} is not served",
        hint="check apiVersion and kind; a custom kind needs its CustomResourceDefinition first",
    )

"""The HubSync object as the sync's own record on the hub: read once, written only when it differs.

One sync owns a HubSync's status. When somebody edits the spec meanwhile the write is made again on the
new version; when what only a sync writes is not what we wrote, another sync is at work on the same
HubSync and this one gives way: `Superseded`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gitops_ocm.api.fleet import DEFAULT_BRANCH
from gitops_ocm.decide.contract import Create, Result, status_patch
from gitops_ocm.errors import GitopsError
from gitops_ocm.git.address import masked
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.live.commit import Committer
from gitops_ocm.live.table import number, version_of
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.plan.inventory import Inventory
from gitops_ocm.sync.spec import SyncSpec
from gitops_ocm.sync.status import patch_of

API_VERSION = "sync.gitops-ocm.io/v1alpha1"
KIND = "HubSync"
HUBSYNC = Resource(
    group="sync.gitops-ocm.io",
    version="v1alpha1",
    kind=KIND,
    plural="hubsyncs",
    namespaced=False,
    subresources=frozenset({"status"}),
)
"""How a hub serves it; our own CRD, so no discovery is needed."""

_TRIES = 4
_OURS_ALONE = ("inventory", "pruneGuard", "lastAttemptedCommit", "lastAppliedCommit", "lastAppliedGeneration")
"""Fields of the status by which another sync's writes are told from a person's."""


class Superseded(GitopsError):
    """Another sync writes to the same HubSync, or it was deleted and made anew."""

    code = "sync-superseded"


class SyncMissing(GitopsError):
    """There is no such HubSync on the hub."""

    code = "no-hubsync"


class OtherRepository(GitopsError):
    """A HubSync follows something else than the person who named it expects."""

    code = "other-repository"


class Record:
    """A HubSync as last seen, and its inventory as this sync has it, whatever others make of that."""

    def __init__(self, cluster: Cluster, committer: Committer, sync: Object) -> None:
        self._cluster = cluster
        self._committer = committer
        self._sync = sync
        self.inventory = Inventory.from_status((sync.get("status") or {}).get("inventory"))

    @classmethod
    async def read(cls, cluster: Cluster, committer: Committer, name: str) -> Record:
        """The record of the HubSync `name`; `SyncMissing` where there is none."""
        return cls(cluster, committer, await _get(cluster, name))

    @classmethod
    async def read_or_create(cls, cluster: Cluster, committer: Committer, sync: Object) -> Record:
        """As `read`; a HubSync that is not there yet is created."""
        try:
            return await cls.read(cluster, committer, sync["metadata"]["name"])
        except SyncMissing:
            result = await committer.write(Create({"apiVersion": API_VERSION, "kind": KIND, **sync}))
            return cls(cluster, committer, _answer(result))

    @property
    def sync(self) -> Object:
        """The HubSync; read-only."""
        return self._sync

    @property
    def status(self) -> Mapping[str, Any]:
        """Its status as last seen or written."""
        return self._sync.get("status") or {}

    def seen(self, sync: Object) -> None:
        """What a watch shows: if it is newer, its spec counts, and its resourceVersion to write on.

        The inventory stays the one we hold, unless the object is another one.
        """
        seen, known = (number(version_of(obj)) for obj in (sync, self._sync))
        if seen is not None and known is not None and seen <= known:
            return
        if sync["metadata"].get("uid") != self._sync["metadata"].get("uid"):
            self.inventory = Inventory.from_status((sync.get("status") or {}).get("inventory"))
        self._sync = sync

    async def write(self, status: Object, inventory: Inventory | None = None) -> bool:
        """Record `status`, with `inventory` in it. Says whether a request was needed."""
        for attempt in range(_TRIES):
            patch = patch_of(self.status, status)
            if patch:
                result = await self._committer.write(status_patch(self._sync, patch))
                if result.error is not None and result.error.reason == "Conflict" and attempt < _TRIES - 1:
                    await self._catch_up()
                    continue
                self._sync = _answer(result)
            if inventory is not None:
                self.inventory = inventory
            return bool(patch)
        raise AssertionError("unreachable")

    async def _catch_up(self) -> None:
        """See the newer version that made our write fail, if it is one we may write on."""
        newer = await _get(self._cluster, self._sync["metadata"]["name"])
        same = newer["metadata"].get("uid") == self._sync["metadata"].get("uid")
        status = newer.get("status") or {}
        if not same or any(status.get(key) != self.status.get(key) for key in _OURS_ALONE):
            raise Superseded(
                f"HubSync {newer['metadata']['name']} was written by another sync",
                hint="run one sync for a HubSync; this one reads it again and goes on",
            )
        self._sync = newer


async def check_expected(cluster: Cluster, expected: Object) -> None:
    """Raise `OtherRepository` where the HubSync is there already and follows something else."""
    name = expected["metadata"]["name"]
    try:
        found = await _get(cluster, name)
    except SyncMissing:
        return
    follows, asked = found["spec"]["repository"], expected["spec"]["repository"]
    one, another = SyncSpec.of(found), SyncSpec.of(expected)
    other = {key: asked[key] for key in asked if getattr(one, key) != getattr(another, key)}
    if other:
        change = json.dumps({"spec": {"repository": other}})
        raise OtherRepository(
            f"HubSync {name} follows {_told(follows)}, not {_told({**follows, **other})}",
            hint=f"leave --repo, --branch and --path out, give another --name, or change it: "
            f"kubectl patch hubsync {name} --type=merge -p '{masked(change)}'",
        )


def _told(repository: Mapping[str, Any]) -> str:
    """A HubSync's repository for people: `https://host/fleet.git (main, folder prod)`."""
    ref = repository.get("ref") or {}
    at = next((str(ref[key]) for key in ("commit", "tag", "branch") if ref.get(key)), DEFAULT_BRANCH)
    path = repository.get("path") or "."
    return f"{masked(repository['url'])} ({at}{f', folder {path}' if path != '.' else ''})"


async def _get(cluster: Cluster, name: str) -> Object:
    try:
        return await cluster.get(HUBSYNC, "", name)
    except ApiError as error:
        if error.http_code != 404:
            raise
        raise SyncMissing(
            f"there is no HubSync {name} on {cluster.server}",
            hint="create it, or give --repo URL to have it made; `gitops-ocm crds` prints the CRDs it needs",
        ) from error


def _answer(result: Result) -> Object:
    if result.error is not None:
        raise result.error
    assert result.obj is not None
    return result.obj

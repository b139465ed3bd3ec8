"""`--commit`: a verb's change as a commit in the fleet's repository, to be reviewed like any other.

    async with repository_target(folder, branch, cluster) as target:
        ...                                     # the verb, with this target
        made = await target.finish("Accept cluster1")

An object's declaration is found as the sync finds it and edited where it stands; one that is not declared
yet goes where `placing` says. Before anything is written the result is compiled: what the sync would refuse
is refused here. `editing` alters text, `git.clone` commits. Secrets are never committed.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gitops_ocm.desired.cache import BlobCache
from gitops_ocm.desired.compile import DesiredState, compile_tree
from gitops_ocm.desired.tree import edited
from gitops_ocm.errors import DiagnosticsError, Severity
from gitops_ocm.git.clone import Clone
from gitops_ocm.git.errors import NotOnABranch
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.diff import without_noise
from gitops_ocm.objects.faults import already_exists, not_found
from gitops_ocm.objects.patch import merge_diff
from gitops_ocm.objects.ref import Object, Ref, Resource, ref_of
from gitops_ocm.plan.wanted import Wanted
from gitops_ocm.runtime.catalog import committed_kinds
from gitops_ocm.verbs import editing, placing
from gitops_ocm.verbs.targets import Change, listed, not_served, place_of, require_hub
from gitops_ocm.verbs.voice import VerbError


class SecretRefused(VerbError):
    """A Secret's data was to be committed."""

    code = "secret-in-commit"


@dataclass(frozen=True)
class Made:
    """What came of it: the commit (`""` for a dry run), the branch, the paths, and the difference as text."""

    commit: str
    branch: str
    checked_out: bool
    paths: Sequence[str]
    diff: str


class RepositoryTarget:
    """A `Target` whose changes are collected until `finish` commits them; the hub is only read, if known."""

    def __init__(self, clone: Clone, branch: str, cluster: Cluster | None) -> None:
        self.clone, self.branch, self.cluster = clone, branch, cluster
        self.changed: dict[str, bytes | None] = {}
        self._base = clone.tree(branch)
        self._catalog, self._cache = committed_kinds(), BlobCache()
        self._state = self._compile()
        self._known_problems = frozenset(_problems(self._state))

    @property
    def writes_now(self) -> bool:
        """The hub follows when the commit is synced."""
        return False

    async def check_hub(self) -> None:
        """Where the hub can be asked, it must be one."""
        if self.cluster is not None:
            await require_hub(self.cluster)

    async def find(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        """The object as Git declares it."""
        wanted = self._declared(_ref(resource, name, namespace))
        return deepcopy(wanted.obj) if wanted else None

    async def known(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        """The object as Git declares it, or else as the hub has it."""
        if found := await self.find(resource, name, namespace):
            return found
        return await find(self.cluster, resource, name, namespace) if self.cluster else None

    async def list(self, resource: Resource, namespace: str = "") -> Sequence[Object]:
        """The hub's objects, with what Git says of each; and those that only Git has."""
        live = await listed(self.cluster, resource, namespace) if self.cluster else []
        found = {ref_of(obj): obj for obj in live}
        found |= {
            w.ref: deepcopy(w.obj)
            for w in self._state.objects
            if w.ref.of == resource.of and namespace in ("", w.ref.namespace)
        }
        return sorted(found.values(), key=place_of)

    async def resource_of(self, obj: Object) -> Resource:
        """As the packaged catalog, or else discovery, tells."""
        known = self._catalog.resource(obj.get("apiVersion", ""), obj.get("kind", ""))
        if known is not None:
            return known
        for resource in await self.cluster.discover() if self.cluster else ():
            if (resource.api_version, resource.kind) == (obj.get("apiVersion"), obj.get("kind")):
                return resource
        raise not_served(obj)

    async def create(self, resource: Resource, obj: Object) -> Object:
        """Declare a new object."""
        ref = ref_of(obj)
        if self._declared(ref):
            raise already_exists(resource.group, resource.plural, ref.name)
        self._add(obj)
        return obj

    async def edit(self, resource: Resource, name: str, namespace: str, change: Change) -> Object:
        """Alter a declaration; of an object that only the hub has, declare what changes."""
        ref = _ref(resource, name, namespace)
        wanted = self._declared(ref)
        if wanted is None:
            return await self._adopt(resource, ref, change)
        before = wanted.obj
        if before["apiVersion"] != resource.api_version:
            raise VerbError(
                f"{ref} is declared at {before['apiVersion']}, and this changes {resource.api_version}",
                where=wanted.origin,
                hint="make the change by hand, or rewrite the object for that version",
            )
        after = deepcopy(before)
        change(after)
        if after != before:
            _refuse_secrets(after)
            path = wanted.origin.path
            self._put(path, editing.replaced(self._data(path) or b"", path, before, after))
        return after

    async def delete(self, resource: Resource, name: str, namespace: str = "") -> bool:
        """Take a declaration out. What only the hub has cannot be removed from here."""
        ref = _ref(resource, name, namespace)
        wanted = self._declared(ref)
        if wanted is None:
            if self.cluster and await find(self.cluster, resource, name, namespace):
                raise VerbError(
                    f"{ref} is on the hub, but {self.clone.root} does not declare it",
                    hint="delete it on the hub: the same command without --commit",
                )
            return False
        path = wanted.origin.path
        self._put(path, editing.removed(self._data(path) or b"", path, ref))
        return True

    async def finish(self, subject: str, *, body: str = "", dry_run: bool = False) -> Made | None:
        """Commit what was changed; None where that is nothing."""
        if not self.changed:
            return None
        here = self.branch == self.clone.branch
        diff = "".join(self._diff())

        def write() -> str:
            if here:
                for path in self.changed:
                    self.clone.check_clean(path)
            if dry_run:
                return ""
            return self.clone.commit(
                self.changed, subject, body=body, branch=self.branch, now=datetime.now(UTC)
            )

        return Made(await asyncio.to_thread(write), self.branch, here, sorted(self.changed), diff)

    def _compile(self) -> DesiredState:
        tree = edited(self._base, self.changed)
        prefix = self.clone.prefix
        return compile_tree(tree, self._catalog, cache=self._cache, path=prefix or ".")

    def _declared(self, ref: Ref) -> Wanted | None:
        return next((w for w in self._state.objects if w.ref == ref), None)

    async def _adopt(self, resource: Resource, ref: Ref, change: Change) -> Object:
        live = await self.known(resource, ref.name, ref.namespace)
        if live is None:
            raise not_found(resource.group, resource.plural, ref.name)
        before = without_noise(live)
        after = deepcopy(before)
        change(after)
        if after != before:
            self._add(_declaration(before, after))
        return after

    def _add(self, obj: Object) -> None:
        _refuse_secrets(obj)
        prefix = self.clone.prefix
        path = f"{prefix}/{placing.path_of(obj)}" if prefix else placing.path_of(obj)
        self._put(path, editing.added(self._data(path), path, obj))
        if self._declared(ref_of(obj)) is None:
            raise VerbError(
                f"{path} would declare {ref_of(obj)}, but the repository does not sync that path",
                hint="add it to sync.paths in gitops-ocm.yaml, or check --repo",
            )

    def _put(self, path: str, data: bytes | None) -> None:
        self.changed[path] = data
        self._state = self._compile()
        errors = [d for d in self._state.diagnostics if d.severity is Severity.ERROR]
        new = [d for d in errors if (d.code, d.message, d.where.path) not in self._known_problems]
        if new:
            raise DiagnosticsError("the sync would refuse the commit; nothing was written", new)

    def _data(self, path: str) -> bytes | None:
        if path in self.changed:
            return self.changed[path]
        return self._base.read(path) if path in self._base.entries else None

    def _diff(self) -> Iterator[str]:
        for path, new in sorted(self.changed.items()):
            old = self._base.read(path) if path in self._base.entries else b""
            before, after = (
                d.decode("utf-8", "replace").splitlines(keepends=True) for d in (old, new or b"")
            )
            yield from difflib.unified_diff(before, after, f"a/{path}", f"b/{path}")


@asynccontextmanager
async def repository_target(
    folder: Path, branch: str, cluster: Cluster | None
) -> AsyncIterator[RepositoryTarget]:
    """Changes to the repository that `folder` is in; `branch` `""` is the one that is checked out."""

    def read() -> RepositoryTarget:
        on = branch or clone.branch
        if not on:
            raise NotOnABranch(f"no branch is checked out in {clone.root}")
        return RepositoryTarget(clone, on, cluster)

    clone = await asyncio.to_thread(Clone.at, folder)
    try:
        yield await asyncio.to_thread(read)
    finally:
        clone.close()


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "replace").splitlines(keepends=True)


def _ref(resource: Resource, name: str, namespace: str) -> Ref:
    return Ref(resource.group, resource.kind, namespace if resource.namespaced else "", name)


def _problems(state: DesiredState) -> Iterator[tuple[str, str, str]]:
    return ((d.code, d.message, d.where.path) for d in state.diagnostics)


def _declaration(before: Object, after: Object) -> Object:
    """What Git is to say of an object that others made: what changes, and what its kind cannot be without."""
    identity = {key: after["metadata"][key] for key in ("name", "namespace") if key in after["metadata"]}
    changes = _without_nulls(merge_diff(before, after))
    metadata = {**identity, **changes.pop("metadata", {})}
    declared = {"apiVersion": after["apiVersion"], "kind": after["kind"], "metadata": metadata, **changes}
    if after["kind"] == "ManagedCluster":
        accepted = bool((after.get("spec") or {}).get("hubAcceptsClient"))
        declared["spec"] = {"hubAcceptsClient": accepted, **declared.get("spec", {})}
    return declared


def _without_nulls(patch: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_nulls(value) if isinstance(value, Mapping) else value
        for key, value in patch.items()
        if value is not None
    }


def _refuse_secrets(value: Any) -> None:
    """Raise where a Secret with content is in it, at whatever depth: a work carries whole objects."""
    if isinstance(value, Mapping):
        if value.get("kind") == "Secret" and (value.get("data") or value.get("stringData")):
            name = (value.get("metadata") or {}).get("name", "")
            raise SecretRefused(
                f"Secret {name} holds data, which Git would keep for everyone to read for ever",
                hint="keep it where secrets belong and refer to it, or give the command without --commit",
            )
        for item in value.values():
            _refuse_secrets(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_secrets(item)

"""Where an agent keeps who it is: a directory, or a Secret on the managed cluster.

Entries are written together or not at all: in a directory the way a kubelet shows a Secret (names are
links through `..data`, which is exchanged in one step), so that whoever reads certificate and key by
path, the work agent say, never sees half of a change. Files are readable by their owner only.
"""

from __future__ import annotations

import asyncio
import base64
import shutil
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import NAMESPACES, SECRETS

_CURRENT = "..data"


class CannotKeep(GitopsError):
    """What the agent needs to keep cannot be written or read."""

    code = "cannot-keep"


class Kept(Protocol):
    """Named entries that outlive the process."""

    async def read(self) -> dict[str, bytes]:
        """All entries; none where nothing was kept yet."""
        ...

    async def write(self, changes: Mapping[str, bytes | None]) -> None:
        """Set entries (None: remove), all in one step."""
        ...


@dataclass(frozen=True)
class Folder:
    """Entries as files of a directory (0700, 0600).

    One object is shared by all that keep something there: one looks or writes at a time.
    """

    path: Path
    _turn: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False, compare=False)

    async def read(self) -> dict[str, bytes]:
        """The files that are there."""
        return await asyncio.to_thread(self._read)

    async def write(self, changes: Mapping[str, bytes | None]) -> None:
        """A new generation of all files, which then takes the place of the present one."""
        await asyncio.to_thread(self._write, changes)

    def _read(self) -> dict[str, bytes]:
        with self._turn:
            return self._files()

    def _write(self, changes: Mapping[str, bytes | None]) -> None:
        with self._turn:
            self._exchange({**self._files(), **changes})

    def _files(self) -> dict[str, bytes]:
        try:
            if not self.path.is_dir():
                return {}
            files = [file for file in self.path.iterdir() if file.is_file() and file.name[0] != "."]
            return {file.name: file.read_bytes() for file in files}
        except OSError as error:
            raise self._cannot("read", error) from error

    def _exchange(self, held: Mapping[str, bytes | None]) -> None:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            # mkdtemp makes it 0700. What an interrupted write left behind goes with the next one.
            new = Path(tempfile.mkdtemp(prefix="..", dir=self.path))
            for name, data in held.items():
                if data is not None:
                    (new / name).touch(mode=0o600)
                    (new / name).write_bytes(data)
            _point(self.path / _CURRENT, new.name)
            for name, data in held.items():
                if data is None:
                    (self.path / name).unlink(missing_ok=True)
                elif not (self.path / name).is_symlink():
                    _point(self.path / name, f"{_CURRENT}/{name}")
            for old in self.path.glob("..*"):
                if old.is_dir() and not old.is_symlink() and old != new:
                    shutil.rmtree(old)
        except OSError as error:
            raise self._cannot("write to", error) from error

    def _cannot(self, what: str, error: OSError) -> CannotKeep:
        return CannotKeep(
            f"cannot {what} {self.path}: {error.strerror}",
            hint="the agent keeps its hub kubeconfig there: let it write, or name another directory",
        )


def _point(link: Path, target: str) -> None:
    """Make `link` a symbolic link to `target`, in one step, whatever it was."""
    made = link.with_name(f"{link.name}.new")
    made.unlink(missing_ok=True)
    made.symlink_to(target)
    made.replace(link)


@dataclass(frozen=True)
class SecretData:
    """Entries as the data of a Secret. With `makes_namespace` its namespace is made where it is missing."""

    cluster: Cluster
    namespace: str
    name: str
    makes_namespace: bool = True

    async def read(self) -> dict[str, bytes]:
        """The data that is there."""
        found = await self._get()
        return _decoded(found) if found is not None else {}

    async def write(self, changes: Mapping[str, bytes | None]) -> None:
        """One create or update, locked; somebody else's change in between is looked at again."""
        while True:
            found = await self._get()
            held = {**(_decoded(found) if found else {}), **changes}
            data = {k: base64.b64encode(v).decode() for k, v in sorted(held.items()) if v is not None}
            if found is not None and data == (found.get("data") or {}):
                return
            try:
                await self._put(found, data)
            except ApiError as error:
                if error.reason in ("Conflict", "AlreadyExists"):
                    continue
                raise
            return

    async def remove(self) -> None:
        """Delete the Secret."""
        try:
            await self.cluster.delete(SECRETS, self.namespace, self.name)
        except ApiError as error:
            if error.http_code != 404:
                raise

    async def _put(self, found: Object | None, data: dict[str, str]) -> None:
        if found is not None:
            await self.cluster.update(SECRETS, {**found, "data": data})
            return
        meta = {"name": self.name, "namespace": self.namespace}
        secret: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}
        try:
            await self.cluster.create(SECRETS, secret)
        except ApiError as error:
            if error.http_code != 404 or not self.makes_namespace:
                raise
            namespace: Object = {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": self.namespace},
            }
            await self.cluster.create(NAMESPACES, namespace)
            await self.cluster.create(SECRETS, secret)

    async def _get(self) -> Object | None:
        return await find(self.cluster, SECRETS, self.name, self.namespace)


def _decoded(secret: Object) -> dict[str, bytes]:
    return {name: base64.b64decode(data) for name, data in (secret.get("data") or {}).items()}

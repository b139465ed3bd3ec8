"""Backups: a directory copied while it is written to, put back elsewhere, refused where it is not whole."""

from __future__ import annotations

import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from gitops_ocm.apiserver.backup import MANIFEST, BackupFailed, back_up, restore
from gitops_ocm.apiserver.serve import serve, serve_fleet
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CONFIG_MAPS


def _config_map(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}


async def test_a_running_fleet_is_copied_and_restored(tmp_path: Path) -> None:
    """What was written before the copy is there, on hub and cluster; versions go on above all that were
    ever seen, the old certificates are good, and a watch of the old server reads anew."""
    async with serve_fleet(tmp_path / "hub", clusters=1) as (server, members):
        old = load_kubeconfig(server.kubeconfig_path)
        cluster, member = HttpCluster(old), HttpCluster(load_kubeconfig(members["cluster1"].kubeconfig_path))
        await cluster.create(CONFIG_MAPS, _config_map("before"))
        await member.create(CONFIG_MAPS, _config_map("there"))
        back_up(tmp_path / "hub", tmp_path / "hub.tar")
        await cluster.create(CONFIG_MAPS, _config_map("after"))
        seen = (await cluster.list(CONFIG_MAPS, "default")).resource_version
        await cluster.close()
        await member.close()
    assert (tmp_path / "hub.tar").stat().st_mode & 0o777 == 0o600
    restore(tmp_path / "hub.tar", tmp_path / "new")
    async with serve_fleet(tmp_path / "new", clusters=1) as (server, members):
        assert server.authority.pem == (tmp_path / "hub" / "pki" / "ca.crt").read_bytes()
        cluster, member = (
            HttpCluster(load_kubeconfig(s.kubeconfig_path)) for s in (server, members["cluster1"])
        )
        found = await cluster.list(CONFIG_MAPS, "default")
        assert {o["metadata"]["name"] for o in found.items} == {"before", "kube-root-ca.crt"}
        assert int(found.resource_version) > int(seen)
        await member.get(CONFIG_MAPS, "default", "there")
        with pytest.raises(ApiError) as refused:
            async for _ in cluster.watch(CONFIG_MAPS, "default", resource_version=seen):
                pass
        assert refused.value.http_code == 410
        await cluster.close()
        await member.close()


@pytest.fixture
async def copy(tmp_path: Path) -> Path:
    """A backup."""
    async with serve(tmp_path / "hub"):
        back_up(tmp_path / "hub", tmp_path / "hub.tar")
    return tmp_path / "hub.tar"


def _rewritten(copy: Path, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> None:
    with tarfile.open(copy) as archive:
        entries = []
        for entry in archive:
            content = archive.extractfile(entry)
            assert content is not None
            entries.append((entry.name, content.read()))
    scratch = copy.with_suffix(".scratch")
    with tarfile.open(copy, "w") as archive:
        for found in entries:
            changed = change(*found)
            if changed is not None:
                scratch.write_bytes(changed[1])
                archive.add(scratch, changed[0])


def _flipped(name: str, body: bytes) -> tuple[str, bytes]:
    middle = len(body) // 2
    flip = name == "state.db"
    return name, body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :] if flip else body


def _newer(name: str, body: bytes) -> tuple[str, bytes]:
    return name, orjson.dumps({**orjson.loads(body), "format": 99}) if name == MANIFEST else body


BROKEN: dict[str, tuple[Callable[[str, bytes], tuple[str, bytes] | None], str]] = {
    "a bit flipped": (_flipped, "state.db in it is not what was copied"),
    "a file missing": (lambda n, b: None if n == "pki/ca.key" else (n, b), r"pki/ca\.key is missing"),
    "a file too many": (lambda n, b: (f"../{n}" if n == "port" else n, b), r"it holds \.\./port"),
    "no manifest": (lambda n, b: None if n == MANIFEST else (n, b), "is missing or damaged"),
    "of the future": (_newer, "has format 99, this version reads 1"),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_a_backup_that_is_not_whole_is_refused(case: str, copy: Path, tmp_path: Path) -> None:
    """One sentence says why, and nothing is left behind."""
    change, why = BROKEN[case]
    _rewritten(copy, change)
    with pytest.raises(BackupFailed, match=why) as refused:
        restore(copy, tmp_path / "new")
    assert refused.value.hint
    assert sorted(p.name for p in tmp_path.iterdir() if "new" in p.name) == []


async def test_a_copy_whose_rows_are_damaged_is_refused(tmp_path: Path) -> None:
    """Damage that was copied along faithfully is found when the copy is put back, not when it is served."""
    async with serve(tmp_path / "hub"):
        pass
    with sqlite3.connect(tmp_path / "hub" / "state.db") as db:
        db.execute("UPDATE log SET body = replace(body, 'default', 'tluafed')")
    db.close()
    back_up(tmp_path / "hub", tmp_path / "hub.tar")
    with pytest.raises(GitopsError, match="is not what was written"):
        restore(tmp_path / "hub.tar", tmp_path / "new")
    assert not (tmp_path / "new").exists()


async def test_directories_that_do_not_fit_are_refused(copy: Path, tmp_path: Path) -> None:
    """Nothing is restored over somebody's files; what is no hub is not copied; no file, no backup."""
    with pytest.raises(BackupFailed, match="is not empty"):
        restore(copy, tmp_path / "hub")
    with pytest.raises(BackupFailed, match="holds no embedded hub"):
        back_up(tmp_path / "nowhere", tmp_path / "x.tar")
    with pytest.raises(BackupFailed, match="No such file or directory"):
        back_up(tmp_path / "hub", tmp_path / "no" / "such" / "x.tar")
    (tmp_path / "noise").write_bytes(b"noise" * 1000)
    with pytest.raises(BackupFailed, match="cannot restore"):
        restore(tmp_path / "noise", tmp_path / "new")

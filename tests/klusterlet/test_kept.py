"""What an agent keeps: whole at every look, whoever else writes there, and only where it is its place."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gitops_ocm.klusterlet.kept import Folder, SecretData
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.served import NAMESPACES
from gitops_ocm.testing.clusters import memory


async def test_everything_written_at_once_is_kept(tmp_path: Path) -> None:
    """Several certificates asked for side by side keep their requests in one directory: none is lost."""
    folder = Folder(tmp_path / "pending")
    names = [f"pending-{number}" for number in range(24)]

    async def keep(name: str) -> None:
        await folder.write({name: name.encode()})
        assert (await folder.read())[name] == name.encode()

    await asyncio.gather(*(keep(name) for name in names))
    assert await folder.read() == {name: name.encode() for name in names}
    await asyncio.gather(*(folder.write({name: None}) for name in names[1:]))
    assert await folder.read() == {"pending-0": b"pending-0"}
    assert len([path for path in folder.path.iterdir() if path.is_dir() and not path.is_symlink()]) == 1


@pytest.mark.parametrize("makes", [True, False])
async def test_a_namespace_is_made_only_where_it_is_ours(makes: bool) -> None:
    """The agent's own namespace is made with what it keeps; an add-on's is left to who installs that."""
    async with memory() as spoke:
        secret = SecretData(spoke, "elsewhere", "kept", makes_namespace=makes)
        if makes:
            await secret.write({"a": b"1"})
            assert await secret.read() == {"a": b"1"}
        else:
            with pytest.raises(ApiError, match="elsewhere"):
                await secret.write({"a": b"1"})
        assert (await find(spoke, NAMESPACES, "elsewhere") is not None) is makes

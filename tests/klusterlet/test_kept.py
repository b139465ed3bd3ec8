"""What an agent keeps in a directory: whole at every look, whoever else writes there."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gitops_ocm.klusterlet.kept import Folder


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

"""Parsed files kept between runs: what was kept comes back, what is wrong with it counts as absent."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from sys import executable

import pytest

from gitops_ocm.desired.cache import BlobCache
from gitops_ocm.desired.documents import PARSER_VERSION
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.git.parsedfile import ParsedFile, folder_of

ENTRIES = {f"{number:040x}": f'{{"a": {number}}}'.encode() * (number % 7) for number in range(1000)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where one is kept, with all entries."""
    kept = ParsedFile(tmp_path / "repository" / "status")
    kept.put_many(ENTRIES)
    kept.save()
    return tmp_path / "repository" / "status"


def test_what_was_kept_comes_back(path: Path) -> None:
    """Another process finds each entry as it was, and none that was never there; others cannot read it."""
    assert ParsedFile(path).get_many([*ENTRIES, "f" * 40]) == ENTRIES
    assert path.stat().st_mode & 0o777 == 0o600


def test_another_version_counts_as_absent(path: Path) -> None:
    """Entries of another parser are none, and are replaced."""
    other = ParsedFile(path, version=99)
    assert other.get_many(list(ENTRIES)) == {}
    other.put_many({"a": b"1"})
    other.save()
    assert ParsedFile(path, version=99).get_many(["a"]) == {"a": b"1"}


_BEFORE_SIZE = f"parsed 1 {PARSER_VERSION} ".encode()
DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut off": lambda content: content[:-1],
    "longer": lambda content: content + b"x",
    "a bit in the data": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    "a bit in the index": lambda content: content[:60] + bytes([content[60] ^ 4]) + content[61:],
    "no head": lambda content: content[content.index(b"\n") + 1 :],
    "another size": lambda content: content.replace(_BEFORE_SIZE, _BEFORE_SIZE + b"9", 1),
    "not ours": lambda content: b"\xff\x00 hello",
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_counts_as_absent(path: Path, name: str) -> None:
    """Nothing of a damaged file is believed, and the next run replaces it."""
    path.write_bytes(DAMAGE[name](path.read_bytes()))
    kept = ParsedFile(path)
    assert kept.get_many(list(ENTRIES)) == {}
    kept.put_many(ENTRIES)
    kept.save()
    assert ParsedFile(path).get_many(list(ENTRIES)) == ENTRIES


def test_only_what_was_asked_for_stays(path: Path) -> None:
    """Files that are gone from the tree are forgotten when it is written the next time."""
    kept, half = ParsedFile(path), dict(list(ENTRIES.items())[:500])
    kept.get_many(list(half))
    kept.put_many({f"new{number}": b"1" for number in range(50)})
    kept.save()
    again = ParsedFile(path)
    assert again.get_many(list(ENTRIES)) == half
    assert again.get_many(["new7"]) == {"new7": b"1"}


def test_a_few_new_files_are_not_worth_writing(path: Path) -> None:
    """One changed file of a thousand is parsed again rather than all of them written."""
    before = path.stat().st_ino
    kept = ParsedFile(path)
    kept.get_many(list(ENTRIES))
    kept.put_many({"one": b"1"})
    kept.save()
    assert path.stat().st_ino == before


WRITER = """
import sys
from pathlib import Path
from gitops_ocm.git.parsedfile import ParsedFile
for turn in range(20):
    kept = ParsedFile(Path(sys.argv[1]), version=7)
    found = kept.get_many([f"{n}" for n in range(200)])
    assert set(found.values()) <= {f"value {n}".encode() * 50 for n in range(200)}, found
    assert all(data == f"value {blob}".encode() * 50 for blob, data in found.items())
    kept.put_many({f"{n}": f"value {n}".encode() * 50 for n in range(200) if f"{n}" not in found or turn % 2})
    kept.save()
"""


def test_several_processes_at_once(tmp_path: Path) -> None:
    """Processes that read and write the same file see it whole, and leave nothing beside it."""
    path = tmp_path / "repository" / "status"
    running = [Popen([executable, "-c", WRITER, str(path)]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert [found.name for found in path.parent.iterdir()] == ["status"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """Where nothing can be kept all goes on without."""
    (tmp_path / "file").write_text("in the way")
    kept = ParsedFile(tmp_path / "file" / "status")
    assert kept.get_many(["a"]) == {}
    kept.put_many({"a": b"1"})
    kept.save()
    assert (tmp_path / "file").read_text() == "in the way"


def test_what_nobody_uses_goes(path: Path, tmp_path: Path) -> None:
    """Folders of repositories that were not used for long are thrown away; those in use stay."""
    old, used = tmp_path / "old", tmp_path / "used"
    for folder in (old, used):
        ParsedFile(folder / "status").put_many({})
        folder.mkdir()
        (folder / "status").write_bytes(b"")
    os.utime(old, (1_000_000_000, 1_000_000_000))
    kept = ParsedFile(path, version=2)
    kept.put_many(ENTRIES)
    kept.save()
    assert sorted(found.name for found in tmp_path.iterdir()) == ["repository", "used"]


def test_a_folder_for_each_repository(tmp_path: Path) -> None:
    """Two repositories never share, one always finds its own."""
    one, other = tmp_path / "a/.git", tmp_path / "b/.git"
    assert folder_of(tmp_path, one) != folder_of(tmp_path, other)
    assert folder_of(tmp_path, one) == folder_of(tmp_path, tmp_path / "a/../a/.git")


def test_a_cache_that_lies_about_its_content(path: Path) -> None:
    """An entry that is no parsed file is parsed again: `BlobCache` believes nothing it cannot decode."""
    tree = memory_tree({"a.yaml": "kind: A\n"})
    entry = tree.entries["a.yaml"]
    kept = ParsedFile(path, version=5)
    kept.put_many({entry.blob: b"nonsense"})
    kept.save()
    found = BlobCache(ParsedFile(path, version=5)).parsed(tree, [entry])
    assert found[entry.blob].documents[0].value == {"kind": "A"}

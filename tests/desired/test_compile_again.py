"""A commit after another: only what changed is read, and what comes of it is what a fresh look gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.desired.cache import BlobCache
from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.tree import Tree, memory_tree
from tests.desired.test_compile import CATALOG, CRD, WIDGET, config_map


@dataclass
class Counting:
    """A tree's reader and a blob store that remember what they were asked."""

    inner: Tree
    read: list[str] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)

    def read_blobs(self, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        self.read += blobs
        return self.inner.read_blobs(blobs)

    def get_many(self, blobs: Sequence[str]) -> dict[str, bytes]:
        return {blob: self.kept[blob] for blob in blobs if blob in self.kept}

    def put_many(self, entries: Mapping[str, bytes]) -> None:
        self.kept.update(entries)

    def tree(self) -> Tree:
        return Tree(self.inner.commit, self.inner.entries, self)


def test_only_changed_files_are_read() -> None:
    """The next commit costs its changes: one file read, the other objects are the very same values."""
    files = {f"hub/{n}.yaml": config_map(f"c{n}") for n in range(20)}
    cache = BlobCache()
    before = compile_tree(memory_tree(files), CATALOG, cache=cache)
    files["hub/7.yaml"] = config_map("c7", "data: {x: z}\n")
    counting = Counting(memory_tree(files))
    after = compile_tree(counting.tree(), CATALOG, cache=cache)
    assert len(counting.read) == 1
    same = [a is b for a, b in zip(before.objects, after.objects, strict=True)]
    assert same.count(False) == 1
    assert after == compile_tree(memory_tree(files), CATALOG)


def test_a_store_saves_reading_and_may_lie() -> None:
    """With a store a new process reads nothing; damaged entries are read again, not believed."""
    files = {f"hub/{n}.yaml": config_map(f"c{n}") for n in range(5)}
    first = Counting(memory_tree(files))
    expected = compile_tree(first.tree(), CATALOG, cache=BlobCache(first))
    second = Counting(memory_tree(files), kept=first.kept)
    assert compile_tree(second.tree(), CATALOG, cache=BlobCache(second)) == expected
    assert second.read == []
    third = Counting(memory_tree(files), kept=dict.fromkeys(first.kept, b"damaged"))
    assert compile_tree(third.tree(), CATALOG, cache=BlobCache(third)) == expected


def test_large_blobs_are_not_read() -> None:
    """A file over the limit is refused by its size alone."""
    counting = Counting(memory_tree({"hub/a.yaml": "a: " + "x" * (6 * 2**20)}))
    state = compile_tree(counting.tree(), CATALOG)
    assert [d.code for d in state.diagnostics] == ["file-too-large"]
    assert counting.read == []


EDITS = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.sampled_from(
            [
                None,
                config_map("a"),
                config_map("b"),
                config_map("a", "x: 1\n"),
                "a: [",
                CRD,
                WIDGET + "spec: {size: 1}\n",
                WIDGET + "spec: {size: 9}\n",
                config_map("c") + "---\n" + config_map("d"),
            ]
        ),
    ),
    max_size=12,
)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(edits=EDITS)
def test_incremental_is_as_good_as_fresh(edits: list[tuple[int, str | None]]) -> None:
    """Whatever the history of edits, compiling with the cache says what compiling anew says."""
    files: dict[str, str] = {}
    cache = BlobCache()
    for number, text in edits:
        files.pop(f"hub/{number}.yaml", None)
        if text is not None:
            files[f"hub/{number}.yaml"] = text
        tree = memory_tree(files, commit="c")
        kept, fresh = compile_tree(tree, CATALOG, cache=cache), compile_tree(tree, CATALOG)
        assert kept == fresh

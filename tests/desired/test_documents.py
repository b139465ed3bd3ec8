"""Files into documents: where they begin, what is refused, what a cache may keep."""

from __future__ import annotations

import pytest

from gitops_ocm.desired.documents import Document, decode, encode, locate, parse
from gitops_ocm.desired.yaml_events import Limits

FILE = b"""\
# first comment

---
# about a
kind: A
spec:
  list:
    - x: 1
    - x: 2
      w: {z: on}
---
kind: BList
items:
  - metadata:
      name: one
  -
    metadata: {name: two}
--- # last
{kind: C,
 spec: {deep: [1,
   2]}}
"""


def test_lines_of_documents_and_items() -> None:
    """Each object knows the line it begins on, comments before it not counted."""
    assert [(d.value["kind"], d.line) for d in parse(FILE).documents] == [
        ("A", 5),
        ("B", 14),
        ("B", 17),
        ("C", 19),
    ]


@pytest.mark.parametrize(
    ("document", "path", "position"),
    [
        (0, ("spec",), (6, 1)),
        (0, ("spec", "list", 1, "w", "z"), (10, 11)),
        (0, ("spec", "list", 7), (7, 3)),
        (0, ("nowhere",), (5, 1)),
        (1, ("metadata", "name"), (15, 7)),
        (2, ("metadata", "name"), (17, 16)),
        (3, ("spec", "deep", 1), (21, 4)),
    ],
)
def test_a_field_is_found_on_demand(
    document: int, path: tuple[str | int, ...], position: tuple[int, int]
) -> None:
    """A field's line and column are found from its path; a missing one's from what of the path exists."""
    assert locate(FILE, parse(FILE).documents[document], path) == position


SMALL = Limits(document_bytes=400, file_bytes=2000, depth=10, alias_nodes=50)
BOMB = "a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\nd: [*c, *c]\n"
MERGE_BOMB = "a: &a {a: 1, b: 2, c: 3}\n" + "".join(f"m{n}: {{<<: *a}}\n" for n in range(20))
CHAIN = "v0: &v0 [x]\n" + "".join(f"v{n}: &v{n} [*v{n - 1}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        ("a: [\n", "yaml-syntax", 2),
        ("a: 1\nb: 2\na: 3\n", "yaml-duplicate-key", 3),
        ("a: {b: 1, b: 2}\n", "yaml-duplicate-key", 1),
        ("1: a\n'1': b\n", "yaml-duplicate-key", 2),
        ("a: 1\n---\nb: 1\nb: 2\n", "yaml-duplicate-key", 4),
        ('{"a": 1,\n "a": 2}', "yaml-duplicate-key", 2),
        ("\ta: 1\n", "yaml-syntax", 1),
        ("a: .nan\n", "yaml-value", 1),
        ("a: *b\n", "yaml-alias", 1),
        ("a: 1\n...\nb: 2\n", "yaml-document", 3),
        ("a: 1\n--- b\n", "yaml-separator", 2),
        ("text\n", "not-an-object", 1),
        ("- a\n", "not-an-object", 1),
        ("kind: List\nitems: [a]\n", "not-an-object", 2),
        (b"a: \xff\xfe\n", "file-encoding", 1),
        (b"\xff\xfea\x00:\x00", "file-encoding", 1),
        ("a: b\nc: \x02\n", "yaml-character", 2),
        ("a: \x00\n", "yaml-character", 1),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "lfs-pointer", 1),
        ("a: " + "x" * 500, "document-too-large", 1),
        ("a: x\n" * 500, "file-too-large", 0),
        ("a: " + "[" * 12 + "]" * 12, "yaml-too-deep", 1),
        ("\n".join(" " * n + "a:" for n in range(12)), "yaml-too-deep", 10),
        ("- " * 30 + "a", "yaml-too-deep", 1),
        ('{"a": ' + "[" * 12 + "]" * 12 + "}", "yaml-too-deep", 1),
        (BOMB, "yaml-alias-bomb", 3),
        (MERGE_BOMB, "yaml-alias-bomb", 9),
        (CHAIN, "yaml-too-deep", 9),
    ],
)
def test_what_cannot_be_read_is_said(data: str | bytes, code: str, line: int) -> None:
    """Each kind of broken or hostile file gives its problem at its line, and never an exception."""
    parsed = parse(data.encode() if isinstance(data, str) else data, SMALL)
    assert [(p.code, p.line) for p in parsed.problems] == [(code, line)]


@pytest.mark.parametrize(
    "data", ["- " * 50_000 + "a", "[" * 200_000, "{a: " * 50_000, '{"a":' * 100_000, "a: " + "&a [" * 9999]
)
def test_deep_nesting_does_not_crash(data: str) -> None:
    """Nesting that would overflow a recursive parser's stack is refused by the default limits."""
    assert parse(data.encode()).problems[0].code in ("yaml-too-deep", "yaml-syntax")


def test_all_problems_of_a_file_are_found() -> None:
    """A broken document does not hide the next one, nor one duplicate key another."""
    parsed = parse(b"a: [\n---\nb: 1\nb: 2\nc: 1\nc: 2\n---\nkind: ok\n")
    assert [(p.code, p.line) for p in parsed.problems] == [
        ("yaml-syntax", 2), ("yaml-duplicate-key", 4), ("yaml-duplicate-key", 6)
    ]  # fmt: skip
    assert [d.value for d in parsed.documents] == [{"kind": "ok"}]


def test_aliases_are_counted_not_copied() -> None:
    """A billion laughs is refused by the default limits too, quickly and without the memory."""
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert [p.code for p in parse("\n".join(lines).encode()).problems] == ["yaml-alias-bomb"]


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"# only a comment", b"---\n---\n# x\n", b"null\n", b"~", b"\xef\xbb\xbf"]
)
def test_nothing_is_nothing(data: bytes) -> None:
    """Empty files and documents are neither objects nor problems."""
    parsed = parse(data)
    assert (parsed.documents, parsed.problems) == ((), ())


@pytest.mark.parametrize("data", [FILE, b"a: [", b"a: 1\na: 2\n", b'{"a": 1.5, "b": 9e99}'])
def test_a_cache_gives_back_what_was_kept(data: bytes) -> None:
    """A parsed file survives encoding."""
    parsed = parse(data)
    assert decode(encode(parsed)) == parsed


@pytest.mark.parametrize("data", [b"", b"x", b"[]", b"[[], []", b"[[[1]], []]", b"[1, 2]", b'{"a": 1}'])
def test_a_damaged_cache_entry_is_nothing(data: bytes) -> None:
    """Bytes that `encode` did not write decode to None."""
    assert decode(data) is None


def test_locating_in_a_json_stream_falls_back() -> None:
    """Values of a JSON stream without separators are placed at the file's first line."""
    data = b'{"kind": "A"}{"kind": "B", "x": 1}'
    last = parse(data).documents[1]
    assert last == Document({"kind": "B", "x": 1}, 1, 1)
    assert locate(data, last, ("x",)) == (1, 1)

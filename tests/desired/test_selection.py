"""Which files of a tree count, and which are refused by name."""

from __future__ import annotations

import pytest

from gitops_ocm.desired.globs import Ignored, covers, rules
from gitops_ocm.desired.layout import Layout
from gitops_ocm.desired.selection import Chooser, Selected, ignore_files, select
from gitops_ocm.desired.tree import SUBMODULE, SYMLINK, memory_tree

LFS = "version https://git-lfs.github.com/spec/v1\n"


def chosen(
    files: dict[str, str],
    *,
    links: dict[str, str] | None = None,
    modules: tuple[str, ...] = (),
    prefix: str = "",
    paths: tuple[str, ...] = ("hub/", "works/"),
    ignore: tuple[str, ...] = (),
) -> Selected:
    """What `select` makes of files, symlinks (path → target) and submodules."""
    links = links or {}
    modes = dict.fromkeys(links, SYMLINK) | dict.fromkeys(modules, SUBMODULE)
    tree = memory_tree({**files, **links, **dict.fromkeys(modules, "x")}, modes=modes)
    layout = Layout.model_validate({"sync": {"paths": paths, "ignore": ignore}})
    rules = {path: tree.read(path) for path in ignore_files(tree.entries, prefix)}
    return select(tree, Chooser(prefix, layout, rules))


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("hub/a.yaml", True),
        ("hub/deep/er/a.yml", True),
        ("works/a.json", True),
        ("hub/README.md", False),
        ("hub/.hidden.yaml", False),
        ("hub/.dir/a.yaml", False),
        ("other/a.yaml", False),
        ("hubs/a.yaml", False),
        ("gitops-ocm.yaml", False),
        ("hub/A.YAML", False),
    ],
)
def test_files_that_count(path: str, counts: bool) -> None:
    """YAML and JSON files under the paths count; hidden ones and all others do not."""
    selected = chosen({path: "a: 1"})
    assert (list(selected.files) == [path]) is counts
    assert selected.diagnostics == []


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("hub/", "hub/a", True),
        ("hub", "hub/a/b", True),
        ("hub", "hub", True),
        ("hub", "hubs/a", False),
        ("./hub/", "hub/a", True),
        (".", "any/thing", True),
        ("*/x", "a/x/b", True),
        ("*/x", "a/b/x", False),
        ("**/x", "a/b/x", True),
        ("**/*.yaml", "a/b.yaml", True),
        ("a/*.yaml", "a/b/c.yaml", False),
        ("a?c", "abc/x", True),
        ("a?c", "a/c", False),
        ("[ab]c", "bc", True),
        ("[!ab]c", "bc", False),
        ("a.c", "abc", False),
        ("a[", "a[", True),
        ("clusters/*/", "clusters/c1/x.yaml", True),
    ],
)
def test_globs(glob: str, path: str, matches: bool) -> None:
    """`*` stays inside a segment, `**` spans them, and a folder stands for all below it."""
    assert covers([glob], path) is matches


@pytest.mark.parametrize(
    ("lines", "path", "ignored"),
    [
        ("*.tmp.yaml", "a/b.tmp.yaml", True),
        ("/b.yaml", "b.yaml", True),
        ("/b.yaml", "a/b.yaml", False),
        ("a/b.yaml", "x/a/b.yaml", False),
        ("drafts/", "x/drafts/a.yaml", True),
        ("drafts/", "x/drafts", False),
        ("drafts", "x/drafts", True),
        ("# drafts", "# drafts", False),
        ("\\#a", "#a", True),
        ("*.yaml\n!keep.yaml", "a/keep.yaml", False),
        ("!keep.yaml\n*.yaml", "a/keep.yaml", True),
        ("dir\n!dir/keep.yaml", "dir/keep.yaml", True),
        ("a/**/z", "a/b/c/z", True),
        ("a/**", "a/b", True),
        ("", "a", False),
    ],
)
def test_ignore_rules(lines: str, path: str, ignored: bool) -> None:
    """Ignore files follow gitignore: the last match wins, folders take all below with them."""
    assert Ignored(rules(lines.splitlines()))(path) is ignored


def test_ignore_files_count_from_their_folder() -> None:
    """A nested `.gitopsignore` speaks of its own folder; the layout's `ignore` of the whole."""
    files = {
        "hub/a.yaml": "",
        "hub/b.yaml": "",
        "works/b.yaml": "",
        "works/c.yaml": "",
        "hub/.gitopsignore": "/b.yaml",
    }
    assert list(chosen(files, ignore=("c.yaml",)).files) == ["hub/a.yaml", "works/b.yaml"]


def test_a_path_inside_the_repository_is_a_root() -> None:
    """With a prefix, paths and ignore rules count from that folder, and files keep their whole path."""
    files = {
        "fleet/hub/a.yaml": "",
        "fleet/hub/b.yaml": "",
        "hub/c.yaml": "",
        "fleet/.gitopsignore": "/hub/b.yaml",
    }
    assert list(chosen(files, prefix="fleet/").files) == ["fleet/hub/a.yaml"]


LINKS = [
    ("../works/real.yaml", ["hub/link.yaml", "works/real.yaml"], ""),
    ("/etc/passwd", ["works/real.yaml"], "outside the repository"),
    ("../../etc/passwd", ["works/real.yaml"], "outside the repository"),
    ("../../../../../../../etc/passwd", ["works/real.yaml"], "outside the repository"),
    ("gone.yaml", ["works/real.yaml"], "does not exist"),
    ("link.yaml", ["works/real.yaml"], "more than 8"),
    ("../module", ["works/real.yaml"], "submodule"),
]


@pytest.mark.parametrize(("target", "files", "problem"), LINKS)
def test_symlinks(target: str, files: list[str], problem: str) -> None:
    """A link that stays inside the tree is followed; one that leaves it, dangles or circles is refused."""
    selected = chosen({"works/real.yaml": "a: 1"}, links={"hub/link.yaml": target}, modules=("module",))
    assert list(selected.files) == files
    assert [problem in d.message for d in selected.diagnostics if d.where.path == "hub/link.yaml"] == (
        [True] if problem else []
    )


def test_symlinked_folders_stand_for_their_files() -> None:
    """A link to a folder brings its files under the link's name; links through links are bounded."""
    files = {"shared/a.yaml": "a: 1", "shared/sub/b.yaml": "b: 1", "shared/c.txt": ""}
    selected = chosen(files, links={"hub/all": "../shared", "hub/again": "all", "hub/self": "."})
    assert list(selected.files) == [
        "hub/again/a.yaml",
        "hub/again/sub/b.yaml",
        "hub/all/a.yaml",
        "hub/all/sub/b.yaml",
    ]
    assert selected.diagnostics == []


def test_submodules_are_refused_by_name() -> None:
    """A submodule where desired state lies is an error: its files are not in the commit."""
    selected = chosen({}, modules=("hub/vendor", "elsewhere/vendor"))
    assert [(d.code, d.where.path) for d in selected.diagnostics] == [("submodule", "hub/vendor")]


@pytest.mark.parametrize(
    "path",
    [
        "hub/../x.yaml",
        "hub/a\nb.yaml",
        "hub/.git/x.yaml",
        "hub/.GIT/x.yaml",
        "hub/a\x1b[2J.yaml",
        "hub/\udcff.yaml",
        "hub/a\\..\\b.yaml",
        "hub/./a.yaml",
    ],
)
def test_hostile_paths_are_refused(path: str) -> None:
    """A path that no honest tool writes is refused, and printed harmlessly."""
    tree = memory_tree({"hub/ok.yaml": "a: 1"})
    tree = type(tree)(tree.commit, {**tree.entries, path: tree.entries["hub/ok.yaml"]}, tree.reader)
    selected = select(tree, Chooser("", Layout.model_validate({}), {}))
    assert list(selected.files) == ["hub/ok.yaml"]
    (problem,) = selected.diagnostics
    assert problem.code == "bad-path"
    assert str(problem).isprintable()


def test_case_collisions_are_two_files() -> None:
    """Without a checkout, names that differ in case only are simply two files."""
    assert list(chosen({"hub/A.yaml": "", "hub/a.yaml": ""}).files) == ["hub/A.yaml", "hub/a.yaml"]

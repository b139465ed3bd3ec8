"""Files that other engines fell over, or took for something else: refused at a line, or harmless.

Each is a commit that a person makes with git itself. The preview of it is read before it is pushed, then the
sync is given it. The kinds of outage are known from issues of Argo CD, Flux, Fleet, Kustomize and Helm
operators: controllers killed by one large or nested file, secrets read through symbolic links, pointers of
Git LFS and empty submodules taken for manifests, values that YAML reads as something else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner

from gitops_ocm.cli.preview import preview
from gitops_ocm.testing.gitops import NAMESPACE, Fleet, config_map
from tests.preview.clones import Clone

pytestmark = pytest.mark.slow

NAMES = ("a", "b", "c")
START = {
    "hub/namespace.yaml": NAMESPACE,
    **{f"hub/{name}.yaml": config_map(name) for name in NAMES},
}
HEAD = config_map("a").removesuffix("data:\n  v: '1'\n")
PLACEMENT = """\
apiVersion: cluster.open-cluster-management.io/v1beta1
kind: Placement
metadata: {name: web, namespace: shop}
spec:
  predicates:
  - requiredClusterSelector:
      labelSelector:
"""
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d' * 32}\nsize 12345\n"
ALIASES = "".join(
    f"  {chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
)


def written(text: str | bytes, path: str = "hub/a.yaml") -> Callable[[Clone], None]:
    """A file's new content."""
    return lambda clone: clone.write({path: text})


def linked(target: str, path: str = "hub/a.yaml") -> Callable[[Clone], None]:
    """A symbolic link in a file's place."""

    def make(clone: Clone) -> None:
        place = clone.path / path
        place.unlink(missing_ok=True)
        place.symlink_to(target)

    return make


def submodule(clone: Clone) -> None:
    """A folder that is a submodule: its files are in another repository."""
    (clone.path / "hub/shared").mkdir()
    clone.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},hub/shared")


@dataclass(frozen=True)
class Refused:
    """What is done, where it is said to be wrong, in which words, and what helps."""

    do: Callable[[Clone], None]
    place: str
    why: str
    hint: str = ""


REFUSED: Mapping[str, Refused] = {
    "a file of 20 MiB": Refused(
        written(HEAD + "data:\n  v: " + "x" * 20 * 2**20 + "\n"),
        "hub/a.yaml",
        "the limit is 5242880",
        "split it",
    ),
    "aliases that stand for billions of values": Refused(
        written(HEAD + "data:\n  a: &a [x, x, x, x, x, x, x, x, x]\n" + ALIASES),
        "hub/a.yaml:12",
        "the document's aliases stand for more than 100000 values",
        "write the values out",
    ),
    "lists nested a thousand deep": Refused(
        written(HEAD + "data:\n  v: " + "[" * 1000 + "]" * 1000 + "\n"),
        "hub/a.yaml:7",
        "nested more than 100 levels deep",
    ),
    "a symbolic link to /etc/passwd": Refused(
        linked("/etc/passwd"), "hub/a.yaml", "points outside the repository", "put the file itself here"
    ),
    "a symbolic link up and out of the repository": Refused(
        linked("../../../secret.yaml"), "hub/a.yaml", "points outside the repository", "put the file itself"
    ),
    "a symbolic link to itself": Refused(
        linked("a.yaml"), "hub/a.yaml", "more than 8 other symlinks", "put the file itself here"
    ),
    "a symbolic link to what is not there": Refused(
        linked("gone.yaml"), "hub/a.yaml", "'hub/gone.yaml', which does not exist", "put the file itself here"
    ),
    "a pointer of Git LFS": Refused(
        written(POINTER), "hub/a.yaml:1", "the file is a Git LFS pointer", "git lfs untrack"
    ),
    "a submodule": Refused(submodule, "hub/shared", "is a submodule", "copy the files in"),
    "a name that is Norway": Refused(
        written(HEAD.replace("name: a", "name: no")),
        "hub/a.yaml:4",
        "metadata.name: must be text, not a boolean false",
        "quote the value",
    ),
    "a name that is a number": Refused(
        written(HEAD.replace("name: a", "name: 12")), "hub/a.yaml:4", "not a number 12", "quote the value"
    ),
    "a label that becomes a number": Refused(
        written(HEAD + "  labels: {commit: 12e5}\n"),
        "hub/a.yaml:6",
        "metadata.labels.commit: must be text, not a number 1200000",
        "quote the value",
    ),
    "a label whose variable was empty": Refused(
        written(HEAD + "  labels:\n    env:\n"), "hub/a.yaml:7", "and nothing is given", 'write ""'
    ),
    "a name whose variable was empty": Refused(
        written(HEAD.replace("name: a", 'name: ""')), "hub/a.yaml:3", "has no metadata.name", "has a name"
    ),
    "a name whose variable was not filled in": Refused(
        written(HEAD.replace("name: a", "name: web-${CLUSTER}")), "hub/a.yaml:4", "RFC 1123 subdomain"
    ),
    "a template that nobody rendered": Refused(
        written(HEAD.replace("name: a", "name: {{ .Values.name }}")),
        "hub/a.yaml:4",
        "a mapping cannot be a key",
        "has to be filled in",
    ),
    "a file for kustomize": Refused(
        written(
            "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\n", "hub/kustomization.yaml"
        ),
        "hub/kustomization.yaml:1",
        "has no metadata.name",
        "kustomize build",
    ),
    "a key given twice": Refused(
        written(config_map("a") + "  v: '2'\n"), "hub/a.yaml:8", "the key 'v' is given twice", "keep one"
    ),
    "two documents whose separator was lost": Refused(
        written(config_map("a") + config_map("d")), "hub/a.yaml:8", "'apiVersion' is given twice", "keep one"
    ),
    "tabs": Refused(
        written("apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: a\n"),
        "hub/a.yaml:4",
        "cannot start any token",
        "indent with spaces",
    ),
    "a file in another encoding": Refused(
        written(config_map("a", "café").encode("latin-1")),
        "hub/a.yaml:7",
        "not UTF-8",
        "save it as UTF-8",
    ),
    "a selector with a slip in its key": Refused(
        written(PLACEMENT + "        matchLabel: {env: prod}\n"),
        "hub/a.yaml:8",
        "unknown field",
        'did you mean "matchLabels"',
    ),
    "a selector whose value YAML reads as true": Refused(
        written(PLACEMENT + "        matchLabels: {canary: yes}\n"),
        "hub/a.yaml:8",
        "must be text, not a boolean true",
        "quote the value",
    ),
    "a selector whose variable was empty": Refused(
        written(PLACEMENT + "        matchLabels:\n          env:\n"),
        "hub/a.yaml:9",
        "and nothing is given",
        'write ""',
    ),
    "a rename that only changes the case, half done": Refused(
        written(config_map("a"), "hub/A.yaml"), "hub/a.yaml:1", "also written in hub/A.yaml:1", "keep one"
    ),
}


def _shared(clone: Clone) -> None:
    renamed(clone, "hub/a.yaml", "shared/a.yaml")
    linked("../shared/a.yaml")(clone)


HARMLESS: Mapping[str, tuple[Callable[[Clone], None], bool]] = {
    "a byte order mark": (written("\ufeff" + config_map("a")), False),
    "lines that end as on Windows": (written(config_map("a").replace("\n", "\r\n")), False),
    "a rename that only changes the case": (lambda clone: renamed(clone, "hub/a.yaml", "hub/A.yaml"), True),
    "a file that may be executed": (lambda clone: (clone.path / "hub/a.yaml").chmod(0o755), False),
    "a symbolic link inside the repository": (
        _shared,
        False,
    ),
    "a file of comments only": (written("# nothing yet\n---\n# nor here\n", "hub/d.yaml"), False),
    "a large file that is no manifest": (written(b"\0" * 2**23, "hub/disk.img"), False),
    "a pointer of Git LFS that is no manifest": (written(POINTER, "hub/disk.img"), False),
    "a date that YAML might read as one": (written(config_map("a", "2026-01-01")), True),
    "values that an anchor repeats": (
        written(HEAD + "data:\n  v: &v '1'\n  w: *v\n"),
        True,
    ),
}
"""What is done, and whether an object is another one by it, or elsewhere."""


def renamed(clone: Clone, before: str, after: str) -> None:
    """A file moves."""
    (clone.path / after).parent.mkdir(exist_ok=True)
    clone.git("mv", before, after)


def previewed(clone: Clone) -> tuple[int, dict[str, Any]]:
    """Exit status of a preview of what is committed last, and what it says."""
    args = ["--repo", str(clone.path), "HEAD~1..HEAD", "-o", "json"]
    result = CliRunner().invoke(preview, args, standalone_mode=False)
    assert result.exception is None, result.exception
    return int(result.return_value), json.loads(result.stdout)


async def started(fleet: Fleet, person: Clone) -> None:
    """What is in the beginning is on the hub."""
    person.commit(START)
    person.git("push", "--quiet", "origin", "main")
    await fleet.sync_object()
    assert (await fleet.loop().once()).ok
    assert await fleet.names() == list(NAMES)


def placed(problem: Mapping[str, Any]) -> str:
    """Where a problem is, as `path:line`."""
    line = problem.get("line")
    return f"{problem['path']}:{line}" if line else str(problem["path"])


@pytest.mark.parametrize("name", REFUSED)
async def test_refused_at_its_line(fleet: Fleet, person: Clone, name: str) -> None:
    """The preview says place, reason and remedy; the sync says the same, and the hub is left as it is."""
    case = REFUSED[name]
    await started(fleet, person)
    case.do(person)
    commit = person.commit({})
    code, document = previewed(person)
    assert code == 3
    found = document["diagnostics"][0]
    assert placed(found["where"]) == case.place
    assert case.why in found["message"]
    assert case.hint in found.get("hint", "")
    person.git("push", "--quiet", "origin", "main")
    writes = fleet.wire.writes
    assert not (await fleet.loop().once()).ok
    status = await fleet.status()
    assert (await fleet.condition())[0] == "False"
    assert status["lastAttemptedCommit"] == commit != status["lastAppliedCommit"]
    told = status["problems"][0]
    assert placed(told) == case.place
    assert case.why in told["message"]
    assert case.hint in told["message"]
    assert await fleet.names() == list(NAMES)
    assert fleet.wire.writes == writes + 1  # the HubSync's status


@pytest.mark.parametrize("name", HARMLESS)
async def test_harmless(fleet: Fleet, person: Clone, name: str) -> None:
    """The preview has a change of one object at most, and none goes when the sync takes the commit."""
    do, changes = HARMLESS[name]
    await started(fleet, person)
    do(person)
    person.commit({})
    code, document = previewed(person)
    assert code == int(changes), document["diagnostics"]
    assert [effect["ref"]["name"] for effect in document["effects"]] == ["a"] * changes
    person.git("push", "--quiet", "origin", "main")
    assert (await fleet.loop().once()).ok
    assert await fleet.names() == list(NAMES)

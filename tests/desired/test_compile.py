"""A commit as a whole: every problem at its place, nothing computed twice."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from gitops_ocm.desired.compile import DesiredState, compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.runtime.catalog import load_catalog

CATALOG = load_catalog()
TEMPLATE = Path(__file__).parents[2] / "repo-template"


def config_map(name: str, extra: str = "", namespace: str = "default") -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {namespace}\n{extra}"


WORK = """\
apiVersion: work.open-cluster-management.io/v1
kind: ManifestWork
metadata: {name: mw, namespace: cluster1}
spec:
  workload:
    manifests:
"""
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [size]
              properties: {size: {type: integer, maximum: 5}}
"""
WIDGET = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: default}\n"


def compiled(files: dict[str, str], path: str = ".") -> DesiredState:
    return compile_tree(memory_tree(files), CATALOG, path=path)


def test_the_template_is_clean() -> None:
    """The repository that `repo init` writes compiles without an error."""
    files = {p.relative_to(TEMPLATE).as_posix(): p.read_text() for p in TEMPLATE.rglob("*") if p.is_file()}
    state = compiled(files)
    assert [str(d) for d in state.diagnostics] == []
    assert len(state.objects) >= 6
    assert {w.origin.path for w in state.objects} <= files.keys()


PROBLEMS = [
    ("unparsable", "a: [\n", "yaml-syntax", 2, "did not find expected"),
    ("no apiVersion", "kind: ConfigMap\nmetadata: {name: a}\n", "missing-field", 1, "no apiVersion"),
    ("no kind", "apiVersion: v1\nmetadata: {name: a}\n", "missing-field", 1, "no kind"),
    (
        "no name",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: a}\n",
        "missing-name",
        3,
        "no metadata.name",
    ),
    ("no metadata", "apiVersion: v1\nkind: ConfigMap\n", "missing-name", 1, "no metadata.name"),
    (
        "generated name",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  generateName: a-\n",
        "missing-name",
        4,
        "new object",
    ),
    ("bad name", config_map("Bad_Name"), "invalid-metadata", 4, 'Invalid value: "Bad_Name"'),
    ("bad namespace", config_map("a", namespace="A.b"), "invalid-metadata", 5, "metadata.namespace"),
    ("bad label", config_map("a", "  labels:\n    'a b': x\n"), "invalid-metadata", 6, '"a b"'),
    ("numeric name", config_map("12"), "wrong-type", 4, "metadata.name: must be text, not a number 12"),
    (
        "label not text",
        config_map("a", "  labels:\n    a: yes\n"),
        "wrong-type",
        7,
        "must be text, not a boolean true",
    ),
    (
        "metadata a list",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: []\n",
        "wrong-type",
        3,
        "must be a mapping",
    ),
    (
        "unknown kind",
        "apiVersion: v1\nkind: ConfigMop\nmetadata: {name: a}\n",
        "unknown-kind",
        2,
        "does not serve",
    ),
    (
        "unknown version",
        "apiVersion: apps/v7\nkind: Deployment\nmetadata: {name: a}\n",
        "unknown-kind",
        1,
        "apps/v7",
    ),
    (
        "no namespace",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n",
        "missing-namespace",
        3,
        "none is given",
    ),
    (
        "namespace too much",
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  namespace: b\n",
        "unexpected-namespace",
        5,
        "cluster-scoped",
    ),
    ("unknown field", config_map("a", "dta: {}\n"), "unknown-field", 6, "unknown field 'dta'"),
    (
        "unknown metadata",
        config_map("a", "  lables: {}\n"),
        "unknown-field",
        6,
        "unknown field 'metadata.lables'",
    ),
    (
        "wrong type",
        config_map("a", "data:\n  x: 1\n"),
        "wrong-type",
        7,
        "data.x: must be text, not a number 1",
    ),
    (
        "wrong type deep",
        (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: b}\nspec:\n"
            "  replicas: many\n  selector: {}\n  template: {}\n"
        ),
        "wrong-type",
        5,
        "spec.replicas: must be a whole number",
    ),
    (
        "bad wave",
        config_map("a", "  annotations:\n    sync.gitops-ocm.io/wave: first\n"),
        "bad-wave",
        7,
        "integer",
    ),
    (
        "wave beyond all",
        config_map("a", f"  annotations:\n    sync.gitops-ocm.io/wave: '{'9' * 20}'\n"),
        "bad-wave",
        7,
        "at most six digits",
    ),
    (
        "prune, misspelt",
        config_map("a", "  annotations:\n    sync.gitops-ocm.io/prune: 'off'\n"),
        "bad-prune",
        7,
        "can only be 'disabled', not 'off'",
    ),
    (
        "annotation of ours, misspelt",
        config_map("a", "  annotations:\n    sync.gitops-ocm.io/wawe: '1'\n"),
        "unknown-mark",
        7,
        "no annotation sync.gitops-ocm.io/wawe",
    ),
    ("manifests, wrong type", WORK.replace("manifests:", "manifests: 3"), "wrong-type", 6, "must be a list"),
    (
        "OCM field",
        (
            "apiVersion: cluster.open-cluster-management.io/v1\nkind: ManagedCluster\nmetadata: {name: a}\n"
            "spec:\n  hubAcceptClient: true\n"
        ),
        "unknown-field",
        5,
        "hubAcceptClient",
    ),
    ("exported", config_map("a", "  resourceVersion: '12'\n"), "server-field", 6, "set by the server"),
    ("empty work", WORK.replace("manifests:", "manifests: []"), "work-empty", 6, "should not be empty"),
    (
        "work, no name",
        WORK + "    - {apiVersion: v1, kind: ConfigMap}\n",
        "work-manifest",
        7,
        "name must be set",
    ),
    (
        "work, generated",
        WORK + "    - {apiVersion: v1, kind: Pod, metadata: {generateName: a}}\n",
        "work-manifest",
        7,
        "generateName must not be set",
    ),
    (
        "work, twice",
        WORK + 2 * "    - {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: b}}\n",
        "work-duplicate",
        8,
        "duplicate manifest for resource b/a with resource type v1.Pod",
    ),
    (
        "work, too large",
        WORK
        + "    - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: "
        + "x" * 512_000
        + "}}\n",
        "work-too-large",
        6,
        "exceeds the 512000 limit",
    ),
    ("CRD rule", CRD + "---\n" + WIDGET + "spec:\n  size: 9\n", "invalid-field", 25, "spec.size"),
    ("CRD required", CRD + "---\n" + WIDGET + "spec: {}\n", "invalid-field", 24, "spec.size: Required value"),
    ("no CRD", WIDGET, "unknown-kind", 2, "Widget"),
]


@pytest.mark.parametrize(
    ("text", "code", "line", "words"), [p[1:] for p in PROBLEMS], ids=[p[0] for p in PROBLEMS]
)
def test_each_problem_names_its_line(text: str, code: str, line: int, words: str) -> None:
    """One bad object: one error, of the right code, at the field's line, and the commit is not applied."""
    state = compiled({"hub/a.yaml": text})
    assert not state.ok
    found = [(d.code, d.where.path, d.where.line) for d in state.diagnostics]
    assert found == [(code, "hub/a.yaml", line)]
    assert words in state.diagnostics[0].message
    assert state.diagnostics[0].where.commit == state.commit


def test_suggestions() -> None:
    """A misspelt field or kind is answered with the nearest name, a moved version with where it is."""
    files = {
        "hub/a.yaml": config_map("a", "binarydata: {}\n"),
        "hub/b.yaml": "apiVersion: v1\nkind: Namespase\nmetadata: {name: a}\n",
        "hub/c.yaml": "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\n",
    }
    assert [d.hint for d in compiled(files).diagnostics] == [
        'did you mean "binaryData"?',
        'did you mean "Namespace"?',
        "Deployment is served as apps/v1",
    ]


def test_all_problems_are_listed() -> None:
    """Problems of different files and objects are reported together, sorted by place."""
    files = {
        "hub/a.yaml": config_map("a", "x: 1\ny: 2\n") + "---\nkind: ConfigMap\n---\na: [\n",
        "works/b.yaml": config_map("b_", "z: 1\n"),
    }
    assert [(d.where.path, d.where.line, d.code) for d in compiled(files).diagnostics] == [
        ("hub/a.yaml", 6, "unknown-field"),
        ("hub/a.yaml", 7, "unknown-field"),
        ("hub/a.yaml", 9, "missing-field"),
        ("hub/a.yaml", 9, "missing-name"),
        ("hub/a.yaml", 12, "yaml-syntax"),
        ("works/b.yaml", 4, "invalid-metadata"),
        ("works/b.yaml", 6, "unknown-field"),
    ]


def test_the_same_object_twice_names_both_places() -> None:
    """An object in two files is an error at the second place, which names the first."""
    state = compiled(
        {"hub/a.yaml": config_map("a"), "hub/b.yaml": "# b\n" + config_map("a", "data: {x: z}\n")}
    )
    (found,) = state.diagnostics
    assert (found.code, str(found.where)) == ("duplicate-object", f"hub/b.yaml:2@{state.commit[:12]}")
    assert "hub/a.yaml:1" in found.message
    assert found.subject == "ConfigMap default/a"


def test_secrets_in_clear_text_are_a_warning() -> None:
    """A Secret with values is pointed out, and applied all the same."""
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\nstringData: {password: x}\n"
    state = compiled({"hub/a.yaml": secret})
    assert state.ok
    assert [d.code for d in state.diagnostics] == ["plain-secret"]
    assert "x" not in state.diagnostics[0].message.split()


LAYOUTS = [
    ("sync:\n  paths: [a/]\n", [], ("a/",)),
    ("sync:\n  path: [a/]\n", [("layout-invalid", 4)], None),
    ("snyc: {}\n", [("layout-invalid", 3)], None),
    ("sync:\n  paths: a\n", [("layout-invalid", 4)], None),
    ("sync:\n  paths: [../a]\n", [("layout-invalid", 4)], ("../a",)),
    ("sync: [\n", [("yaml-syntax", 4)], None),
    ("preview: {assumeTakes: 5m, rolloutCompat: ocm}\n", [], None),
    ("preview: {anything: goes}\n", [("layout-invalid", 3)], None),
    ("policy: {rule: []}\n", [("layout-invalid", 3)], None),
    ("policy: []\n", [("layout-invalid", 3)], None),
]


@pytest.mark.parametrize(("text", "problems", "paths"), LAYOUTS)
def test_layout(text: str, problems: list[tuple[str, int]], paths: tuple[str, ...] | None) -> None:
    """The layout is held to what it may say, with lines; what cannot be read leaves the default."""
    head = "apiVersion: config.gitops-ocm.io/v1alpha1\nkind: FleetRepository\n"
    state = compiled({"gitops-ocm.yaml": head + text})
    assert [(d.code, d.where.line) for d in state.diagnostics] == problems
    assert state.layout.sync.paths == (paths or ("hub/", "clusters/", "works/"))


@pytest.mark.parametrize("head", ["", "kind: Other\n", "apiVersion: v2\n"])
def test_layout_must_be_its_kind(head: str) -> None:
    """A layout file that is empty or says it is something else is refused."""
    assert not compiled({"gitops-ocm.yaml": head}).ok


def test_a_folder_that_is_not_there() -> None:
    """A sync of a path that the commit does not have says so instead of wanting nothing."""
    assert [d.code for d in compiled({"hub/a.yaml": config_map("a")}, path="fleets/eu").diagnostics] == [
        "no-such-path"
    ]


def test_digest_order_and_wave() -> None:
    """Objects are sorted by identity, digested as canonical JSON, and carry the wave they ask for."""
    annotated = config_map("z", '  annotations: {sync.gitops-ocm.io/wave: "-3"}\n')
    state = compiled({"works/z.yaml": annotated, "hub/b.yaml": config_map("b") + "---\n" + config_map("a")})
    assert [w.ref.name for w in state.objects] == ["a", "b", "z"]
    assert [w.wave for w in state.objects] == [0, 0, -3]
    assert [w.origin.line for w in state.objects] == [7, 1, 1]
    assert all(w.digest == hashlib.sha256(canonical_json(w.obj)).hexdigest() for w in state.objects)


def test_a_manifest_s_fault_is_told_once() -> None:
    """A manifest inside of a work whose head has the wrong types: one error, with the path from the work."""
    text = (
        "apiVersion: work.open-cluster-management.io/v1\nkind: ManifestWork\n"
        "metadata: {name: w, namespace: c1}\nspec:\n  workload:\n    manifests:\n"
        "    - apiVersion: v1\n      kind: ConfigMap\n"
        "      metadata:\n        name: s\n        namespace: n\n"
    )
    (problem,) = compiled({"works/w.yaml": text}).diagnostics
    path = "spec.workload.manifests[0].metadata.namespace"
    assert (problem.code, problem.where.line) == ("wrong-type", 11)
    assert f"{path}: must be text, not a boolean false" in problem.message

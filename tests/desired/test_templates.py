"""AddOnTemplates: what a commit alone can tell of them, at file and line."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.errors import Severity
from gitops_ocm.runtime.catalog import load_catalog

CATALOG = load_catalog()
HEAD = """\
apiVersion: addon.open-cluster-management.io/v1alpha1
kind: AddOnTemplate
metadata: {name: hello}
spec:
  addonName: hello
"""
CONFIG = """\
apiVersion: addon.open-cluster-management.io/v1alpha1
kind: AddOnDeploymentConfig
metadata: {name: settings, namespace: fleet}
spec: {customizedVariables: [{name: COLOUR, value: red}]}
"""


def template(text: str, registration: str = "") -> str:
    """A template with one ConfigMap, whose line is the tenth."""
    manifest = f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: m}}, data: {{k: '{text}'}}}}"
    spec = f"  agentSpec:\n    workload:\n      manifests:\n      - {manifest}\n"
    return HEAD + spec + (f"  registration:\n  - {registration}\n" if registration else "")


def problems(*texts: str) -> list[tuple[str, int, str, Severity]]:
    """What is wrong with these files: code, line, message, severity."""
    files = {f"hub/{at}.yaml": text for at, text in enumerate(texts)}
    found = compile_tree(memory_tree(files), CATALOG).diagnostics
    return [(d.code, d.where.line, d.message, d.severity) for d in found]


FINE: Mapping[str, str] = {
    "no variable": template("plain"),
    "built-in": template("{{CLUSTER_NAME}} {{INSTALL_NAMESPACE}}"),
    "named in a configuration": template("{{COLOUR}}"),
    "with a registration": template("{{HUB_KUBECONFIG}}", "{type: KubeClient, kubeClient: {}}"),
    "braces that are none": template("{A} }} {"),
}


@pytest.mark.parametrize("case", FINE)
def test_what_is_fine(case: str) -> None:
    """Nothing is said."""
    assert problems(CONFIG, FINE[case]) == []


@pytest.mark.parametrize("name", ["COLOR", "HUB_KUBECONFIG", "colour"])
def test_a_variable_that_nothing_names(name: str) -> None:
    """A warning: another configuration, of which this repository does not know, may give it a value."""
    why = f"manifest 0: nothing in this repository gives {{{{{name}}}}} a value: it would vanish"
    assert problems(CONFIG, template(f"{{{{{name}}}}}")) == [("template-variable", 9, why, Severity.WARNING)]


WRONG: Mapping[str, tuple[str, str, str]] = {
    "spaces": (template("{{ COLOUR }}"), "template-variable", "{{ COLOUR }} can have no value"),
    "an expression": (template("{{ .Values.x }}"), "template-variable", "{{ .Values.x }} can have no value"),
    "not closed": (template("{{COLOUR"), "template-manifest", "is none without its variables"),
    "no signer": (
        template("x", "{type: CustomSigner}"),
        "template-registration",
        "registration CustomSigner needs customSigner",
    ),
    "no role": (
        template("x", "{type: KubeClient, kubeClient: {hubPermissions: [{type: CurrentCluster}]}}"),
        "template-registration",
        "hub permission CurrentCluster needs currentCluster",
    ),
    "too large": (template("x" * 600_000), "template-manifest", "and a ManifestWork holds 512000"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_can_never_be_right(case: str) -> None:
    """An error at its line, with its manifest."""
    text, code, message = WRONG[case]
    found = [p for p in problems(CONFIG, text) if p[0] == code and message in p[2]]
    assert [(line, severity) for _, line, _, severity in found] == [
        (11 if "registration" in code else 9, Severity.ERROR)
    ]


def test_fields_without_effect() -> None:
    """A work of an add-on has neither: whoever counts on them is warned."""
    text = template("x") + "    deleteOption: {propagationPolicy: Orphan}\n"
    (found,) = problems(text)
    assert (found[0], found[1], found[3]) == ("template-field", 10, Severity.WARNING)

"""AddOnTemplates before the hub sees them: variables that stand for nothing, manifests that are none.

A variable that nobody gives a value vanishes from the manifest without a word, on every cluster; here it is
told, with its line. Whether the repository's own configurations name it is found out between objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gitops_ocm.api.work import MAX_MANIFESTS_BYTES
from gitops_ocm.desired.fields import Finding
from gitops_ocm.desired.yaml_events import Path
from gitops_ocm.errors import Severity
from gitops_ocm.objects.go_encoding import go_json
from gitops_ocm.objects.paths import get
from gitops_ocm.objects.template_text import substituted, variables_in

GROUP, KIND, CONFIG_KIND = "addon.open-cluster-management.io", "AddOnTemplate", "AddOnDeploymentConfig"
BUILT_IN = frozenset({"CLUSTER_NAME", "INSTALL_NAMESPACE"})
_NAME = re.compile(r"[a-zA-Z_][_a-zA-Z0-9]{0,254}")
_MANIFESTS: Path = ("spec", "agentSpec", "workload", "manifests")
_WITHOUT_EFFECT = ("executor", "deleteOption")
_DETAILS: Mapping[str, str] = {"KubeClient": "kubeClient", "CustomSigner": "customSigner"}
_PLACES: Mapping[str, str] = {"CurrentCluster": "currentCluster", "SingleNamespace": "singleNamespace"}


def template_findings(obj: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with an AddOnTemplate, whatever it is configured with."""
    for index, manifest in _manifests(obj):
        yield from _manifest(manifest, index)
    for field in _WITHOUT_EFFECT:
        if get(obj, "spec", "agentSpec", field, default=None) is not None:
            why = f"spec.agentSpec.{field} has no effect: works of add-ons are applied without it, as in OCM"
            yield Finding("template-field", why, ("spec", "agentSpec", field), "", Severity.WARNING)
    registrations = get(obj, "spec", "registration", default=None)
    for index, told in enumerate(registrations if isinstance(registrations, list) else ()):
        if isinstance(told, Mapping):
            yield from _registration(told, ("spec", "registration", index))


def _manifests(obj: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    found = get(obj, *_MANIFESTS, default=None)
    for index, manifest in enumerate(found if isinstance(found, list) else ()):
        if isinstance(manifest, Mapping):
            yield index, manifest


def _manifest(manifest: Mapping[str, Any], index: int) -> Iterator[Finding]:
    at: Path = (*_MANIFESTS, index)
    for name in variables_in(manifest):
        if not _NAME.fullmatch(name):
            shown = name if len(name) <= 60 else f"{name[:60]}…"
            yield Finding(
                "template-variable",
                f"manifest {index}: {{{{{shown}}}}} can have no value, and would vanish",
                at,
                "a variable is letters, digits and _, without spaces; other text in double braces cannot be",
            )
    try:
        substituted(manifest, {})
    except ValueError as error:
        hint = "close the braces of every variable"
        yield Finding(
            "template-manifest", f"manifest {index} is none without its variables: {error}", at, hint
        )
    size = len(go_json(manifest))
    if size > MAX_MANIFESTS_BYTES:
        why = f"manifest {index} has {size} bytes, and a ManifestWork holds {MAX_MANIFESTS_BYTES}"
        yield Finding("template-manifest", why, at, "split the object")


def _registration(told: Mapping[str, Any], at: Path) -> Iterator[Finding]:
    kind = told.get("type")
    detail = _DETAILS.get(str(kind))
    if kind == "CustomSigner" and detail is not None and not told.get(detail):
        yield Finding("template-registration", f"registration {kind} needs {detail}", at)
    permissions = get(told, "kubeClient", "hubPermissions", default=None)
    for index, permission in enumerate(permissions if isinstance(permissions, list) else ()):
        needed = _PLACES.get(str(permission.get("type"))) if isinstance(permission, Mapping) else None
        if needed is not None and not permission.get(needed):
            why = f"hub permission {permission.get('type')} needs {needed}"
            where = (*at, "kubeClient", "hubPermissions", index)
            yield Finding("template-registration", why, where)


def names_given(config: Mapping[str, Any]) -> set[str]:
    """The variables that an AddOnDeploymentConfig gives values."""
    found = get(config, "spec", "customizedVariables", default=None)
    return {str(v.get("name")) for v in (found if isinstance(found, list) else ()) if isinstance(v, Mapping)}


def unset_findings(obj: Mapping[str, Any], given: Iterable[str]) -> Iterator[Finding]:
    """The variables of an AddOnTemplate that no configuration of the repository gives a value."""
    registers = get(obj, "spec", "registration", default=None) is not None
    known = {*given, *BUILT_IN, *(("HUB_KUBECONFIG",) if registers else ())}
    for index, manifest in _manifests(obj):
        for name in variables_in(manifest):
            if _NAME.fullmatch(name) and name not in known:
                why = f"nothing in this repository gives {{{{{name}}}}} a value: it would vanish"
                yield Finding(
                    "template-variable",
                    f"manifest {index}: {why}",
                    (*_MANIFESTS, index),
                    "name it in spec.customizedVariables of an AddOnDeploymentConfig",
                    Severity.WARNING,
                )

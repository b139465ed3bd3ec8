"""CustomResourceDefinitions, generated from the models.

`crds()` is what a cluster is given so that it serves our kinds; `deploy/crds/` is the checked-in
copy. Two add-on kinds have versions with different schemas: v1alpha1, which is stored, and
v1beta1. An API server converts between such versions only through a webhook, and with the strategy
`None` it would silently lose the fields the other version does not have. So v1beta1 of those kinds
is served only where `conversion_webhook` says who converts (a hub with OCM's add-on webhook does).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from gitops_ocm.api.scheme import SCHEME, Column, Definition, Version, load_model
from gitops_ocm.api.structural import object_schema

API_VERSION = "apiextensions.k8s.io/v1"


@dataclass(frozen=True, slots=True)
class ConversionWebhook:
    """The service that converts objects between versions; `ca_bundle` is base64 of its CA."""

    namespace: str = "open-cluster-management-hub"
    name: str = "cluster-manager-addon-webhook"
    path: str = "/convert"
    port: int = 9443
    ca_bundle: str = ""

    def stanza(self) -> dict[str, Any]:
        """`spec.conversion` of a CustomResourceDefinition."""
        service = {"namespace": self.namespace, "name": self.name, "path": self.path, "port": self.port}
        client: dict[str, Any] = {"service": service}
        if self.ca_bundle:
            client["caBundle"] = self.ca_bundle
        return {
            "strategy": "Webhook",
            "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1", "v1beta1"]},
        }


def crds(*, conversion_webhook: ConversionWebhook | None = None) -> list[dict[str, Any]]:
    """Every CustomResourceDefinition, in the order of the scheme."""
    return [crd(definition, conversion_webhook=conversion_webhook) for definition in SCHEME]


def crd(
    definition: Definition, *, conversion_webhook: ConversionWebhook | None = None, schemas: bool = True
) -> dict[str, Any]:
    """The CustomResourceDefinition of one kind; without `schemas` no model is loaded for it."""
    converts = any(v.converted for v in definition.versions)
    versions = [v for v in definition.versions if conversion_webhook or not v.converted]
    spec: dict[str, Any] = {
        "group": definition.group,
        "names": _names(definition),
        "scope": "Namespaced" if definition.namespaced else "Cluster",
        "versions": [_version(definition, v, schemas=schemas) for v in versions],
    }
    if converts and conversion_webhook:
        spec["conversion"] = conversion_webhook.stanza()
    return {
        "apiVersion": API_VERSION,
        "kind": "CustomResourceDefinition",
        "metadata": {"name": definition.crd_name},
        "spec": spec,
    }


def crds_yaml(*, conversion_webhook: ConversionWebhook | None = None) -> str:
    """All of them as one YAML stream."""
    return "".join("---\n" + crd_yaml(each) for each in crds(conversion_webhook=conversion_webhook))


def crd_files() -> dict[str, str]:
    """What `deploy/crds/` holds: file name to content."""
    head = "# Generated from gitops_ocm/api by tools/write_crds.py.\n"
    return {f"{d.group}_{d.plural}.yaml": head + crd_yaml(crd(d)) for d in SCHEME}


def crd_yaml(one: Mapping[str, Any]) -> str:
    """One CustomResourceDefinition as a YAML document."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 10**6  # a folded description would leave spaces at line ends
    text = io.StringIO()
    yaml.dump(one, text)
    return text.getvalue()


def _names(definition: Definition) -> dict[str, Any]:
    names: dict[str, Any] = {
        "kind": definition.kind,
        "listKind": f"{definition.kind}List",
        "plural": definition.plural,
        "singular": definition.singular,
    }
    if definition.short_names:
        names["shortNames"] = list(definition.short_names)
    if definition.categories:
        names["categories"] = list(definition.categories)
    return names


def version_schema(version: Version) -> dict[str, Any]:
    """The schema of a version, as its definition has it."""
    schema: dict[str, Any] = orjson.loads(_schema(version))
    return schema


def _version(definition: Definition, version: Version, *, schemas: bool) -> dict[str, Any]:
    result: dict[str, Any] = {"name": version.name, "served": True, "storage": version.storage}
    if schemas:
        result["schema"] = {"openAPIV3Schema": version_schema(version)}
    if definition.status:
        result["subresources"] = {"status": {}}
    if version.columns:
        result["additionalPrinterColumns"] = [_column(c) for c in version.columns]
    return result


@cache
def _schema(version: Version) -> bytes:
    """The schema of a version as JSON: models do not change, and each caller may change what it gets."""
    return orjson.dumps(object_schema(load_model(version)))


def _column(column: Column) -> dict[str, Any]:
    result: dict[str, Any] = {"name": column.name, "type": column.type, "jsonPath": column.json_path}
    if column.priority:
        result["priority"] = column.priority
    if column.description:
        result["description"] = column.description
    return result

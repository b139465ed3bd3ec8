"""What the server says it serves: legacy and aggregated discovery, OpenAPI, and the packaged kinds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from gitops_ocm.apiserver.discovery import Discovery, version_rank
from gitops_ocm.apiserver.openapi import OpenApi, definition_name
from gitops_ocm.objects.catalog import Served
from gitops_ocm.runtime.catalog import definitions, kubernetes_version, load_catalog

CATALOG = load_catalog()
DISCOVERY = Discovery(CATALOG)
OPENAPI = OpenApi(DISCOVERY)


def _schemas(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for inner in schema.values():
            yield from _schemas(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _schemas(inner)


@pytest.mark.parametrize(
    "entry", CATALOG.entries(), ids=lambda e: f"{e.resource.api_version}/{e.resource.kind}"
)
def test_every_kind_is_complete(entry: Served) -> None:
    """Each served kind has a schema with metadata-bearing root, a list kind and verbs."""
    schema = entry.schema
    assert schema is not None
    assert schema.type == "object"
    assert entry.list_kind
    assert entry.resource.verbs
    assert DISCOVERY.served(entry.resource.group, entry.resource.version, entry.resource.plural) is entry


@pytest.mark.parametrize(
    ("api_version", "kind", "plural", "namespaced", "short", "subresources"),
    [
        ("v1", "ConfigMap", "configmaps", True, ("cm",), set()),
        ("v1", "Namespace", "namespaces", False, ("ns",), {"status", "finalize"}),
        ("apps/v1", "Deployment", "deployments", True, ("deploy",), {"status", "scale"}),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", False, (), set()),
        (
            "certificates.k8s.io/v1",
            "CertificateSigningRequest",
            "certificatesigningrequests",
            False,
            ("csr",),
            {"status", "approval"},
        ),
        ("work.open-cluster-management.io/v1", "ManifestWork", "manifestworks", True, None, {"status"}),
    ],
)
def test_resources_are_served_as_the_real_ones(
    api_version: str,
    kind: str,
    plural: str,
    namespaced: bool,
    short: tuple[str, ...] | None,
    subresources: set[str],
) -> None:
    """Names, scope and subresources of well-known kinds."""
    resource = CATALOG.resource(api_version, kind)
    assert resource is not None
    assert (resource.plural, resource.namespaced) == (plural, namespaced)
    assert set(resource.subresources) == subresources
    assert short is None or resource.short_names == short


def test_legacy_and_aggregated_say_the_same() -> None:
    """Both documents list the same resources, kinds, scopes, verbs and subresources."""
    for core in (True, False):
        document, etag = DISCOVERY.aggregated("v2", core=core)
        assert etag.startswith('"')
        for group in document["items"]:
            name = group["metadata"].get("name", "")
            for version in group["versions"]:
                legacy = DISCOVERY.resource_list(name, version["version"])
                assert legacy is not None
                rows = {r["name"]: r for r in legacy["resources"]}
                told = set()
                for resource in version["resources"]:
                    row = rows[resource["resource"]]
                    told.add(row["name"])
                    assert row["kind"] == resource["responseKind"]["kind"]
                    assert row["namespaced"] is (resource["scope"] == "Namespaced")
                    assert row["verbs"] == resource["verbs"]
                    told |= {f"{row['name']}/{s['subresource']}" for s in resource.get("subresources", ())}
                assert told == set(rows)


def test_groups_prefer_their_best_version() -> None:
    """The group list and the group document agree, and name the preferred version first."""
    listed = {g["name"]: g for g in DISCOVERY.group_list()["groups"]}
    assert listed["autoscaling"]["preferredVersion"]["version"] == "v2"
    assert "" not in listed
    for name, group in listed.items():
        alone = DISCOVERY.group(name)
        assert alone is not None
        assert alone["versions"] == group["versions"]
        assert group["preferredVersion"] == group["versions"][0]
    assert DISCOVERY.group("nope") is None
    assert DISCOVERY.resource_list("apps", "v9") is None


def test_versions_sort_by_stability() -> None:
    """GA before beta before alpha, newer first, odd names last."""
    mixed = ["foo10", "v1beta1", "v1", "v12alpha1", "v10", "foo1", "v2beta1", "v2", "v11beta2"]
    wanted = ["v10", "v2", "v1", "v11beta2", "v2beta1", "v1beta1", "v12alpha1", "foo1", "foo10"]
    assert sorted(mixed, key=version_rank) == wanted


def test_every_openapi_document_is_closed() -> None:
    """Each group-version's document has every schema it refers to, and each of its kinds."""
    paths = OPENAPI.root()["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/work.open-cluster-management.io/v1"} <= set(paths)
    for path in paths:
        body = OPENAPI.v3(path)
        assert body is not None
        document = orjson.loads(body)
        schemas = document["components"]["schemas"]
        assert {ref.rpartition("/")[2] for ref in _schemas(document)} <= set(schemas), path
    assert OPENAPI.v3("apis/none/v1") is None


def test_swagger_is_closed_and_plain() -> None:
    """The v2 document refers to its own definitions and uses no v3 words."""
    document = orjson.loads(OPENAPI.v2())
    names = set(document["definitions"])
    refs = set(_schemas(document))
    assert refs
    assert {r.removeprefix("#/definitions/") for r in refs} <= names
    props = document["definitions"][
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
    ]
    assert {"not", "oneOf", "$ref", "nullable"} <= set(props["properties"])


def test_kubectl_finds_server_side_validation() -> None:
    """Each kind's PATCH names `fieldValidation`: kubectl then leaves validation to the server."""
    for path, of in (
        ("apis/apps/v1", "Deployment"),
        ("apis/work.open-cluster-management.io/v1", "ManifestWork"),
    ):
        body = OPENAPI.v3(path)
        assert body is not None
        operations = [o["patch"] for o in orjson.loads(body)["paths"].values() if "patch" in o]
        named = [
            {p["name"] for p in o["parameters"]}
            for o in operations
            if o["x-kubernetes-group-version-kind"]["kind"] == of
        ]
        assert named
        assert all("fieldValidation" in n for n in named)


def test_the_hash_follows_the_content() -> None:
    """The same catalog has the same hashes; one CRD less changes its group's alone."""
    again = OpenApi(Discovery(load_catalog())).root()["paths"]
    assert again == OPENAPI.root()["paths"]
    crds = [e for e in CATALOG.entries() if e.custom]
    fewer = load_catalog(ocm=False).with_served(crds[1:])
    paths = OpenApi(Discovery(fewer)).root()["paths"]
    changed = {p for p in again if again[p] != paths.get(p)}
    gone = crds[0].resource
    assert changed == {f"apis/{gone.group}/{gone.version}"}


def test_custom_definitions_are_named_backwards() -> None:
    """As CRDs' definitions are everywhere."""
    resource = CATALOG.resource("work.open-cluster-management.io/v1", "ManifestWork")
    assert resource is not None
    assert definition_name(resource) == "io.open-cluster-management.work.v1.ManifestWork"


def test_the_packaged_data_carries_no_prose() -> None:
    """Facts alone were taken from the server: no property is described."""

    def described(schema: Any, *, names: bool = False) -> bool:
        if isinstance(schema, list):
            return any(described(item) for item in schema)
        if not isinstance(schema, dict):
            return False
        if not names and isinstance(schema.get("description"), str):
            return True
        return any(described(v, names=k == "properties" and not names) for k, v in schema.items())

    assert not any(described(d) for d in definitions().values())
    assert kubernetes_version()["gitVersion"].startswith("v1.35")

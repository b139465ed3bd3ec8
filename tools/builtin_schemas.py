"""Writes the built-in kinds' data from a running kube-apiserver: what the embedded hub knows of them.

    kubectl --kubeconfig FILE proxy --port 8001 &
    .venv/bin/python tools/builtin_schemas.py http://127.0.0.1:8001

It reads discovery and OpenAPI v3. Two files result, read by `gitops_ocm.runtime.catalog`:
`resources.json` (how each kind is served) and `definitions.json.gz` (schemas by definition name, references
kept, without prose). Defaults that a server sets in code are in no OpenAPI:
`gitops_ocm.objects.native_defaults` has them.

With `--descriptions FILE` it writes the prose instead, which is Kubernetes' own text and no part of this
project: what `kubectl explain` prints where `hub serve --descriptions FILE` is told of it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "gitops_ocm" / "apiserver" / "builtin"
GROUPS = (
    "", "apps", "batch", "autoscaling", "policy", "apiextensions.k8s.io", "apiregistration.k8s.io",
    "admissionregistration.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "certificates.k8s.io",
    "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io", "node.k8s.io", "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io",
    "storage.k8s.io",
)  # fmt: skip
WITHOUT = {("", "componentstatuses")}
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class Server:
    """GETs from one API server without authentication (a `kubectl proxy`)."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def get(self, path: str, accept: str = "application/json") -> dict[str, Any]:
        """The JSON answer to one GET."""
        request = urllib.request.Request(self.url + path, headers={"Accept": accept})  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            body: dict[str, Any] = json.load(answer)
            return body


def resources(server: Server) -> Iterator[dict[str, Any]]:
    """One row a kind and version, in the server's order of preference."""
    for root in ("/api", "/apis"):
        for group in server.get(root, DISCOVERY)["items"]:
            name = group["metadata"].get("name", "")
            if name not in GROUPS:
                continue
            for version in group["versions"]:
                for resource in version["resources"]:
                    if (name, resource["resource"]) not in WITHOUT:
                        yield row(name, version["version"], resource)


def row(group: str, version: str, resource: dict[str, Any]) -> dict[str, Any]:
    """What the packaged file says of one resource."""
    answer = {
        "group": group,
        "version": version,
        "kind": resource["responseKind"]["kind"],
        "plural": resource["resource"],
        "singular": resource["singularResource"],
        "namespaced": resource["scope"] == "Namespaced",
        "verbs": sorted(resource["verbs"]),
    }
    for key in ("shortNames", "categories"):
        if resource.get(key):
            answer[key] = resource[key]
    subresources = sorted(s["subresource"] for s in resource.get("subresources", ()))
    if subresources:
        answer["subresources"] = subresources
    return answer


def definitions(server: Server, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Every definition the kinds need, by name, as the server publishes it."""
    found: dict[str, Any] = {}
    for group, version in sorted({(r["group"], r["version"]) for r in rows}):
        path = f"apis/{group}/{version}" if group else f"api/{version}"
        for name, schema in server.get(f"/openapi/v3/{path}")["components"]["schemas"].items():
            found.setdefault(name, schema)
    return reachable(found, {(r["group"], r["version"], r["kind"]) for r in rows})


def facts(schema: dict[str, Any]) -> dict[str, Any]:
    """A definition without prose."""
    kept = {key: value for key, value in schema.items() if key != "description"}
    if "properties" in kept:
        kept["properties"] = {name: facts(inner) for name, inner in kept["properties"].items()}
    return kept


def prose(schema: dict[str, Any]) -> dict[str, str]:
    """What a definition's descriptions say, by property; its own under `""`."""
    found = {"": schema} | schema.get("properties", {})
    return {name: inner["description"] for name, inner in found.items() if inner.get("description")}


def reachable(found: dict[str, Any], roots: set[tuple[str, str, str]]) -> dict[str, Any]:
    """The definitions that the kinds in `roots` lead to; shared kinds are told of those groups alone."""
    groups = {(group, version) for group, version, _ in roots}
    shared = {"DeleteOptions", "WatchEvent", "Status", "APIResourceList"}
    pending = []
    for name, schema in found.items():
        gvks = schema.get("x-kubernetes-group-version-kind", ())
        wanted = {g["kind"].removesuffix("List") for g in gvks} & {kind for _, _, kind in roots}
        if wanted or {g["kind"] for g in gvks} & shared:
            pending.append(name)
        if gvks:
            schema["x-kubernetes-group-version-kind"] = [
                g for g in gvks if (g["group"], g["version"]) in groups
            ]
    kept: dict[str, Any] = {}
    while pending:
        name = pending.pop()
        if name not in kept:
            kept[name] = found[name]
            pending += references(found[name])
    return dict(sorted(kept.items()))


def references(schema: Any) -> Iterator[str]:
    """Names of the definitions a schema refers to."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].rpartition("/")[2]
        for inner in schema.values():
            yield from references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from references(inner)


def main() -> None:
    """Read the server named on the command line; write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="an API server that asks for no credentials: a `kubectl proxy`")
    parser.add_argument("--descriptions", type=Path, metavar="FILE", help="write the prose alone, to FILE")
    given = parser.parse_args()
    server = Server(given.url)
    version = server.get("/version")
    rows = list(resources(server))
    found = definitions(server, rows)
    if given.descriptions:
        text = {name: told for name, schema in found.items() if (told := prose(schema))}
        write(given.descriptions, text)
        return
    TARGET.mkdir(parents=True, exist_ok=True)
    head = {"gitVersion": version["gitVersion"], "major": version["major"], "minor": version["minor"]}
    lines = ",\n".join("  " + json.dumps(r) for r in rows)
    (TARGET / "resources.json").write_text(
        f'{{"version": {json.dumps(head)},\n "resources": [\n{lines}\n]}}\n', encoding="utf-8"
    )
    write(TARGET / "definitions.json.gz", {name: facts(schema) for name, schema in found.items()})
    sys.stdout.write(f"{len(rows)} resources, {len(found)} definitions\n")


def write(path: Path, content: Any) -> None:
    """One compressed file; the same content has the same bytes."""
    packed = gzip.compress(json.dumps(content, separators=(",", ":")).encode(), mtime=0)
    path.write_bytes(packed)
    sys.stdout.write(f"{path.name}: {len(packed)} bytes\n")


if __name__ == "__main__":
    main()

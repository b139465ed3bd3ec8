"""Writes the roles and bindings that a kube-apiserver starts with, read from one that has just started.

    kubectl --kubeconfig FILE proxy --port 8001 &
    .venv/bin/python tools/builtin_roles.py http://127.0.0.1:8001

The result, `roles.json.gz`, is what `gitops_ocm.apiserver.access_bootstrap` gives a new embedded server.
Rules that a controller has gathered into an aggregated role are left out: they are gathered here too.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "gitops_ocm" / "apiserver" / "builtin" / "roles.json.gz"
API = "apis/rbac.authorization.k8s.io/v1"
KINDS = {
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "Role": "roles",
    "RoleBinding": "rolebindings",
}
DEFAULT = "kubernetes.io/bootstrapping"
KEPT = ("name", "namespace", "labels", "annotations")


def main() -> None:
    """Read the four kinds and write the file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("server", help="the URL of a kubectl proxy")
    server = parser.parse_args().server.rstrip("/")
    found = {kind: [_fact(obj) for obj in _listed(server, plural)] for kind, plural in KINDS.items()}
    packed = json.dumps(found, separators=(",", ":"), sort_keys=True).encode()
    TARGET.write_bytes(gzip.compress(packed, 9, mtime=0))
    counts = ", ".join(f"{len(rows)} {KINDS[kind]}" for kind, rows in found.items())
    sys.stdout.write(f"{TARGET}: {counts}, {TARGET.stat().st_size} bytes\n")


def _listed(server: str, plural: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{server}/{API}/{plural}") as answer:  # noqa: S310 - a proxy on loopback
        items: list[dict[str, Any]] = json.load(answer)["items"]
    # What the server itself has made carries this label; the rest is some controller's or person's.
    return [obj for obj in items if DEFAULT in (obj["metadata"].get("labels") or {})]


def _fact(obj: dict[str, Any]) -> dict[str, Any]:
    meta = {key: obj["metadata"][key] for key in KEPT if key in obj["metadata"]}
    rest = {key: value for key, value in obj.items() if key not in ("metadata", "kind", "apiVersion")}
    if rest.get("aggregationRule"):
        rest.pop("rules", None)
    return {"metadata": meta, **rest}


if __name__ == "__main__":
    main()

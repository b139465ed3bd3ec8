"""The roles and bindings a new server starts with: a kube-apiserver's, and of kubeadm's what a hub needs.

The former are packaged data (`tools/builtin_roles.py`). Once written they are objects like any other, but
what is missing in them is put back at the next start, unless they are annotated to be left alone; what
people have added stays. Aggregated roles (`admin`, `edit`, `view`) get their rules from `upkeep_roles`.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import orjson

from gitops_ocm.apiserver.rbac import ANONYMOUS, GROUP, Rule, missing_from
from gitops_ocm.objects.ref import Object

AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
_NODE_TOKENS = "system:bootstrappers:kubeadm:default-node-token"
_NODE_CSRS = "system:certificates.k8s.io:certificatesigningrequests:"


def bootstrap_objects() -> Iterator[Object]:
    """Roles first, then the bindings that need them."""
    packed = (files("gitops_ocm") / "apiserver" / "builtin" / "roles.json.gz").read_bytes()
    found: dict[str, list[Object]] = orjson.loads(gzip.decompress(packed))
    for kind in ("ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding"):
        for facts in found[kind]:
            yield {"apiVersion": f"{GROUP}/v1", "kind": kind, **facts}
    yield from _of_kubeadm()


def restored(found: Object, wanted: Object) -> Object | None:
    """A role or binding with what it lacks of a default one; None where it lacks nothing."""
    if (found["metadata"].get("annotations") or {}).get(AUTOUPDATE) != "true":
        return None
    rules: list[Rule] = list(found.get("rules") or ())
    subjects: list[Object] = list(found.get("subjects") or ())
    lost = missing_from(rules, wanted.get("rules") or ()) if "aggregationRule" not in wanted else []
    absent = [subject for subject in wanted.get("subjects") or () if subject not in subjects]
    if lost:
        return {**found, "rules": [*rules, *lost]}
    return {**found, "subjects": [*subjects, *absent]} if absent else None


def authentication_objects(client_ca: str) -> Iterator[Object]:
    """By which a server of a client's own (an extension, a controller's metrics) knows this one's users."""
    meta = {"name": "extension-apiserver-authentication", "namespace": "kube-system"}
    yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"client-ca-file": client_ca}}


def _of_kubeadm() -> Iterator[Object]:
    """Who has no credentials yet may read how to reach this server, and nodes may ask to join."""
    reader = "kubeadm:bootstrap-signer-clusterinfo"
    rule = {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "resourceNames": ["cluster-info"],
        "verbs": ["get"],
    }
    yield _object("Role", reader, "kube-public", rules=[rule])
    nodes = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}
    yield _object("ClusterRole", "kubeadm:get-nodes", rules=[nodes])
    yield _binding(reader, reader, {"kind": "User", "name": ANONYMOUS}, "kube-public")
    for name, role, group in (
        ("kubeadm:get-nodes", "kubeadm:get-nodes", _NODE_TOKENS),
        ("kubeadm:kubelet-bootstrap", "system:node-bootstrapper", _NODE_TOKENS),
        ("kubeadm:node-autoapprove-bootstrap", f"{_NODE_CSRS}nodeclient", _NODE_TOKENS),
        ("kubeadm:node-autoapprove-certificate-rotation", f"{_NODE_CSRS}selfnodeclient", "system:nodes"),
    ):
        yield _binding(name, role, {"kind": "Group", "name": group})


def _binding(name: str, role: str, subject: dict[str, str], namespace: str = "") -> Object:
    ref = {"apiGroup": GROUP, "kind": "Role" if namespace else "ClusterRole", "name": role}
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    return _object(kind, name, namespace, roleRef=ref, subjects=[{"apiGroup": GROUP, **subject}])


def _object(kind: str, name: str, namespace: str = "", **rest: Any) -> Object:
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": meta, **rest}

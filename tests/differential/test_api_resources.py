"""What `kubectl api-resources` lists is the same on the embedded server and on a real kube-apiserver."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gitops_ocm.kube.cluster import Cluster

pytestmark = pytest.mark.controlplane

NOT_HERE = {
    ("componentstatuses", "v1"): "deprecated since 1.19, and about programs that are not there",
    ("clustermanagementaddons", "addon.open-cluster-management.io/v1alpha1"): "listed at v1beta1 here",
    ("managedclusteraddons", "addon.open-cluster-management.io/v1alpha1"): "listed at v1beta1 here",
}
NOT_THERE = {
    ("clustermanagementaddons", "addon.open-cluster-management.io/v1beta1"): "served here too, and preferred",
    ("managedclusteraddons", "addon.open-cluster-management.io/v1beta1"): "served here too, and preferred",
}
"""Differences that stay: by plural and version, why."""


async def _listed(kubectl: Path, kubeconfig: Path) -> dict[tuple[str, str], str]:
    """Every line by plural and version: short names, kind, scope, verbs and categories are in it."""
    ran = await asyncio.create_subprocess_exec(
        *(kubectl, "--kubeconfig", kubeconfig, "api-resources", "-o", "wide", "--no-headers"),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await ran.communicate()
    assert ran.returncode == 0
    lines = [" ".join(line.split()) for line in out.decode().splitlines()]
    return {(line.split()[0], _version(line)): line for line in lines}


OURS = (".k8s.io", "open-cluster-management.io", "sync.gitops-ocm.io")


def _is_a_guest(version: str) -> bool:
    group = version.rpartition("/")[0]
    return "." in group and not group.endswith(OURS)


def _version(line: str) -> str:
    return next(word for word in line.split()[1:] if word == "v1" or "/" in word)


async def test_both_serve_the_same_resources(
    kubectl: Path,
    embedded_kubeconfig: Path,
    embedded_cluster: Cluster,
    kubernetes_kubeconfig: Path,
    kubernetes_cluster: Cluster,
) -> None:
    """Each built-in kind and each of OCM's is listed alike, but for those named with their reasons."""
    ours, theirs = await asyncio.gather(
        _listed(kubectl, embedded_kubeconfig), _listed(kubectl, kubernetes_kubeconfig)
    )
    # Definitions that other tests have made on one of them are no part of this.
    kinds = {k: line for k, line in theirs.items() if not _is_a_guest(k[1])}
    assert {k: line for k, line in ours.items() if not _is_a_guest(k[1]) and k not in NOT_THERE} == {
        k: line for k, line in kinds.items() if k not in NOT_HERE
    }
    assert kinds.keys() >= NOT_HERE.keys()

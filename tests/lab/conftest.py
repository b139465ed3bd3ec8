"""Real clusters for the end-to-end test: given by the environment, and only asked for by `make e2e`.

GITOPS_OCM_E2E_HUB_KUBECONFIG      an administrator of the hub
GITOPS_OCM_E2E_MANAGED_KUBECONFIG  an administrator of the cluster that joins it
GITOPS_OCM_E2E_IMAGE               our image, as both clusters' nodes know it
GITOPS_OCM_E2E_HUB_SERVER          the hub's URL as the managed cluster's pods reach it, if that is another
                                   than in the kubeconfig (KinD: https://<name>-control-plane:6443)
GITOPS_OCM_E2E_POD_IMAGE           an image with /bin/sh for the pods of works (default: busybox)
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

PREFIX = "GITOPS_OCM_E2E_"
collect_ignore = [] if f"{PREFIX}HUB_KUBECONFIG" in os.environ else ["test_real_clusters.py"]


@dataclass(frozen=True)
class Lab:
    """Where the test runs."""

    hub: Path
    managed: Path
    image: str
    hub_server: str
    pod_image: str


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The clusters that the environment names."""
    given = {
        name: os.environ.get(PREFIX + name, "")
        for name in ("HUB_KUBECONFIG", "MANAGED_KUBECONFIG", "IMAGE", "HUB_SERVER", "POD_IMAGE")
    }
    missing = [PREFIX + name for name in ("MANAGED_KUBECONFIG", "IMAGE") if not given[name]]
    if missing:
        pytest.exit(f"set {', '.join(missing)}", 1)
    return Lab(
        Path(given["HUB_KUBECONFIG"]),
        Path(given["MANAGED_KUBECONFIG"]),
        given["IMAGE"],
        given["HUB_SERVER"],
        given["POD_IMAGE"] or "busybox",
    )

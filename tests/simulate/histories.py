"""What the histories of a fleet in memory are about: one work, what it puts on a cluster, one replica set."""

from __future__ import annotations

from collections.abc import Callable

from gitops_ocm.decide.kinds import MANIFEST_WORK, REPLICA_SET
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import Fleet

Fleets = Callable[..., Fleet]
CONFIG = Ref("", "ConfigMap", "demo", "settings")
WEB = Ref("apps", "Deployment", "demo", "web")
WORK = Ref(*MANIFEST_WORK, "c1", "web")
SET = Ref(*REPLICA_SET, "fleet", "web")


def manifests(value: str = "1") -> list[Object]:
    """A namespace and what goes into it, in an order that only sorting makes work."""
    return [
        make.deployment("web", "demo"),
        make.config_map("settings", "demo", {"value": value}),
        make.namespace("demo"),
    ]

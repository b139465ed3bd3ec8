"""How an operator goes about it: values from its command line, and the rights that the components get.

The rights are made from the controller table by `operator.operator_rights` and handed in, for they need the
catalog of kinds, which is read from a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitops_ocm.api.operator import OPERATOR_NAMESPACE
from gitops_ocm.decide.contract import Side
from gitops_ocm.objects.ref import Object

BUNDLE_VERSION = "1.3.1"
"""The version of OCM whose definitions of kinds ours are."""
UPSTREAM_IMAGES = "quay.io/open-cluster-management/"
"""Where OCM's own programs are. A spec that names one of them (its defaults do) gets our image instead."""


@dataclass(frozen=True)
class OperatorSettings:
    """Settings of one operator.

    `image` runs every component whose spec does not name another; `rules` are each component's rights.
    `replicas` 0 means: as many as the control plane's nodes suggest. `in_process` is for a hub that runs
    its controllers itself: then Deployments only show which of them there are. `hosted` is the name of the
    one object whose other cluster is `Side.SPOKE`; without it the operator looks after all that are not
    hosted, on the one cluster it has.
    """

    image: str
    version: str
    rules: Mapping[str, tuple[Object, ...]] = field(default_factory=dict)
    replicas: int = 0
    control_plane_label: str = "node-role.kubernetes.io/master"
    namespace: str = OPERATOR_NAMESPACE
    in_process: bool = False
    hosted: str = ""
    addon_namespace: bool = True

    @property
    def far(self) -> Side:
        """The side of the cluster that is managed (of a Klusterlet) or the hub (of a ClusterManager)."""
        return Side.SPOKE if self.hosted else Side.HUB

    def image_for(self, named: object) -> str:
        """The image for a component whose spec names `named`."""
        text = str(named or "")
        return self.image if not text or text.startswith(UPSTREAM_IMAGES) else text

    def rules_for(self, component: str) -> tuple[Object, ...]:
        """A component's rights."""
        return self.rules.get(component, ())

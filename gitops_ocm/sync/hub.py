"""The hub that a HubSync is carried out on, as those see it who write to it."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.commit import Committer


@dataclass(frozen=True)
class Hub:
    """The hub, and how it is written to: by `committer`, whose field manager is `manager`."""

    cluster: Cluster
    mapper: Mapper
    committer: Committer
    manager: str

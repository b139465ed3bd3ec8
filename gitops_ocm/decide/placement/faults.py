"""What can be wrong with a Placement.

GitopsError
└── Misconfigured       ends up in the condition PlacementMisconfigured
"""

from __future__ import annotations

from gitops_ocm.errors import GitopsError


class Misconfigured(GitopsError):
    """The placement says something that cannot be; `plugin` is who found out (may be empty)."""

    code = "placement-misconfigured"

    def __init__(self, plugin: str, why: str) -> None:
        super().__init__(f"{plugin}:{why}")
        self.plugin = plugin

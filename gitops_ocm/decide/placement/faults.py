"""What can be wrong with a Placement.

GitopsError
└── Misconfigured       ends up in the condition PlacementMisconfigured
    └── TooCostly       its expressions cost more than a decision may; the last one stands
"""

from __future__ import annotations

from gitops_ocm.errors import GitopsError


class Misconfigured(GitopsError):
    """The placement says something that cannot be; `plugin` is who found out (may be empty)."""

    code = "placement-misconfigured"

    def __init__(self, plugin: str, why: str) -> None:
        super().__init__(f"{plugin}:{why}")
        self.plugin = plugin


class TooCostly(Misconfigured):
    """All expressions on all clusters together cost more than `units`: nobody knows who would be selected."""

    code = "placement-too-costly"

    def __init__(self, units: int) -> None:
        super().__init__(
            "Predicate",
            f"the expressions cost more than {units} on all clusters together: "
            "the decisions stay as they are",
        )

"""The rollout strategy: how fast, in what order and with how many failures a change spreads.

Add-on install strategies and ManifestWorkReplicaSets embed it. The decisions are `decide.rollout`.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from gitops_ocm.api.base import Int32, IntOrString, Model

ROLLOUT_COUNT_PATTERN = r"^((100|[0-9]{1,2})%|[0-9]+)$"
RolloutCount = Annotated[int | str, IntOrString(ROLLOUT_COUNT_PATTERN)]
"""A number of clusters, or a percentage of them."""

ALL: Final = "All"
PROGRESSIVE: Final = "Progressive"
PROGRESSIVE_PER_GROUP: Final = "ProgressivePerGroup"
ROLLOUT_COMPAT_ANNOTATION: Final = "rollout.gitops-ocm.io/compat"
"""Our own, on a ClusterManager: `ocm` has its hub decide rollouts to the letter as OCM does."""


class DecisionGroupRef(Model):
    """Names a decision group of the placement, by name or by index."""

    group_name: str | None = Field(None, description="Name of the group; wins over the index.")
    group_index: Int32 | None = Field(None, description="Index of the group.")


class RolloutConfig(Model):
    """Limits that every rollout type knows."""

    min_success_time: str = Field("0", description="How long a cluster must stay good to count as done.")
    progress_deadline: str = Field(
        "None",
        pattern="^(([0-9])+[h|m|s])|None$",
        description="How long a cluster may take before it counts as failed; None waits for ever.",
    )
    max_failures: RolloutCount = Field(
        0, description="How many clusters may fail before the rollout stops; a number or a percentage."
    )


class RolloutAll(RolloutConfig):
    """Every cluster at once."""


class RolloutPerGroup(RolloutConfig):
    """One decision group after the other."""

    mandatory_decision_groups: list[DecisionGroupRef] | None = Field(
        None, description="Groups that must be done without a failure before all others."
    )


class RolloutProgressive(RolloutPerGroup):
    """So many clusters at a time."""

    max_concurrency: RolloutCount | None = Field(
        None, description="How many clusters may be under way at once; a number or a percentage."
    )


class RolloutStrategy(Model):
    """How a change spreads over the clusters of a placement."""

    type: Literal["All", "Progressive", "ProgressivePerGroup"] = Field(
        "All", description="All at once, some at a time, or group by group."
    )
    all: RolloutAll | None = Field(None, description="Limits for All.")
    progressive: RolloutProgressive | None = Field(None, description="Limits for Progressive.")
    progressive_per_group: RolloutPerGroup | None = Field(None, description="Limits for ProgressivePerGroup.")

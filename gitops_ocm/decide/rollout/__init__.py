"""Which clusters may get the wanted state now: the rollout strategies of placements.

Add-ons and ManifestWorkReplicaSets say in which state each placed cluster is, and are told which to roll
out to; nothing here reads or writes an object. `model` are the values that go in and out, `limits` reads a
strategy's options, `judging` counts time into one cluster's state, `groups` reads decision groups. The
decision is `steps`; `ocm` is OCM's own, exactly, for who asks for it. `waves` walks a rollout to its end.
"""

from gitops_ocm.decide.rollout.advance import advance
from gitops_ocm.decide.rollout.groups import Group, groups_of
from gitops_ocm.decide.rollout.model import ClusterState, Hold, HoldReason, RolloutError, State, Step
from gitops_ocm.decide.rollout.waves import Plan, Wave, plan_waves

__all__ = [
    "ClusterState",
    "Group",
    "Hold",
    "HoldReason",
    "Plan",
    "RolloutError",
    "State",
    "Step",
    "Wave",
    "advance",
    "groups_of",
    "plan_waves",
]

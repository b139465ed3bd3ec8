"""Placement, PlacementDecision, AddOnPlacementScore: which clusters something goes to.

Group `cluster.open-cluster-management.io`. The decisions themselves are `decide.placement`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gitops_ocm.api.base import Int32, Int64, IntOrString, Mandatory, Model, TimeText, list_map
from gitops_ocm.api.cluster import TaintEffect
from gitops_ocm.api.meta import (
    DNS_PREFIX,
    QUALIFIED_NAME,
    Conditions,
    KnownCondition,
    KubeObject,
    LabelSelector,
    LabelSelectorRequirement,
)

GROUP_SIZE_PATTERN = r"^((100|[1-9][0-9]{0,1})%|[1-9][0-9]*)$"
TOPOLOGY_KEY_PATTERN = DNS_PREFIX + r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$"


class ClaimSelector(Model):
    """A query over the claims of a cluster."""

    match_expressions: list[LabelSelectorRequirement] | None = Field(
        None, description="Expressions that must hold, with claim names for keys."
    )


class CelSelector(Model):
    """A query over the whole ManagedCluster in CEL."""

    cel_expressions: list[str] | None = Field(
        None, description="Expressions over `managedCluster` that must all be true."
    )


class GroupClusterSelector(Model):
    """Picks the clusters of a decision group; all that is given must match."""

    label_selector: LabelSelector | None = Field(None, description="Over the labels of the cluster.")
    claim_selector: ClaimSelector | None = Field(None, description="Over the claims of the cluster.")


class ClusterSelector(GroupClusterSelector):
    """Picks clusters; all that is given must match."""

    cel_selector: CelSelector | None = Field(None, description="Over the whole ManagedCluster.")


class ClusterPredicate(Model):
    """One of the alternatives by which a cluster qualifies."""

    required_cluster_selector: ClusterSelector | None = Field(None, description="What the cluster must be.")


class AddOnScore(Model):
    """Names one score of an AddOnPlacementScore."""

    resource_name: str = Field(description="Name of the AddOnPlacementScore in the cluster's namespace.")
    score_name: str = Field(description="Name of the score in it.")


class ScoreCoordinate(Model):
    """Which score is meant."""

    type: Annotated[Literal["BuiltIn", "AddOn"], Mandatory()] = Field(
        "BuiltIn", description="A score of the scheduler's own, or one that an add-on reports."
    )
    built_in: str | None = Field(
        None, description="Balance, Steady, ResourceAllocatableCPU or ResourceAllocatableMemory."
    )
    add_on: AddOnScore | None = Field(None, description="The add-on's score.")


class PrioritizerConfig(Model):
    """One score and what it weighs."""

    score_coordinate: ScoreCoordinate = Field(description="The score.")
    weight: Int32 = Field(
        1, ge=-10, le=10, description="Its weight; 0 leaves it out, below 0 turns it round."
    )


class PrioritizerPolicy(Model):
    """How clusters that qualify are ranked."""

    mode: str = Field(
        "Additive", description="Additive starts from Balance and Steady, Exact has only what is listed."
    )
    configurations: list[PrioritizerConfig] | None = Field(None, description="The scores.")


class SpreadConstraint(Model):
    """Asks that clusters be spread over one topology."""

    max_skew: Int32 = Field(1, ge=1, description="How far the fullest domain may be ahead of the emptiest.")
    topology_key: str = Field(
        max_length=316, pattern=TOPOLOGY_KEY_PATTERN, description="The label or claim that names the domain."
    )
    topology_key_type: Literal["Label", "Claim"] = Field(description="Whether the key is a label or a claim.")
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"] = Field(
        "ScheduleAnyway", description="What to do when the skew cannot be kept."
    )


class SpreadPolicy(Model):
    """How clusters are spread."""

    spread_constraints: list[SpreadConstraint] | None = Field(
        None, max_length=8, description="The topologies, the most important first."
    )


class ClusterToleration(Model):
    """A taint of a cluster that the placement puts up with."""

    key: str | None = Field(
        None,
        max_length=316,
        pattern=QUALIFIED_NAME,
        description="Key of the taint; empty with Exists matches all.",
    )
    operator: str = Field("Equal", description="Equal compares the value, Exists does not.")
    value: str | None = Field(None, max_length=1024, description="Value of the taint, with Equal.")
    effect: TaintEffect | None = Field(None, description="Effect of the taint; empty matches all.")
    toleration_seconds: Int64 | None = Field(
        None, description="For how long, from the taint's timeAdded; unset tolerates for ever."
    )


class DecisionGroup(Model):
    """A named group of the chosen clusters."""

    group_name: str = Field(pattern=r"^[a-zA-Z0-9][-A-Za-z0-9_.]{0,61}[a-zA-Z0-9]$", description="Its name.")
    group_cluster_selector: GroupClusterSelector = Field(
        description="Which of the chosen clusters are in it."
    )


class GroupStrategy(Model):
    """How the chosen clusters are cut into groups."""

    decision_groups: list[DecisionGroup] | None = Field(
        None, description="Named groups, filled in this order."
    )
    clusters_per_decision_group: Annotated[int | str, IntOrString(GROUP_SIZE_PATTERN)] = Field(
        "100%", description="How many clusters a group holds at most; a number or a percentage of all."
    )


class DecisionStrategy(Model):
    """How decisions are laid out."""

    group_strategy: GroupStrategy | None = Field(None, description="How clusters are cut into groups.")


class PlacementSpec(Model):
    """Which clusters, how many, which first."""

    cluster_sets: list[str] | None = Field(
        None, description="Bound sets to choose from; empty means every set bound to the namespace."
    )
    number_of_clusters: Int32 | None = Field(None, description="How many to choose; unset means all.")
    predicates: list[ClusterPredicate] | None = Field(
        None, description="A cluster qualifies by any one of them; none lets every cluster qualify."
    )
    prioritizer_policy: PrioritizerPolicy | None = Field(None, description="Which are chosen first.")
    spread_policy: SpreadPolicy | None = Field(
        None, description="How they are spread; no scheduler reads it so far."
    )
    tolerations: list[ClusterToleration] | None = Field(None, description="Taints that do not disqualify.")
    decision_strategy: DecisionStrategy | None = Field(None, description="How decisions are grouped.")
    sort_by: Literal["ClusterName", "Score"] = Field(
        "ClusterName", description="Order of the decisions; no scheduler reads it so far."
    )
    score_rate_limit: str = Field(
        "1m",
        pattern="^[0-9]+[hms]$",
        description="How often a changed score may change decisions; no scheduler reads it so far.",
    )


class DecisionGroupStatus(Model):
    """One group as it came out."""

    decision_group_index: Int32 | None = Field(None, description="Its index.")
    decision_group_name: str | None = Field(None, description="Its name; empty for the rest.")
    decisions: list[str] | None = Field(None, description="Names of its PlacementDecisions.")
    cluster_count: Int32 = Field(0, description="How many clusters are in it.")


class PlacementStatus(Model):
    """What was decided."""

    number_of_selected_clusters: Int32 | None = Field(None, description="How many clusters were chosen.")
    decision_groups: list[DecisionGroupStatus] | None = Field(None, description="The groups, by index.")
    conditions: Conditions | None = Field(None, description="PlacementSatisfied and PlacementMisconfigured.")
    last_score_update_time: TimeText | None = Field(
        None, description="When scores were last read; no scheduler writes it so far."
    )


class Placement(KubeObject):
    """Chooses clusters from the cluster sets that are bound to its namespace."""

    api_version: Literal["cluster.open-cluster-management.io/v1beta1"] = (
        "cluster.open-cluster-management.io/v1beta1"
    )
    kind: Literal["Placement"] = "Placement"
    spec: PlacementSpec = Field(description="Which clusters, how many, which first.")
    status: PlacementStatus | None = Field(None, description="What was decided.")


class ClusterDecision(Model):
    """One chosen cluster."""

    cluster_name: str = Field(description="Its name.")
    reason: str = Field(description="Why it was chosen; empty so far.")
    score: Int64 | None = Field(None, description="The score it was chosen by.")


class PlacementDecisionStatus(Model):
    """The chosen clusters."""

    decisions: list[ClusterDecision] = Field(description="At most a hundred of them.")


class PlacementDecision(KubeObject):
    """A page of the clusters that a placement chose; labels say of which placement and group."""

    api_version: Literal["cluster.open-cluster-management.io/v1beta1"] = (
        "cluster.open-cluster-management.io/v1beta1"
    )
    kind: Literal["PlacementDecision"] = "PlacementDecision"
    status: PlacementDecisionStatus | None = Field(None, description="The chosen clusters.")


class ScoreItem(Model):
    """One score."""

    name: str = Field(description="Its name.")
    value: Int32 = Field(ge=-100, le=100, description="Its value; higher is chosen first.")


class AddOnPlacementScoreStatus(Model):
    """The scores of one cluster."""

    conditions: Conditions | None = Field(None, description="How the scoring went.")
    scores: Annotated[list[ScoreItem], list_map("name")] | None = Field(None, description="The scores.")
    valid_until: TimeText | None = Field(None, description="When they stop counting; unset means never.")


class AddOnPlacementScore(KubeObject):
    """Scores that an add-on gives the cluster in whose namespace this is."""

    api_version: Literal["cluster.open-cluster-management.io/v1alpha1"] = (
        "cluster.open-cluster-management.io/v1alpha1"
    )
    kind: Literal["AddOnPlacementScore"] = "AddOnPlacementScore"
    status: AddOnPlacementScoreStatus | None = Field(None, description="The scores.")


# --- the words of the protocol ------------------------------------------------------------------

PLACEMENT_LABEL = "cluster.open-cluster-management.io/placement"
DECISION_GROUP_INDEX_LABEL = "cluster.open-cluster-management.io/decision-group-index"
DECISION_GROUP_NAME_LABEL = "cluster.open-cluster-management.io/decision-group-name"
SCHEDULING_DISABLED_ANNOTATION = "cluster.open-cluster-management.io/experimental-scheduling-disable"
MAX_DECISIONS = 100
"""The most clusters one PlacementDecision holds."""

SATISFIED = "PlacementSatisfied"
MISCONFIGURED = "PlacementMisconfigured"

NO_BINDINGS = KnownCondition(
    SATISFIED,
    "False",
    "NoManagedClusterSetBindings",
    "No valid ManagedClusterSetBindings found in placement namespace",
)
NO_INTERSECTION = KnownCondition(
    SATISFIED,
    "False",
    "NoIntersection",
    "None of ManagedClusterSets [{sets}] is bound to placement namespace",
)
ALL_SETS_EMPTY = KnownCondition(
    SATISFIED,
    "False",
    "AllManagedClusterSetsEmpty",
    "All ManagedClusterSets [{sets}] have no member ManagedCluster",
)
NOTHING_MATCHED = KnownCondition(
    SATISFIED,
    "False",
    "NoManagedClusterMatched",
    "No ManagedCluster matches any of the cluster predicate",
)
ALL_SCHEDULED = KnownCondition(SATISFIED, "True", "AllDecisionsScheduled", "All cluster decisions scheduled")
NOT_ALL_SCHEDULED = KnownCondition(
    SATISFIED, "False", "NotAllDecisionsScheduled", "{count} cluster decisions unscheduled"
)
CONFIGURED = KnownCondition(
    MISCONFIGURED, "False", "Succeedconfigured", "Placement configurations check pass"
)
WRONGLY_CONFIGURED = KnownCondition(MISCONFIGURED, "True", "Misconfigured", "{error}")

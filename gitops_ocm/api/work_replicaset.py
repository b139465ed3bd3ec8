"""ManifestWorkReplicaSet: one ManifestWork for each cluster of some placements.

Group `work.open-cluster-management.io`, namespaced beside the placements it names.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gitops_ocm.api.base import Mandatory, Model, NonEmpty
from gitops_ocm.api.meta import Conditions, KnownCondition, KubeObject
from gitops_ocm.api.rollout import ALL, RolloutAll, RolloutStrategy
from gitops_ocm.api.work import ManifestWorkSpec


class PlacementReference(Model):
    """A placement whose clusters get the work."""

    name: NonEmpty = Field(description="Name of a placement in the same namespace.")
    rollout_strategy: RolloutStrategy = Field(
        default_factory=lambda: RolloutStrategy.model_construct(
            type=ALL, all=RolloutAll.model_construct(progress_deadline="None")
        ),
        description="How a change spreads over its clusters.",
    )


class ManifestWorkReplicaSetSpec(Model):
    """The work and where it goes."""

    manifest_work_template: ManifestWorkSpec | None = Field(None, description="The spec of each work.")
    placement_refs: list[PlacementReference] = Field(
        min_length=1, description="The placements whose clusters get it."
    )
    cascade_deletion_policy: Annotated[Literal["Background", "Foreground"], Mandatory()] = Field(
        "Background", description="Whether deletion waits until every work is gone (Foreground)."
    )


class WorkSummary(Model):
    """How many works are in which state."""

    total: int | None = Field(None, description="Works that exist.")
    desired_total: int | None = Field(None, description="Works that should exist.")
    applied: int | None = Field(None, description="Applied.")
    available: int | None = Field(None, description="Available.")
    degraded: int | None = Field(None, description="Degraded.")
    progressing: int | None = Field(None, description="Under way.")
    updated: int | None = Field(None, description="At the newest template.")


class PlacementSummary(Model):
    """The works of one placement."""

    name: str | None = Field(None, description="Name of the placement.")
    available_decision_groups: str | None = Field(
        None, description="Decision groups there are, and clusters applied of those selected."
    )
    summary: WorkSummary | None = Field(None, description="How many works are in which state.")


class ManifestWorkReplicaSetStatus(Model):
    """How the works fare."""

    conditions: Conditions | None = Field(
        None, description="PlacementVerified, PlacementRolledOut and ManifestworkApplied."
    )
    summary: WorkSummary | None = Field(None, description="How many works are in which state.")
    placement_summary: list[PlacementSummary] | None = Field(None, description="The same, by placement.")


class ManifestWorkReplicaSet(KubeObject):
    """Makes a ManifestWork for each cluster that its placements choose."""

    api_version: Literal["work.open-cluster-management.io/v1alpha1"] = (
        "work.open-cluster-management.io/v1alpha1"
    )
    kind: Literal["ManifestWorkReplicaSet"] = "ManifestWorkReplicaSet"
    spec: ManifestWorkReplicaSetSpec | None = Field(None, description="The work and where it goes.")
    status: ManifestWorkReplicaSetStatus | None = Field(None, description="How the works fare.")


# --- the words of the protocol ------------------------------------------------------------------

REPLICA_SET_FINALIZER = "work.open-cluster-management.io/manifest-work-cleanup"
REPLICA_SET_LABEL = "work.open-cluster-management.io/manifestworkreplicaset"
"""On each work: `<namespace>.<name>` of its set."""
PLACEMENT_NAME_LABEL = "work.open-cluster-management.io/placementname"
STARTED_ANNOTATION = "rollout.gitops-ocm.io/started"
"""Our own, on a work that was given a newer template: when that was, for deadlines."""

PLACEMENT_VERIFIED = "PlacementVerified"
ROLLED_OUT = "PlacementRolledOut"
WORKS_APPLIED = "ManifestworkApplied"

PLACEMENT_FOUND = KnownCondition(PLACEMENT_VERIFIED, "True", "AsExpected")
PLACEMENT_NOT_FOUND = KnownCondition(PLACEMENT_VERIFIED, "False", "PlacementDecisionNotFound")
PLACEMENT_EMPTY = KnownCondition(PLACEMENT_VERIFIED, "False", "PlacementDecisionEmpty")
PLACEMENT_NOT_AS_EXPECTED = KnownCondition(PLACEMENT_VERIFIED, "False", "NotAsExpected")
ROLLOUT_COMPLETE = KnownCondition(ROLLED_OUT, "True", "Complete")
ROLLOUT_PROGRESSING = KnownCondition(ROLLED_OUT, "False", "Progressing")
WORKS_AS_EXPECTED = KnownCondition(WORKS_APPLIED, "True", "AsExpected")
WORKS_PROCESSING = KnownCondition(WORKS_APPLIED, "False", "Processing")
WORKS_NOT_AS_EXPECTED = KnownCondition(WORKS_APPLIED, "False", "NotAsExpected")
WORKS_PLACEMENT_EMPTY = KnownCondition(WORKS_APPLIED, "False", "PlacementDecisionEmpty")
WORKS_INVALID_NAME = KnownCondition(WORKS_APPLIED, "False", "InvalidManifestWorkName")

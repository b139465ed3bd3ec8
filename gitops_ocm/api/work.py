"""ManifestWork and AppliedManifestWork: what a cluster is to run, and what its agent applied.

Group `work.open-cluster-management.io`; ManifestWorkReplicaSet is in `api.work_replicaset`. The
spec of a ManifestWork is also the template of a replica set and the agent part of an AddOnTemplate.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gitops_ocm.api.base import Int32, Int64, Mandatory, Manifest, Model, Rule, TimeText, list_map
from gitops_ocm.api.meta import DNS_SUBDOMAIN, Conditions, KnownCondition, KubeObject


class ManifestsTemplate(Model):
    """The objects to apply."""

    manifests: list[Manifest] | None = Field(None, description="Whole Kubernetes objects.")


class ResourceRule(Model):
    """Names one object by its resource, name and namespace."""

    group: str | None = Field(None, description="API group; empty for the core group.")
    resource: str = Field(description="Plural name of the resource.")
    name: str = Field(description="Name of the object.")
    namespace: str | None = Field(None, description="Its namespace; empty for a cluster-scoped object.")


class OrphaningRule(ResourceRule):
    """Names one object that is left on the cluster."""


class ResourceIdentifier(ResourceRule):
    """Names the objects a configuration is for; `*` stands for any text in name and namespace."""


class SelectivelyOrphan(Model):
    """Which objects are left on the cluster."""

    orphaning_rules: list[OrphaningRule] | None = Field(None, description="The objects.")


class DeleteOption(Model):
    """What becomes of the applied objects when the work is deleted."""

    propagation_policy: Literal["Foreground", "Orphan", "SelectivelyOrphan"] = Field(
        "Foreground", description="Delete and wait for them, leave them all, or leave some."
    )
    selectively_orphans: SelectivelyOrphan | None = Field(
        None, description="With SelectivelyOrphan: which are left."
    )
    ttl_seconds_after_finished: Int64 | None = Field(
        None, description="Delete the work so long after it is Complete; unset keeps it."
    )


class JsonPath(Model):
    """A value to report, found by a JSONPath in the object."""

    name: str = Field(description="The name it is reported under.")
    version: str | None = Field(None, description="Only for objects of this API version.")
    path: str = Field(description="The JSONPath, as .status.readyReplicas.")


class FeedbackRule(Model):
    """Which status values are reported back."""

    type: Literal["WellKnownStatus", "JSONPaths"] = Field(
        description="The values known for common kinds, or those found by paths."
    )
    json_paths: Annotated[list[JsonPath], list_map("name")] | None = Field(
        None, description="With JSONPaths: the values."
    )


class ConditionRule(Model):
    """A condition derived from the state of the object."""

    rules = (Rule("self.type != 'CEL' || self.condition != \"\"", "Condition is required for CEL rules"),)

    condition: str = Field(description="Type of the condition it sets.")
    type: Literal["WellKnownConditions", "CEL"] = Field(
        description="The conditions known for common kinds, or CEL expressions."
    )
    cel_expressions: list[str] | None = Field(
        None, description="With CEL: expressions over `object` that must all be true."
    )
    message: str | None = Field(None, description="Message of the condition.")
    message_expression: str | None = Field(
        None, description="CEL expression over `object` and `result` for the message; wins over message."
    )


class IgnoreField(Model):
    """Fields the agent leaves to others."""

    condition: Annotated[Literal["OnSpokePresent", "OnSpokeChange"], Mandatory()] = Field(
        "OnSpokePresent",
        description="Once the object is there, or once somebody on the cluster has changed it.",
    )
    json_pointers: list[str] | None = Field(None, description="The fields as JSON pointers.")
    jq_path_expressions: list[str] | None = Field(None, description="The fields as jq paths.")
    json_paths: list[str] | None = Field(None, description="The fields as JSONPaths.")


class ServerSideApply(Model):
    """How the agent applies with ServerSideApply."""

    force: bool | None = Field(None, description="Take fields over from other managers.")
    field_manager: str = Field("work-agent", pattern="^work-agent", description="Name of the field manager.")
    ignore_fields: Annotated[list[IgnoreField], list_map("condition")] | None = Field(
        None, description="Fields the agent leaves to others."
    )


class UpdateStrategy(Model):
    """How an object that exists is brought to the manifest."""

    type: Annotated[Literal["Update", "CreateOnly", "ServerSideApply", "ReadOnly"], Mandatory()] = Field(
        "Update", description="Replace it, leave it once made, apply server-side, or only look at it."
    )
    server_side_apply: ServerSideApply | None = Field(None, description="Options of ServerSideApply.")


class ManifestConfigOption(Model):
    """Options for some of the objects."""

    resource_identifier: ResourceIdentifier = Field(description="Which objects.")
    feedback_rules: list[FeedbackRule] | None = Field(None, description="Which status is reported back.")
    feedback_scrape_type: Literal["Poll", "Watch"] = Field(
        "Poll", description="Whether status is polled or watched."
    )
    update_strategy: UpdateStrategy | None = Field(None, description="How they are updated.")
    condition_rules: Annotated[list[ConditionRule], list_map("condition")] | None = Field(
        None, description="Conditions derived from their state."
    )


class ExecutorServiceAccount(Model):
    """A service account on the managed cluster."""

    namespace: str = Field(min_length=1, max_length=253, pattern=DNS_SUBDOMAIN, description="Its namespace.")
    name: str = Field(min_length=1, max_length=253, pattern=DNS_SUBDOMAIN, description="Its name.")


class ExecutorSubject(Model):
    """Whose permissions the agent keeps to."""

    type: Literal["ServiceAccount"] = Field(description="The kind of subject.")
    service_account: ExecutorServiceAccount | None = Field(None, description="The service account.")


class Executor(Model):
    """Under whose permissions the objects are applied."""

    subject: ExecutorSubject | None = Field(None, description="The identity.")


class ManifestWorkSpec(Model):
    """Objects for a cluster and how to treat them there."""

    workload: ManifestsTemplate | None = Field(None, description="The objects.")
    delete_option: DeleteOption | None = Field(None, description="What becomes of them on deletion.")
    manifest_configs: list[ManifestConfigOption] | None = Field(None, description="Options by object.")
    executor: Executor | None = Field(None, description="Under whose permissions they are applied.")


class ManifestResourceMeta(Model):
    """Which manifest, and the object it came to."""

    ordinal: Int32 = Field(description="Its index in spec.workload.manifests.")
    group: str | None = Field(None, description="API group.")
    version: str | None = Field(None, description="API version.")
    kind: str | None = Field(None, description="Kind.")
    resource: str | None = Field(None, description="Plural name; empty while the cluster does not know it.")
    name: str | None = Field(None, description="Name.")
    namespace: str | None = Field(None, description="Namespace.")


class FieldValue(Model):
    """A reported value; the member that `type` names is set."""

    type: Literal["Integer", "String", "Boolean", "JsonRaw"] = Field(description="Type of the value.")
    integer: Int64 | None = Field(None, description="A whole number.")
    string: str | None = Field(None, description="Text.")
    boolean: bool | None = Field(None, description="True or false.")
    json_raw: str | None = Field(None, max_length=1024, description="Any JSON, as text.")


class FeedbackValue(Model):
    """One reported value."""

    name: str = Field(description="The name of the rule's value.")
    field_value: FieldValue = Field(description="The value.")


class StatusFeedback(Model):
    """Values reported from the object's status."""

    values: Annotated[list[FeedbackValue], list_map("name")] | None = Field(None, description="The values.")


class ManifestStatus(Model):
    """How one manifest fares."""

    resource_meta: ManifestResourceMeta = Field(description="Which manifest.")
    status_feedback: StatusFeedback | None = Field(None, description="Values reported from its status.")
    conditions: Conditions = Field(description="Applied, Available and others.")


class ResourceStatus(Model):
    """How the manifests fare."""

    manifests: list[ManifestStatus] | None = Field(None, description="In the order of the spec.")


class ManifestWorkStatus(Model):
    """What the agent reports."""

    conditions: Conditions | None = Field(
        None, description="Applied, Available and others, for the whole work."
    )
    resource_status: ResourceStatus | None = Field(None, description="The same, by manifest.")


class ManifestWork(KubeObject):
    """Kubernetes objects for the cluster in whose namespace this is."""

    api_version: Literal["work.open-cluster-management.io/v1"] = "work.open-cluster-management.io/v1"
    kind: Literal["ManifestWork"] = "ManifestWork"
    spec: ManifestWorkSpec | None = Field(None, description="The objects and how to treat them.")
    status: ManifestWorkStatus | None = Field(None, description="What the agent reports.")


class AppliedManifestWorkSpec(Model):
    """Which work of which hub this stands for."""

    hub_hash: str = Field(description="SHA-256 of the hub's API server URL.")
    agent_id: str | None = Field(None, alias="agentID", description="Identity of the agent that made it.")
    manifest_work_name: str = Field(description="Name of the ManifestWork on the hub.")


class AppliedResource(ResourceRule):
    """One object that was applied."""

    version: str = Field(description="API version.")
    uid: str | None = Field(None, description="Its uid, so that a later object of the same name is spared.")


class AppliedManifestWorkStatus(Model):
    """What was applied."""

    applied_resources: list[AppliedResource] | None = Field(None, description="The objects.")
    eviction_start_time: TimeText | None = Field(
        None, description="Since when the work is missing on the hub, or the hub on the cluster."
    )


class AppliedManifestWork(KubeObject):
    """The agent's own record, on the managed cluster, of a ManifestWork; owns what was applied."""

    api_version: Literal["work.open-cluster-management.io/v1"] = "work.open-cluster-management.io/v1"
    kind: Literal["AppliedManifestWork"] = "AppliedManifestWork"
    spec: AppliedManifestWorkSpec | None = Field(None, description="Which work of which hub this stands for.")
    status: AppliedManifestWorkStatus | None = Field(None, description="What was applied.")


# --- the words of the protocol ------------------------------------------------------------------

WORK_FINALIZER = "cluster.open-cluster-management.io/manifest-work-cleanup"
"""On ManifestWorks, and on the RoleBinding that lets the agent clean them up."""
APPLIED_WORK_FINALIZER = "cluster.open-cluster-management.io/applied-manifest-work-cleanup"
CONFIG_HASH_ANNOTATION = "open-cluster-management.io/config-spec-hash"
OBJECT_HASH_ANNOTATION = "open-cluster-management.io/object-hash"
OPENSHIFT_HASH_ANNOTATION = "operator.openshift.io/spec-hash"
"""Written on Services and CSIDrivers under the Update strategy."""
WORK_FIELD_MANAGER = "work-agent"
NIL_EXECUTOR_ACCOUNT = "klusterlet-work-sa"
MAX_MANIFESTS_BYTES = 500 * 1024

APPLIED = "Applied"
AVAILABLE = "Available"
PROGRESSING = "Progressing"
DEGRADED = "Degraded"
COMPLETE = "Complete"
DELETING = "Deleting"
FEEDBACK_SYNCED = "StatusFeedbackSynced"

WORK_IS_APPLIED = KnownCondition(
    APPLIED, "True", "AppliedManifestWorkComplete", "Apply manifest work complete"
)
WORK_NOT_APPLIED = KnownCondition(
    APPLIED, "False", "AppliedManifestWorkFailed", "Failed to apply manifest work"
)
WORK_NAME_TOO_LONG = WORK_NOT_APPLIED._replace(
    message="the name of its AppliedManifestWork, the hub's hash and {name}, would be longer than 253 "
    "characters: give the work a shorter name"
)
WORK_AVAILABLE = KnownCondition(AVAILABLE, "True", "ResourcesAvailable", "All resources are available")
WORK_NOT_AVAILABLE = KnownCondition(
    AVAILABLE, "False", "ResourcesNotAvailable", "{count} of {total} resources are not available"
)
WORK_AVAILABILITY_UNKNOWN = KnownCondition(
    AVAILABLE, "Unknown", "ResourcesStatusUnknown", "{count} of {total} resources have unknown status"
)
WORK_WITHOUT_RESOURCES = KnownCondition(
    AVAILABLE, "Unknown", "ResourcesStatusUnknown", "cannot get any available resource "
)
WORK_DELETING = KnownCondition(DELETING, "True", "WorkDeleting", "ManifestWork is being deleted")
RULES_AGGREGATED_REASON = "ConditionRulesAggregated"

MANIFEST_APPLIED = KnownCondition(APPLIED, "True", "AppliedManifestComplete", "Apply manifest complete")
MANIFEST_NOT_APPLIED = KnownCondition(
    APPLIED, "False", "AppliedManifestFailed", "Failed to apply manifest: {error}"
)
IGNORE_FIELDS_FAILED = KnownCondition(APPLIED, "False", "AppliedManifestSSAIgnoreFieldError", "{error}")
MANIFEST_AVAILABLE = KnownCondition(AVAILABLE, "True", "ResourceAvailable", "Resource is available")
MANIFEST_NOT_AVAILABLE = KnownCondition(
    AVAILABLE, "False", "ResourceNotAvailable", "Resource is not available"
)
MANIFEST_FETCH_FAILED = KnownCondition(
    AVAILABLE, "Unknown", "FetchingResourceFailed", "Failed to fetch resource: {error}"
)
MANIFEST_META_INCOMPLETE = KnownCondition(
    AVAILABLE, "Unknown", "IncompleteResourceMeta", "Resource meta is incomplete"
)
NO_FEEDBACK = KnownCondition(FEEDBACK_SYNCED, "True", "NoStatusFeedbackSynced")
FEEDBACK_IS_SYNCED = KnownCondition(FEEDBACK_SYNCED, "True", "StatusFeedbackSynced")
FEEDBACK_FAILED = KnownCondition(
    FEEDBACK_SYNCED, "False", "StatusFeedbackSyncFailed", "Sync status feedback failed with error {error}"
)

RULE_REASON_PREFIX = "ConditionRule"
RULE_EVALUATED_REASON = "ConditionRuleEvaluated"
RULE_INVALID_REASON = "ConditionRuleInvalid"
RULE_EXPRESSION_ERROR_REASON = "ConditionRuleExpressionError"
RULE_INTERNAL_ERROR_REASON = "ConditionRuleInternalError"

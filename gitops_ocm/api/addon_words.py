"""The words of the add-on protocol: annotations, labels, finalizers, conditions, messages.

They are shared by both versions of the add-on kinds, so they stand beside the models of both.
"""

from __future__ import annotations

from gitops_ocm.api.meta import KnownCondition

# --- annotations and labels ---------------------------------------------------------------------

ADDON_ANNOTATION_PREFIX = "addon.open-cluster-management.io"
LIFECYCLE_ANNOTATION = "addon.open-cluster-management.io/lifecycle"
LIFECYCLE_ADDON_MANAGER = "addon-manager"
LIFECYCLE_SELF = "self"
INSTALL_NAMESPACE_ANNOTATION = "addon.open-cluster-management.io/v1alpha1-install-namespace"
"""Holds v1alpha1's `spec.installNamespace` at v1beta1."""
HOSTING_CLUSTER_ANNOTATION = "addon.open-cluster-management.io/hosting-cluster-name"
MANIFEST_LOCATION_ANNOTATION = "addon.open-cluster-management.io/hosted-manifest-location"
DELETION_ORPHAN_ANNOTATION = "addon.open-cluster-management.io/deletion-orphan"
VALUES_ANNOTATION = "addon.open-cluster-management.io/values"
PRE_DELETE_HOOK = "addon.open-cluster-management.io/addon-pre-delete"
"""Annotation on a hook's Job or Pod, and finalizer on the ManagedClusterAddOn."""
PRE_DELETE_HOOK_LABEL = "open-cluster-management.io/addon-pre-delete"
"""The older mark of a hook."""
HOSTING_PRE_DELETE_FINALIZER = "addon.open-cluster-management.io/hosting-addon-pre-delete"
HOSTING_MANIFESTS_FINALIZER = "addon.open-cluster-management.io/hosting-manifests-cleanup"

ADDON_NAME_LABEL = "open-cluster-management.io/addon-name"
ADDON_NAMESPACE_LABEL = "open-cluster-management.io/addon-namespace"
ADDON_TEMPLATE_LABEL = "open-cluster-management.io/addon-template-name"
TOKEN_ADDON_LABEL = "addon.open-cluster-management.io/name"  # noqa: S105 -- a label
TOKEN_LABEL = "addon.open-cluster-management.io/token-infrastructure"  # noqa: S105 -- a label
"""On what is made on the hub for an add-on that registers with a token."""
FEATURE_LABEL_PREFIX = "feature.open-cluster-management.io/addon-"
FEATURE_AVAILABLE = "available"
FEATURE_UNHEALTHY = "unhealthy"
FEATURE_UNREACHABLE = "unreachable"
"""Values of the ManagedCluster label that an add-on's name makes with the prefix."""

RESERVED_NO_DEFAULT = "__reserved_no_default__"
"""Name of a v1beta1 default that v1alpha1 did not have."""
DEPLOYMENT_CONFIGS = "addondeploymentconfigs"
ADDON_TEMPLATES = "addontemplates"
"""Resources of the add-on group that are configurations of an add-on made of a template."""
INSTALL_MANUAL = "Manual"
INSTALL_PLACEMENTS = "Placements"
HEALTH_LEASE = "Lease"
HEALTH_CUSTOMIZED = "Customized"
ADDON_LEASE_GRACE_SECONDS = 300

# --- conditions ---------------------------------------------------------------------------------

AVAILABLE = "Available"
DEGRADED = "Degraded"
CONFIGURED = "Configured"
PROGRESSING = "Progressing"
MANIFEST_APPLIED = "ManifestApplied"
HOSTING_MANIFEST_APPLIED = "HostingManifestApplied"
HOSTING_CLUSTER_VALIDITY = "HostingClusterValidity"
HOOK_COMPLETED = "HookManifestCompleted"
REGISTRATION_APPLIED = "RegistrationApplied"

ADDON_CONFIGURED = KnownCondition(CONFIGURED, "True", "ConfigurationsConfigured", "Configurations configured")
ADDON_NOT_CONFIGURED = KnownCondition(
    CONFIGURED,
    "False",
    "ConfigurationsNotConfigured",
    "Configurations updated and not configured yet",
)

CONFIGURATION_UNSUPPORTED = KnownCondition(
    PROGRESSING,
    "False",
    "ConfigurationUnsupported",
    "Configuration with gvr {group}/{resource} is not supported for this addon",
)
WAITING_FOR_MANIFESTS = KnownCondition(
    PROGRESSING,
    "False",
    "WaitingForManifestApplied",
    "Waiting for ManagedClusterAddOn ManifestApplied condition",
)
WAITING_FOR_HOSTING_MANIFESTS = KnownCondition(
    PROGRESSING,
    "False",
    "WaitingForHostingManifestApplied",
    "Waiting for ManagedClusterAddOn HostingManifestApplied condition",
)
PROGRESSING_NO_WORKS = KnownCondition(PROGRESSING, "True", "Progressing", "progressing... no addon works")
PROGRESSING_CONFIGS_DIFFER = KnownCondition(
    PROGRESSING, "True", "Progressing", "progressing... mca and work configs mismatch"
)
PROGRESSING_WORK_NOT_READY = KnownCondition(
    PROGRESSING, "True", "Progressing", "progressing... work is not ready"
)
ADDON_COMPLETED = KnownCondition(PROGRESSING, "False", "Completed", "completed with no errors.")
ADDON_FAILED = KnownCondition(PROGRESSING, "False", "Failed", "{error}")

CONFIGURATIONS_RESOLVED = "ConfigurationsResolved"
"""A condition of ours, there only while it is False: what is wrong with an add-on's configuration."""
CONFIGURATION_NOT_FOUND = KnownCondition(
    CONFIGURATIONS_RESOLVED, "False", "ConfigurationNotFound", "{config} does not exist"
)
PLACEMENT_NOT_FOUND = KnownCondition(
    CONFIGURATIONS_RESOLVED,
    "False",
    "PlacementNotFound",
    "Placement {placement} does not exist: its clusters keep what they have",
)
ROLLOUT_INVALID = KnownCondition(CONFIGURATIONS_RESOLVED, "False", "RolloutStrategyInvalid", "{error}")
GROUP_NOT_FOUND = KnownCondition(
    CONFIGURATIONS_RESOLVED,
    "False",
    "DecisionGroupNotFound",
    "mandatory decision group {group} does not exist in Placement {placement}: nothing goes first for it",
)
CONFIGURATIONS_OVERRIDDEN = KnownCondition(
    CONFIGURATIONS_RESOLVED,
    "False",
    "ConfigurationsOverridden",
    "{clusters} take other configurations from Placement {placement}, which is listed later",
)

INSTALL_PROGRESSING = KnownCondition(
    PROGRESSING,
    "True",
    "Progressing",
    "selected clusters {selected}. configured addons {done}/{total} progressing..., "
    "{failed} failed {timed_out} timeout.",
)
INSTALL_COMPLETED = KnownCondition(
    PROGRESSING,
    "False",
    "Completed",
    "selected clusters {selected}. configured addons {done}/{total} completed with no errors, "
    "{failed} failed {timed_out} timeout.",
)

MANIFESTS_APPLIED = KnownCondition(
    MANIFEST_APPLIED, "True", "AddonManifestApplied", "manifests of addon are applied successfully"
)
NO_MANIFESTS = KnownCondition(MANIFEST_APPLIED, "True", "AddonManifestApplied", "no manifest need to apply")
MANIFESTS_NOT_APPLIED = KnownCondition(
    MANIFEST_APPLIED,
    "False",
    "AddonManifestAppliedFailed",
    "failed to apply the manifests of addon",
)
WORK_APPLY_FAILED = KnownCondition(
    MANIFEST_APPLIED, "False", "ManifestWorkApplyFailed", "failed to apply manifestWork: {error}"
)
HOSTING_CLUSTER_VALID = KnownCondition(
    HOSTING_CLUSTER_VALIDITY,
    "True",
    "HostingClusterValid",
    "hosting cluster {cluster} is a managed cluster of the hub",
)
HOSTING_CLUSTER_INVALID = KnownCondition(
    HOSTING_CLUSTER_VALIDITY,
    "False",
    "HostingClusterInvalid",
    "hosting cluster {cluster} is not a managed cluster of the hub",
)
HOOK_DONE = KnownCondition(HOOK_COMPLETED, "True", "HookManifestIsCompleted")
HOOK_NOT_DONE = KnownCondition(HOOK_COMPLETED, "False", "HookManifestIsNotCompleted")

REGISTRATION_SET = KnownCondition(
    REGISTRATION_APPLIED,
    "True",
    "SetPermissionApplied",
    "Registration of the addon agent is configured",
)
REGISTRATION_NONE = KnownCondition(
    REGISTRATION_APPLIED,
    "True",
    "NilRegistration",
    "Registration of the addon agent is configured",
)
REGISTRATION_FAILED = KnownCondition(
    REGISTRATION_APPLIED,
    "False",
    "SetPermissionFailed",
    "Failed to set permission for hub agent: {error}",
)
REGISTRATION_PENDING = KnownCondition(
    REGISTRATION_APPLIED, "False", "PermissionConfigPending", "registration subject not ready"
)

SIGNING_CA_READY = "SigningCAReady"
"""Ours: there only while a certificate of an add-on's own signer cannot be signed."""
CA_MISSING = KnownCondition(
    SIGNING_CA_READY, "False", "SigningCANotFound", "there is no Secret {namespace}/{name} to sign with"
)
CA_UNUSABLE = KnownCondition(
    SIGNING_CA_READY,
    "False",
    "SigningCAUnusable",
    "nothing can be signed with Secret {namespace}/{name}: {error}",
)

LEASE_UPDATED = KnownCondition(
    AVAILABLE, "True", "ManagedClusterAddOnLeaseUpdated", "{addon} add-on is available."
)
LEASE_STOPPED = KnownCondition(
    AVAILABLE, "False", "ManagedClusterAddOnLeaseUpdateStopped", "{addon} add-on is not available."
)
LEASE_NOT_FOUND = KnownCondition(
    AVAILABLE,
    "Unknown",
    "ManagedClusterAddOnLeaseNotFound",
    "The status of {addon} add-on is unknown.",
)
PROBE_WORK_NOT_FOUND = KnownCondition(AVAILABLE, "Unknown", "WorkNotFound", "Addon manifestWork is not found")
PROBE_WORK_NOT_APPLIED = KnownCondition(
    AVAILABLE, "Unknown", "WorkNotApplied", "Addon manifestWork is not applied yet"
)
PROBE_NO_RESULT = KnownCondition(AVAILABLE, "Unknown", "NoProbeResult", "Probe results are not returned")
PROBE_UNAVAILABLE = KnownCondition(
    AVAILABLE, "False", "ProbeUnavailable", "Probe addon unavailable with err {error}"
)
PROBE_AVAILABLE = KnownCondition(AVAILABLE, "True", "ProbeAvailable", "{addon} add-on is available.")
WORK_APPLIED_REASON = "WorkApplied"

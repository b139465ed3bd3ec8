"""OCM's feature gates: which component knows which, and what holds where nothing is said.

What a gate does is decided where it matters (`decide.settings` has them by their meaning). Stages (alpha,
beta) are left out: nothing here depends on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitops_ocm.errors import GitopsError

Gates = Mapping[str, bool]
"""Names of gates with whether they are open."""

HUB_REGISTRATION: Gates = {
    "DefaultClusterSet": True,
    "V1beta1CSRAPICompatibility": False,
    "ManagedClusterAutoApproval": False,
    "ResourceCleanup": True,
    "ClusterProfile": False,
    "ClusterImporter": False,
}
HUB_ADDON: Gates = {"AddonManagement": True}
HUB_PLACEMENT: Gates = {"SIGPlacementDecision": False, "PlacementDebugServer": False}
HUB_WORK: Gates = {
    "NilExecutorValidating": False,
    "ManifestWorkReplicaSet": False,
    "CloudEventsDrivers": False,
    "CleanUpCompletedManifestWork": False,
}
SPOKE_REGISTRATION: Gates = {
    "ClusterClaim": True,
    "ClusterProperty": False,
    "AddonManagement": True,
    "V1beta1CSRAPICompatibility": False,
    "MultipleHubs": False,
}
SPOKE_WORK: Gates = {"ExecutorValidatingCaches": False, "RawFeedbackJsonString": False}

HUB: Gates = {**HUB_REGISTRATION, **HUB_ADDON, **HUB_PLACEMENT, **HUB_WORK}
"""What a hub's process knows: one process is all of its components."""
SPOKE: Gates = {**SPOKE_REGISTRATION, **SPOKE_WORK}


class FeatureGateError(GitopsError):
    """A gate that nobody knows, or that is set to what is neither true nor false."""

    code = "feature-gate"


def parse_gates(text: str, known: Iterable[str]) -> dict[str, bool]:
    """The gates set in a text as flags have it: `Name=true,Other=false`."""
    names = sorted(known)
    found: dict[str, bool] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, setting = part.partition("=")
        if name not in names:
            raise FeatureGateError(f"there is no feature gate {name!r}", hint=f"there is {', '.join(names)}")
        if setting.lower() not in ("true", "false"):
            raise FeatureGateError(
                f"the feature gate {name} is either true or false, not {setting!r}", hint=f"say {name}=true"
            )
        found[name] = setting.lower() == "true"
    return found

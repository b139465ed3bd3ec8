"""The table of causes: every one that is known, the most fundamental first, and what follows from it.

A finding whose cause another one `explains` is folded under that one where both are about the same cluster,
or the other about the whole hub (`ranking`). So what is shown first is what to mend first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """One row. `title` is what many clusters with it have in common.

    A `notice` is told and is no fault: somebody wanted it so. What is `wide` concerns the whole hub, and so
    explains other findings wherever they are; anything else explains what is of the same cluster or object.
    """

    code: str
    title: str
    explains: frozenset[str] = frozenset()
    notice: bool = False
    wide: bool = False


_WORKS = ("work-not-applied", "work-unavailable", "work-agent-silent")
_ADDONS = ("addon-not-configured", "addon-unavailable")
_ROLLOUTS = ("rollout-stopped", "rollout-held")
_UNAVAILABLE = ("cluster-unavailable", *_WORKS, *_ADDONS, *_ROLLOUTS, "placement-empty")
_SILENCE = ("agent-silent", "clock-skewed", *_UNAVAILABLE)
_OUTSIDE = ("klusterlet-degraded", *_SILENCE)
_AGENT = (
    "hub-credentials-refused",
    "certificate-expired",
    "certificate-not-renewed",
    "cluster-unknown",
    *_OUTSIDE,
)
_TO_JOIN = ("cluster-not-accepted", "certificate-missing", "hub-kubeconfig-missing", *_AGENT)
_TO_INSTALL = ("agent-crd-missing", "agent-pods")
_RECONCILED = (
    "acceptance-not-handled",
    "lease-not-judged",
    "namespace-missing",
    "rights-missing",
    "placement-not-decided",
    "set-unknown",
    "set-not-judged",
    "sync-not-handled",
    "work-set-not-handled",
    "addon-not-handled",
    "deletion-stuck",
    "csr-pending",
    "bootstrap-refused",
    "hub-rights-missing",
)
_NOT_INSTALLED = ("controllers-stopped", "webhook-refusing", "klusterlet-failed", *_RECONCILED)


def _row(code: str, title: str, *explains: str, notice: bool = False, wide: bool = False) -> Cause:
    return Cause(code, title, frozenset(explains), notice, wide)


CAUSES: tuple[Cause, ...] = (
    _row("crd-missing", "kinds are not served", "operator-failed", *_NOT_INSTALLED, wide=True),
    _row("crd-version", "kinds are served at other versions", *_NOT_INSTALLED, wide=True),
    _row("feature-gates-invalid", "feature gates are not known"),
    _row(
        "hub-pods",
        "pods of the hub do not run",
        "operator-failed",
        "operator-not-handled",
        *_NOT_INSTALLED,
        wide=True,
    ),
    _row("operator-not-handled", "the hub's operator does not work", "operator-failed", wide=True),
    _row("operator-failed", "the hub is not wholly installed", *_NOT_INSTALLED, wide=True),
    _row("controllers-stopped", "controllers do not work", *_RECONCILED, wide=True),
    _row(
        "quota-exceeded",
        "a quota refuses writes",
        "acceptance-failed",
        "namespace-missing",
        *_ADDONS,
        wide=True,
    ),
    _row(
        "webhook-refusing",
        "a webhook refuses writes",
        "acceptance-failed",
        "cluster-unknown",
        *_ADDONS,
        wide=True,
    ),
    _row("another-cluster", "another managed cluster was looked at", "klusterlet-missing"),
    _row("klusterlet-missing", "no Klusterlet is there", "hub-kubeconfig-missing", *_AGENT),
    _row(
        "klusterlet-not-handled",
        "the klusterlet's operator does not work",
        "klusterlet-failed",
        *_TO_INSTALL,
        *_TO_JOIN,
    ),
    _row("klusterlet-failed", "the agents are not wholly installed", *_TO_INSTALL, *_TO_JOIN),
    _row("agent-crd-missing", "agents' kinds are not served", "agent-pods", *_OUTSIDE),
    _row("bootstrap-missing", "there is nothing to join with", *_TO_JOIN),
    _row("bootstrap-unusable", "the bootstrap kubeconfig cannot be used", *_TO_JOIN),
    _row("hub-name-unknown", "the hub's name is not known where the agents run", "agent-pods", *_TO_JOIN),
    _row("hub-proxy", "the proxy to the hub does not let through", "agent-pods", *_TO_JOIN),
    _row(
        "hub-ca-changed",
        "the hub's certificate authority is another one",
        "hub-moved",
        "agent-pods",
        *_TO_JOIN,
    ),
    _row("hub-certificate-expired", "the hub's certificate is over", "agent-pods", *_TO_JOIN),
    _row("hub-unreachable", "the hub cannot be reached where the agents run", "agent-pods", *_TO_JOIN),
    _row("wrong-hub", "the agents go to another hub", *_TO_JOIN),
    _row("hub-moved", "the bootstrap kubeconfig names another hub", *_TO_JOIN),
    _row("bootstrap-expired", "the token to join with is over", "bootstrap-refused", *_TO_JOIN),
    _row("bootstrap-refused", "the hub does not take what the agents join with", *_TO_JOIN),
    _row("wrong-cluster", "the kept certificate is another cluster's", *_TO_JOIN),
    _row(
        "name-clash", "two agents are one cluster", "csr-pending", "csr-unsigned", "csr-flood", "agent-silent"
    ),
    _row("csr-denied", "certificate requests were denied", "csr-flood", *_TO_JOIN),
    _row("csr-failed", "the signer gave certificate requests up", "csr-flood", *_TO_JOIN),
    _row("csr-unsigned", "nobody signs certificates", "csr-flood", *_TO_JOIN),
    _row("csr-pending", "certificate requests wait to be approved", "csr-flood", *_TO_JOIN),
    _row("csr-flood", "too many certificate requests", *_TO_JOIN),
    _row("cluster-denied", "clusters were denied", "rights-missing", "hub-rights-missing", *_AGENT),
    _row("cluster-not-accepted", "clusters are not accepted", "hub-rights-missing", *_AGENT),
    _row("cluster-unknown", "clusters never asked to join"),
    _row(
        "namespace-terminating",
        "namespaces are being deleted",
        "acceptance-failed",
        *_OUTSIDE,
        "deletion-stuck",
    ),
    _row("acceptance-failed", "what accepted clusters need could not be made", "rights-missing", *_OUTSIDE),
    _row("acceptance-not-handled", "the acceptance of clusters had no effect", "rights-missing", *_OUTSIDE),
    _row("namespace-missing", "namespaces of clusters are gone", "rights-missing", *_OUTSIDE),
    _row("rights-missing", "agents lack rights on the hub", "hub-rights-missing", *_OUTSIDE),
    _row("hub-rights-missing", "agents lack rights on the hub", *_OUTSIDE),
    _row(
        "certificate-expired",
        "client certificates are over",
        "agent-pods",
        "hub-credentials-refused",
        *_OUTSIDE,
    ),
    _row("certificate-missing", "agents have no certificate", *_OUTSIDE),
    _row("hub-credentials-refused", "the hub does not take the agents' certificates", *_OUTSIDE),
    _row("hub-kubeconfig-missing", "agents have not joined", *_OUTSIDE),
    _row("agent-pods", "pods of the agents do not run", *_OUTSIDE),
    _row("clock-skewed", "clocks are not in step", "agent-silent", "cluster-unavailable", *_ADDONS),
    _row("certificate-not-renewed", "client certificates are not renewed", "klusterlet-degraded"),
    _row("agent-silent", "registration agents stopped renewing their leases", *_UNAVAILABLE),
    _row("lease-not-judged", "nobody notices that leases are over"),
    _row(
        "cluster-api-unwell",
        "API servers are unwell",
        "cluster-unavailable",
        *_WORKS,
        *_ADDONS,
        *_ROLLOUTS,
        "placement-empty",
    ),
    _row(
        "cluster-unavailable",
        "clusters are not available",
        *_WORKS,
        *_ADDONS,
        *_ROLLOUTS,
        "placement-empty",
    ),
    _row("klusterlet-degraded", "agents are not as they should be", *_WORKS, *_ROLLOUTS),
    _row(
        "work-agent-silent",
        "work agents do not report",
        "work-not-applied",
        "addon-unavailable",
        *_ROLLOUTS,
        "deletion-stuck",
    ),
    _row("deletion-stuck", "deletions wait for finalizers"),
    _row("work-not-applied", "works are not applied", "work-unavailable", *_ADDONS, *_ROLLOUTS),
    _row("work-unavailable", "works are not available", "addon-unavailable", *_ROLLOUTS),
    _row("work-set-not-handled", "replica sets are not handled"),
    _row("gate-mismatch", "feature gates of hub and agents do not fit", *_ADDONS, "addon-not-handled"),
    _row("addon-undefined", "add-ons are not defined", *_ADDONS, "addon-not-handled"),
    _row("addon-not-configured", "add-ons are not configured", "addon-unavailable", *_ROLLOUTS),
    _row("addon-not-handled", "agents of add-ons have not come", "addon-unavailable", *_ROLLOUTS),
    _row("addon-unavailable", "add-ons are not available", *_ROLLOUTS),
    _row("rollout-stopped", "rollouts are stopped"),
    _row("rollout-held", "rollouts do not go on"),
    _row("set-unknown", "cluster sets do not exist", "set-not-bound", "placement-empty"),
    _row("set-not-bound", "cluster sets are not bound", "placement-empty"),
    _row("set-not-judged", "bindings are not judged"),
    _row("placement-misconfigured", "placements are misconfigured", "placement-empty"),
    _row("placement-not-decided", "placements are not decided"),
    _row("placement-empty", "placements select nothing"),
    _row("placement-unmatched", "placements match no cluster", notice=True),
    _row("sync-not-handled", "HubSyncs are not handled"),
    _row("sync-git", "repositories cannot be read"),
    _row("sync-invalid", "commits are refused"),
    _row("sync-guarded", "prunes wait to be allowed"),
    _row("sync-failing", "commits are not in force"),
    _row("sync-suspended", "HubSyncs are suspended", "sync-drift", notice=True),
    _row("sync-drift", "the hub is not as Git has it"),
)
"""Most fundamental first: the order in which findings are shown."""

BY_CODE: Mapping[str, Cause] = {cause.code: cause for cause in CAUSES}
RANK: Mapping[str, int] = {cause.code: at for at, cause in enumerate(CAUSES)}

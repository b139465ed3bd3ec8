"""Which requests for a cluster's client certificate the hub approves by itself.

A registration agent asks for its certificate twice in different roles: first as a bootstrap identity, which
a person approves (or, with the gate ManagedClusterAutoApproval, an identity that is named for it), then as
itself, to renew. A renewal is approved if the requester asks for its own name and may `renew`: that is a
right of accepted clusters only (`decide.access`), so the API is asked, in the middle of the reconcile.

Requests of add-ons carry a label of their own and are left to who manages add-ons. Signing is
kube-controller-manager's.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL
from gitops_ocm.api.cluster import (
    CLUSTER_NAME_LABEL,
    GROUP_PREFIX,
    HUB_ACCEPTED,
    MANAGED_CLUSTERS_GROUP,
)
from gitops_ocm.api.registration import CERTIFICATES_GROUP, CLIENT_SIGNER, CLIENT_USAGES
from gitops_ocm.decide.contract import DONE, Create, Emit, Outcome, Result, Update, View
from gitops_ocm.decide.kinds import CSR, cluster_ref
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.decide.writes import after_failure, conditions_of, errors, labels_of, name_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref

if TYPE_CHECKING:
    from cryptography import x509

COMMON_NAME, ORGANIZATION = "2.5.4.3", "2.5.4.10"
"""Attributes of a subject."""
LOOK_AGAIN = 5.0
"""Seconds after which an accepted cluster's renewal that was not allowed is asked about again."""
APPROVED, DENIED = "Approved", "Denied"
REASON = "AutoApprovedByHubCSRApprovingController"
MESSAGE = "Auto approving Managed cluster agent certificate after SubjectAccessReview."
_CLIENT_AUTH = "client auth"
_V1 = f"{CERTIFICATES_GROUP}/v1"


@dataclass(frozen=True)
class CsrApproval:
    """Approves renewals and, where the hub wants that, first requests of identities it was told."""

    settings: HubSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one CertificateSigningRequest."""
        csr = view.get(key)
        if csr is None or not is_pending(csr):
            return DONE
        if csr.get("apiVersion") != _V1 and not self.settings.beta_certificates:
            return Outcome(notes=("this hub serves v1beta1 alone: see V1beta1CSRAPICompatibility",))
        common_name = cluster_subject(csr)
        requester = str(csr["spec"].get("username", ""))
        if not common_name:
            return Outcome(notes=(f"{key.name} does not ask for a cluster's own certificate",))
        if requester == common_name:
            return self._renewed(view, csr)
        if self.settings.auto_approval and requester in self.settings.auto_approved_users:
            return _approved(csr, "ManagedClusterAutoApproved")
        return Outcome(notes=(f"{key.name} is left to be approved by a person",))

    def _renewed(self, view: View, csr: Object) -> Outcome:
        """Ask whether the requester may renew; approve if so."""
        cluster = view.get(cluster_ref(labels_of(csr)[CLUSTER_NAME_LABEL]))
        # The rights of a cluster that is accepted may have been granted a moment ago.
        accepted = cluster is not None and conditions.is_true(cluster, HUB_ACCEPTED)

        def then(results: Sequence[Result]) -> Outcome:
            if faults := errors(results):
                return after_failure(faults)
            answer = (results[0].obj or {}).get("status") or {}
            if answer.get("allowed"):
                return _approved(csr, "ManagedClusterCSRAutoApproved")
            return Outcome(requeue_after=LOOK_AGAIN if accepted else None)

        return Outcome((Create(_may_renew(csr["spec"])),), then=then)


def is_pending(csr: Object) -> bool:
    """Whether a request is for a cluster's certificate, and nobody has decided it."""
    decided = any(c.get("type") in (APPROVED, DENIED) for c in conditions_of(csr))
    labels = labels_of(csr)
    return (
        not decided
        and (csr.get("spec") or {}).get("signerName") == CLIENT_SIGNER
        and bool(labels.get(CLUSTER_NAME_LABEL))
        and ADDON_NAME_LABEL not in labels
    )


def cluster_subject(csr: Object) -> str:
    """The name asked for, if the request is for exactly what an agent of the cluster in its label is due.

    One organization beside the common group, that of the cluster; a name of the cluster and one agent; and
    usages of a client. `""` for everything else.
    """
    cluster = labels_of(csr).get(CLUSTER_NAME_LABEL, "")
    usages = frozenset(csr["spec"].get("usages") or ())
    request = parsed_request(str(csr["spec"].get("request", "")))
    if request is None or _CLIENT_AUTH not in usages or not usages.issubset(CLIENT_USAGES):
        return ""
    names = subject_values(request, COMMON_NAME)
    organizations = set(subject_values(request, ORGANIZATION)) - {MANAGED_CLUSTERS_GROUP}
    if len(names) != 1 or organizations != {f"{GROUP_PREFIX}{cluster}"}:
        return ""
    prefix, _, agent = names[0].rpartition(":")
    return names[0] if agent and prefix == f"{GROUP_PREFIX}{cluster}" else ""


def parsed_request(text: str) -> x509.CertificateSigningRequest | None:
    """The request in a CertificateSigningRequest's `spec.request`; None where it cannot be read."""
    from cryptography import x509  # a preview has the whole table, and no requests

    try:
        request = x509.load_pem_x509_csr(base64.b64decode(text, validate=True))
        _ = request.subject  # read on demand, with faults of its own
    except (ValueError, binascii.Error):
        return None
    return request


def subject_values(request: x509.CertificateSigningRequest, oid: str) -> list[str]:
    """An attribute wherever it is in the subject: Go puts several into one set, others each into its own."""
    return [str(attribute.value) for attribute in request.subject if attribute.oid.dotted_string == oid]


def _may_renew(spec: Mapping[str, Any]) -> Object:
    """The question whether who made a request may renew certificates."""
    who = {"user": spec.get("username", ""), "groups": list(spec.get("groups") or ())}
    optional = {key: spec[key] for key in ("uid", "extra") if spec.get(key)}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "metadata": {},
        "spec": {
            **who,
            **optional,
            "resourceAttributes": {
                "group": "register.open-cluster-management.io",
                "resource": "managedclusters",
                "subresource": "clientcertificates",
                "verb": "renew",
            },
        },
    }


def _approved(csr: Object, event: str) -> Outcome:
    condition = {"type": APPROVED, "status": "True", "reason": REASON, "message": MESSAGE}
    status = {**(csr.get("status") or {}), "conditions": [*conditions_of(csr), condition]}
    text = f'managed cluster csr "{name_of(csr)}" is auto approved by hub csr controller'
    return Outcome(
        (Update({**csr, "status": status}, subresource="approval"), Emit(csr, event, text, action=event))
    )


# --- what wakes it ----------------------------------------------------------------------------------


def undecided(old: Object | None, new: Object | None) -> bool:
    """Whether a request is there to be decided."""
    return new is not None and is_pending(new)


def accepted_now(old: Object | None, new: Object | None) -> bool:
    """Whether a cluster has been accepted just now."""
    was = old is not None and conditions.is_true(old, HUB_ACCEPTED)
    return new is not None and not was and conditions.is_true(new, HUB_ACCEPTED)


def of_cluster(view: View, cluster: Object) -> Iterable[Ref]:
    """The undecided requests for a cluster."""
    found = view.list(CSR, labels={CLUSTER_NAME_LABEL: name_of(cluster)})
    return [Ref(*CSR, "", name_of(csr)) for csr in found if is_pending(csr)]

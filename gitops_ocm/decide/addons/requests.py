"""Requests of add-ons' agents for certificates: which the hub approves, and those it signs itself.

A certificate for the hub's own API is approved if it is made out to the agent as its add-on registers, and
asked for by the cluster's own agent; the cluster's signer makes it. Requests to a signer of the add-on's own
are approved likewise and signed with the CA that the add-on names. Requests of clusters themselves are
`decide.csr_approval`'s.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL, CA_MISSING, CA_UNUSABLE, SIGNING_CA_READY
from gitops_ocm.api.cluster import CLUSTER_NAME_LABEL, GROUP_PREFIX
from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.registration import CERTIFICATE_KEY, CLIENT_SIGNER, CLIENT_USAGES, PRIVATE_KEY_KEY
from gitops_ocm.decide.addons.agent import Agent, AgentFailed, Agents, Told, tell
from gitops_ocm.decide.addons.subjects import AUTHENTICATED
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.contract import DONE, Emit, Outcome, Update, View, Want
from gitops_ocm.decide.csr_approval import (
    APPROVED,
    COMMON_NAME,
    DENIED,
    ORGANIZATION,
    REASON,
    parsed_request,
    subject_values,
)
from gitops_ocm.decide.kinds import CLUSTER_ADDON, CSR, SECRET, cluster_ref
from gitops_ocm.decide.writes import (
    annotations_of,
    conditions_of,
    labels_of,
    name_of,
    namespace_of,
    status_of,
)
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref

MESSAGE = "Auto approving addon agent certificate."
GRPC_ACCOUNT = "system:serviceaccount:open-cluster-management-hub:grpc-server-sa"
"""Asks on behalf of agents that reach the hub through it, and says for whom in an annotation."""
REQUESTER_ANNOTATION = "open-cluster-management.io/csr-user"


@dataclass(frozen=True)
class Requests:
    """Reconciles the requests for the add-ons that `agents` knows."""

    agents: Agents

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one CertificateSigningRequest."""
        csr = view.get(key)
        if csr is None or not is_of_addon(csr) or _is_done(csr):
            return DONE
        labels = labels_of(csr)
        cluster = view.get(cluster_ref(labels[CLUSTER_NAME_LABEL]))
        live = view.get(Ref(*CLUSTER_ADDON, labels[CLUSTER_NAME_LABEL], labels[ADDON_NAME_LABEL]))
        if cluster is None or live is None:
            return DONE
        addon = at_beta(live)
        agent = self.agents(view, addon)
        if agent is None:
            return DONE
        try:
            if not _has(csr, APPROVED):
                return _judged(csr, agent.registrations(view, cluster, addon) or (), addon)
            return _signed(view, csr, agent, live, addon, now)
        except AgentFailed as error:
            return Outcome(notes=(f"{key.name} waits: {error.message}",))


def is_of_addon(csr: Object) -> bool:
    """Whether a request is an add-on's."""
    labels = labels_of(csr)
    named = labels.get(ADDON_NAME_LABEL) and labels.get(CLUSTER_NAME_LABEL)
    return bool(named) and name_of(csr).startswith("addon")


def _has(csr: Object, condition: str) -> bool:
    return any(c.get("type") == condition for c in conditions_of(csr))


def _is_done(csr: Object) -> bool:
    """Whether nothing is left to do for us: denied, failed, signed, or for the cluster's signer to sign."""
    signer = (csr.get("spec") or {}).get("signerName")
    ended = _has(csr, DENIED) or _has(csr, "Failed") or bool(status_of(csr).get("certificate"))
    return ended or (_has(csr, APPROVED) and signer == CLIENT_SIGNER)


# --- approval ---------------------------------------------------------------------------------------


def _judged(csr: Object, registrations: Iterable[Mapping[str, Any]], addon: Object) -> Outcome:
    why = refusal(csr, registrations, addon)
    if why:
        text = f"{name_of(csr)} is left to be approved by a person: {why}"
        return Outcome((Emit(csr, "AddonCSRNotApproved", text, "Warning", "Approve"),), notes=(text,))
    condition = {"type": APPROVED, "status": "True", "reason": REASON, "message": MESSAGE}
    status = {**status_of(csr), "conditions": [*conditions_of(csr), condition]}
    text = f'addon csr "{name_of(csr)}" is auto approved by hub csr controller'
    event = Emit(csr, "AddonCSRAutoApproved", text, action="AddonCSRAutoApproved")
    return Outcome((Update({**csr, "status": status}, subresource="approval"), event))


def refusal(csr: Object, registrations: Iterable[Mapping[str, Any]], addon: Object) -> str:
    """Why a request is not approved unseen; empty where it is."""
    signer = str(csr["spec"].get("signerName", ""))
    registered = next((r for r in registrations if _signer(r) == signer), None)
    if registered is None:
        return f"{name_of(addon)} does not register with {signer}"
    if not _asks_for_itself(csr, namespace_of(addon)):
        return "who asks for it is not the cluster's agent"
    request = parsed_request(str(csr["spec"].get("request", "")))
    if request is None:
        return "it cannot be read"
    names = subject_values(request, COMMON_NAME)
    groups = set(subject_values(request, ORGANIZATION))
    if signer == CLIENT_SIGNER:
        usages = frozenset(csr["spec"].get("usages") or ())
        if not usages.issubset(CLIENT_USAGES):
            return "it asks for more than a client's usages"
        return _client_refusal((registered.get("kubeClient") or {}).get("subject") or {}, names, groups)
    return _signer_refusal((registered.get("customSigner") or {}).get("subject") or {}, names, groups)


def _client_refusal(subject: Mapping[str, Any], names: Sequence[str], groups: set[str]) -> str:
    wanted = set(subject.get("groups") or ())
    if names != [subject.get("user")]:
        return "it is not made out to the add-on's agent"
    return "" if wanted <= groups <= wanted | {AUTHENTICATED} else "its groups are not the add-on's"


def _signer_refusal(subject: Mapping[str, Any], names: Sequence[str], groups: set[str]) -> str:
    """What an add-on leaves open about its subject the agent may choose."""
    if subject.get("user") and names != [subject["user"]]:
        return "it is not made out to whom the add-on registers"
    if subject.get("groups") and not groups <= set(subject["groups"]):
        return "its groups are not the add-on's"
    return ""


def _signer(registration: Mapping[str, Any]) -> str:
    if registration.get("type") == "kubeClient":
        return CLIENT_SIGNER
    return str((registration.get("customSigner") or {}).get("signerName") or "")


def _asks_for_itself(csr: Object, cluster: str) -> bool:
    """Whether the agent of the cluster asks; the name of one cluster may begin with another's."""
    requester = str(csr["spec"].get("username", ""))
    if requester == GRPC_ACCOUNT:
        requester = annotations_of(csr).get(REQUESTER_ANNOTATION, "")
    return requester.startswith(f"{GROUP_PREFIX}{cluster}:")


# --- signing ----------------------------------------------------------------------------------------


def _signed(view: View, csr: Object, agent: Agent, live: Object, addon: Object, now: datetime) -> Outcome:
    from gitops_ocm.decide.addons.signing import CannotSign, signed  # a tenth of a preview's imports

    ref = agent.signing_ca(view, addon, str(csr["spec"].get("signerName", "")))
    if ref is None:
        return Outcome(notes=(f"{name_of(csr)} is for a signer that is none of {name_of(addon)}'s",))
    view.require([Want(SECRET, ref.namespace, name=ref.name)])
    secret = view.get(ref)
    if secret is None:
        return _unsigned(csr, live, CA_MISSING.saying(namespace=ref.namespace, name=ref.name), now)
    data = secret.get("data") or {}
    try:
        certificate = signed(
            base64.b64decode(csr["spec"].get("request", "")),
            *(base64.b64decode(data.get(key, "")) for key in (CERTIFICATE_KEY, PRIVATE_KEY_KEY)),
            seed=str(csr["metadata"].get("uid", "")),
            now=now,
        )
    except CannotSign as error:
        unusable = CA_UNUSABLE.saying(namespace=ref.namespace, name=ref.name, error=error.message)
        return _unsigned(csr, live, unusable, now)
    status = {**status_of(csr), "certificate": base64.b64encode(certificate).decode()}
    cleared = tell(live, Told(dropped=frozenset({SIGNING_CA_READY})), now) if _told(live) else ()
    return Outcome((Update({**csr, "status": status}, subresource="status"), *cleared))


def _told(live: Object) -> bool:
    return conditions.find(conditions_of(live), SIGNING_CA_READY) is not None


def _unsigned(csr: Object, live: Object, condition: KnownCondition, now: datetime) -> Outcome:
    """Say on the add-on what keeps its certificate from being signed; the Secret's coming wakes us."""
    writes = tell(live, Told((condition,)), now)
    event = Emit(csr, condition.reason, condition.message, "Warning", "Sign")
    return Outcome((*writes, event) if writes else ())


# --- what wakes it ----------------------------------------------------------------------------------


def to_do(old: Object | None, new: Object | None) -> bool:
    """Whether a request of an add-on is there to be approved or signed."""
    return new is not None and is_of_addon(new) and not _is_done(new)


def of_addon(view: View, addon: Object) -> Iterable[Ref]:
    """The open requests for an add-on."""
    labels = {ADDON_NAME_LABEL: name_of(addon), CLUSTER_NAME_LABEL: namespace_of(addon)}
    return [Ref(*CSR, "", name_of(csr)) for csr in view.list(CSR, labels=labels) if not _is_done(csr)]

"""What is wrong with the agents as they are installed on a managed cluster: operator, pods, definitions."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ocm.api.operator import OPERATOR_NAMESPACE
from gitops_ocm.decide.diagnosis import pods
from gitops_ocm.decide.diagnosis.evidence import Evidence, Spoke
from gitops_ocm.decide.diagnosis.finding import Fact, Finding, condition_fact, cut, named
from gitops_ocm.decide.diagnosis.hub import definitions, gates_known
from gitops_ocm.decide.diagnosis.standing import changed_at, since, standing
from gitops_ocm.decide.kinds import CLUSTER_ADDON
from gitops_ocm.decide.operators.agent_spec import AgentSpec
from gitops_ocm.decide.writes import conditions_of, is_deleting, name_of, status_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Kind, Object

KLUSTERLET = Kind("operator.open-cluster-management.io", "Klusterlet")
SPOKE_DEFINITIONS = {
    "appliedmanifestworks.work.open-cluster-management.io": ("v1",),
    "clusterclaims.cluster.open-cluster-management.io": ("v1alpha1",),
}
_CONDITIONS = (
    ("Applied", "False", "klusterlet-failed"),
    ("ReadyToApply", "False", "klusterlet-failed"),
    ("Available", "False", "klusterlet-degraded"),
    ("RegistrationDesiredDegraded", "True", "klusterlet-degraded"),
    ("WorkDesiredDegraded", "True", "klusterlet-degraded"),
    ("HubConnectionDegraded", "True", "klusterlet-degraded"),
)
"""What a Klusterlet says that is not as it should be: condition, its bad status, which cause that is."""


def findings(evidence: Evidence) -> Iterator[Finding]:
    """What the managed cluster shows of its agents."""
    spoke = evidence.spoke
    if spoke is None:
        return
    klusterlets = [k for k in spoke.objects.list(KLUSTERLET) if _is_for(k, spoke)]
    if not klusterlets and spoke.blank and not _heard_of(spoke, evidence):
        sentence = f"No agents are installed on {spoke.cluster or spoke.server}: there is no Klusterlet."
        facts = (Fact(f"API server {spoke.server}", "klusterlets", "none"),)
        yield Finding(
            "klusterlet-missing", "Klusterlet", sentence, facts, "gitops-ocm get token", spoke.cluster
        )
        return
    if klusterlets and (spoke.hub_way is not None or not spoke.embedded):
        logs, cause = f"kubectl -n {OPERATOR_NAMESPACE} logs deployment/klusterlet", "agent-crd-missing"
        yield from definitions(
            spoke.objects, SPOKE_DEFINITIONS, logs, missing=cause, other=cause, cluster=spoke.cluster
        )
    for klusterlet in klusterlets:
        if is_deleting(klusterlet):
            continue  # its end is told in `deletion`
        yield from _klusterlet(klusterlet, spoke, evidence)
        yield from _gates(klusterlet, spoke, evidence)
    namespaces = [OPERATOR_NAMESPACE, spoke.namespace, *(AgentSpec(k).agent_namespace for k in klusterlets)]
    agent_pods = pods.findings("agent-pods", spoke.objects, filter(None, namespaces), evidence, spoke.cluster)
    yield from agent_pods


def _heard_of(spoke: Spoke, evidence: Evidence) -> bool:
    """Whether the hub hears of the cluster's agents: they may run anywhere, and keep what they have there."""
    return evidence.hub is not None and standing(evidence.hub, spoke.cluster).heard(evidence.now)


def _is_for(klusterlet: Object, spoke: Spoke) -> bool:
    return AgentSpec(klusterlet).cluster_name in ("", spoke.cluster)


def _klusterlet(klusterlet: Object, spoke: Spoke, evidence: Evidence) -> Iterator[Finding]:
    name, observed = named(klusterlet), status_of(klusterlet).get("observedGeneration")
    mend = f"kubectl get klusterlet {name_of(klusterlet)} -o yaml"
    behind = observed != klusterlet["metadata"].get("generation")
    if behind and not spoke.embedded and evidence.settled(changed_at(klusterlet)):
        facts = (
            Fact(name, "metadata.generation", str(klusterlet["metadata"].get("generation", ""))),
            Fact(name, "status.observedGeneration", str(observed or "absent")),
        )
        logs = f"kubectl -n {OPERATOR_NAMESPACE} logs deployment/klusterlet"
        sentence = f"The operator has not acted on {name} as it is now."
        yield Finding("klusterlet-not-handled", name, sentence, facts, logs, spoke.cluster)
    yield from gates_known(klusterlet, mend, spoke.cluster)
    for type_, wrong, cause in _CONDITIONS:
        told = conditions.find(conditions_of(klusterlet), type_)
        if told is not None and told.get("status") == wrong and evidence.settled(since(told)):
            sentence = f"{name} is not as it should be: {cut(str(told.get('message') or told.get('reason')))}"
            yield Finding(cause, name, sentence, (condition_fact(klusterlet, told),), mend, spoke.cluster)


def _gates(klusterlet: Object, spoke: Spoke, evidence: Evidence) -> Iterator[Finding]:
    """Add-ons on the hub for a cluster whose agents were told to leave add-ons alone."""
    hub = evidence.hub
    gates = AgentSpec(klusterlet).registration.get("featureGates") or ()
    off = any(g.get("feature") == "AddonManagement" and g.get("mode") == "Disable" for g in gates)
    if hub is None or not off or not hub.objects.list(CLUSTER_ADDON, spoke.cluster):
        return
    name, addon = named(klusterlet), hub.objects.list(CLUSTER_ADDON, spoke.cluster)[0]
    facts = (
        Fact(name, "spec.registrationConfiguration.featureGates", "AddonManagement: Disable"),
        Fact(named(addon), "", "on the hub"),
    )
    sentence = (
        f"The hub has add-ons for {spoke.cluster}, but its agents have the gate AddonManagement closed."
    )
    mend = f"kubectl edit klusterlet {name_of(klusterlet)}"
    yield Finding("gate-mismatch", name, sentence, facts, mend, spoke.cluster)

"""Which certificate requests `accept` approves."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gitops_ocm.objects.ref import Object
from gitops_ocm.verbs.accept import AcceptOptions, judge

BOOTSTRAP = "system:serviceaccount:open-cluster-management:agent-registration-bootstrap"
GROUP = "system:serviceaccounts:open-cluster-management"
KEY = ec.generate_private_key(ec.SECP256R1())
ORGANIZATION = "system:open-cluster-management:cluster1"


def csr(name: str, **but: Any) -> Object:
    """A first request of cluster1's agent a1, but for what is given."""
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, but.get("cn", f"{ORGANIZATION}:a1"))]
    subject += [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, o)
        for o in but.get("organizations", (ORGANIZATION, "system:open-cluster-management:managed-clusters"))
    ]
    request = x509.CertificateSigningRequestBuilder(x509.Name(subject)).sign(KEY, hashes.SHA256())
    verdict = but.get("verdict")
    return {
        "metadata": {"name": name, "labels": {"open-cluster-management.io/cluster-name": "cluster1"}},
        "spec": {
            "request": base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode(),
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["digital signature", "key encipherment", "client auth"],
            "username": but.get("user", BOOTSTRAP),
            "groups": but.get("groups", [GROUP, "system:authenticated"]),
        },
        "status": {"conditions": [{"type": verdict, "status": "True"}]} if verdict else {},
    }


A1 = csr("one")
A2 = csr("two", cn=f"{ORGANIZATION}:a2")
DENIED, APPROVED = csr("no", verdict="Denied"), csr("yes", verdict="Approved")
STRANGER = csr("stranger", user="system:serviceaccount:default:somebody", groups=["system:authenticated"])
OTHERS_GROUP = csr("group", groups=["system:authenticated"])
TOKEN = csr("token", user="system:bootstrap:abcdef", groups=["system:bootstrappers:managedcluster"])
FOREIGN = csr("foreign", cn="system:open-cluster-management:cluster2:a1")
EXTRA = csr("extra", organizations=(ORGANIZATION, "system:masters"))
SKIP = AcceptOptions(skip_check=True)
ONLY_A2 = AcceptOptions(requesters=(f"{ORGANIZATION}:a2",))


@pytest.mark.parametrize(
    ("requests", "options", "due", "approved", "told"),
    [
        pytest.param([A1], AcceptOptions(), ["one"], False, "", id="the first request"),
        pytest.param([TOKEN], AcceptOptions(), ["token"], False, "", id="by a stored token"),
        pytest.param([], AcceptOptions(), [], False, "", id="none"),
        pytest.param([APPROVED], AcceptOptions(), [], True, "CSR yes already approved", id="approved"),
        pytest.param([DENIED], AcceptOptions(), [], False, "CSR no already denied", id="denied"),
        pytest.param([STRANGER], AcceptOptions(), [], False, "", id="by a stranger"),
        pytest.param([OTHERS_GROUP], AcceptOptions(), [], False, "", id="by no member of the group"),
        pytest.param([STRANGER], SKIP, ["stranger"], False, "", id="by a stranger, unchecked"),
        pytest.param([FOREIGN], AcceptOptions(), [], False, "CSR foreign is not valid", id="as another"),
        pytest.param([EXTRA], AcceptOptions(), [], False, "CSR extra is not valid", id="more organizations"),
        pytest.param([A1, A2], AcceptOptions(), [], False, "different requesters", id="two agents"),
        pytest.param([A1, A2], SKIP, ["one", "two"], False, "", id="two agents, unchecked"),
        pytest.param([A1, A2], ONLY_A2, ["two"], False, "CSR one with requester", id="one named of two"),
        pytest.param([A1], ONLY_A2, ["one"], False, "", id="the only one, another named"),
        pytest.param([APPROVED, A2], AcceptOptions(), ["two"], True, "already approved", id="joined anew"),
        pytest.param([DENIED, A2], AcceptOptions(), ["two"], False, "already denied", id="denied, then anew"),
        pytest.param([APPROVED], ONLY_A2, [], False, "already approved", id="another was approved"),
        pytest.param([APPROVED, A1], AcceptOptions(), ["one"], True, "already approved", id="again"),
    ],
)
def test_what_is_approved(
    requests: list[Object], options: AcceptOptions, due: list[str], approved: bool, told: str
) -> None:
    """Only requests of a bootstrap identity for an agent of the cluster, and of one agent, unless said."""
    found = judge(requests, options)
    assert [request["metadata"]["name"] for request in found.due] == due
    assert found.approved is approved
    assert told in "\n".join(found.told)
    assert bool(found.told) is bool(told)


def test_a_request_that_is_none() -> None:
    """What holds no request at all is told and left alone."""
    broken = {**A1, "spec": {**A1["spec"], "request": "bm90aGluZw=="}}
    found = judge([broken], AcceptOptions())
    assert not found.due
    assert "CSR one is not valid" in found.told[0]

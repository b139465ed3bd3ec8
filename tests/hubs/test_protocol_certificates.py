"""Certificate requests as clusters make them when they join."""

from __future__ import annotations

import base64

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from gitops_ocm.objects import conditions
from tests.hubs.conftest import Hub


def _pem() -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "system:open-cluster-management:c1:a")])
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, SHA256())
    return base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode()


async def test_an_approval_is_kept_and_nothing_else_of_the_status(hub: Hub) -> None:
    """`kubectl certificate approve` sends all of it to `/approval`: of its status only conditions count."""
    request = hub.new(
        "CertificateSigningRequest",
        api_version="certificates.k8s.io/v1",
        spec={
            "request": _pem(),
            # A signer that nobody serves: nothing but what the test does happens to the request.
            "signerName": "test.gitops-ocm.io/none",
            "usages": ["digital signature", "key encipherment", "client auth"],
        },
    )
    made = await hub.create(request)
    verdict = {"type": "Approved", "status": "True", "reason": "Test", "message": "by a test"}
    changed = {
        **made,
        "metadata": {**made["metadata"], "labels": {"kept": "too"}},
        "spec": {**made["spec"], "signerName": "test.gitops-ocm.io/other"},
        "status": {"conditions": [verdict], "certificate": "bm90IGtlcHQ="},
    }
    approved = await hub.update(changed, subresource="approval")
    assert conditions.is_true(approved, "Approved")
    assert "certificate" not in approved["status"]
    assert approved["spec"] == made["spec"]
    assert approved["metadata"]["labels"] == {"kept": "too"}
    assert conditions.is_true(await hub.get(made), "Approved")

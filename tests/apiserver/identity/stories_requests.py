"""Stories about certificate requests: which are valid, who decides, and what is signed."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from tests.apiserver.identity.csr_requests import CLIENT, CLIENT_USAGES, csr, encoded, pem
from tests.apiserver.identity.steps import APPLY, MERGE, Step
from tests.apiserver.identity.stories_rights import grant, rule

PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
KUBELET, SERVING = f"{CLIENT}-kubelet", "kubernetes.io/kubelet-serving"
NODE = ("system:node:n", ("system:nodes",))
SERVING_USAGES = ("digital signature", "server auth")


def _wrapped(der: bytes, label: str = "CERTIFICATE REQUEST") -> bytes:
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{body}-----END {label}-----\n".encode()


_DER = base64.b64decode(b"".join(pem().splitlines()[1:-1]))
_FORGED = _DER[:-1] + bytes([_DER[-1] ^ 1])
UNREADABLE = (b"junk", b"", _wrapped(_DER, "CERTIFICATE"), _wrapped(_FORGED))
SIGNERS = ("", "x", "a/b/c", "A.com/x", "kubernetes.io/legacy-unknown", "example.com/", "e_.com/x",
           "nodots/x", f"{'e' * 260}.com/x", "example.com/X_Y")  # fmt: skip
USAGES: Sequence[Sequence[str]] = ((), ("foo",), ("client auth", "client auth"))


def _post(body: dict[str, Any], **more: Any) -> Step:
    return Step(f"POST {PATH}", body, **more)


VALIDITY: Sequence[Step] = (
    *(_post(csr("bad-{id}", request)) for request in UNREADABLE),
    *(_post(csr("bad-{id}", signer=signer)) for signer in SIGNERS),
    *(_post(csr("bad-{id}", usages=usages)) for usages in USAGES),
    _post(csr("bad-{id}", expirationSeconds=599)),
    _post(csr("bad-{id}", b"junk", signer="", usages=(), expirationSeconds=1)),
    _post(csr("bad-{id}", pem("u", ("system:masters",)), signer=CLIENT)),
    _post(csr("ok-{id}", b"text\n" + pem(), username="evil", groups=["system:masters"], uid="1")),
    _post(csr("ok-{id}")),
    Step(f"PUT {PATH}/ok-{{id}}", csr("ok-{id}", signer="example.com/other")),
    Step(
        f"PATCH {PATH}/ok-{{id}}",
        {"spec": {"usages": ["any"]}, "metadata": {"labels": {"a": "b"}}},
        media=MERGE,
    ),
    Step(f"PATCH {PATH}/new-{{id}}?fieldManager=m", csr("new-{id}"), media=APPLY),
    Step(f"PATCH {PATH}/new-{{id}}?fieldManager=m", csr("new-{id}", usages=("any",)), media=APPLY),
    Step(f"DELETE {PATH}/ok-{{id}}"),
    Step(f"DELETE {PATH}/new-{{id}}"),
)
"""What a request has to be, and that it stays what it is."""


def condition(kind: str, status: str = "True", reason: str = "R") -> dict[str, str]:
    """A verdict."""
    return {"type": kind, "status": status, "reason": reason, "message": "M"}


def _status(sub: str, *conditions: dict[str, str], name: str = "c-{id}", **more: str) -> Step:
    body = {"status": {"conditions": list(conditions), **more}}
    return Step(f"PATCH {PATH}/{name}/{sub}", body, media=MERGE)


YES, NO = condition("Approved"), condition("Denied")
VERDICTS: Sequence[Step] = (
    _post(csr("c-{id}") | {"status": {"conditions": [YES], "certificate": "eA=="}}),
    _status("status", YES),
    _status("approval", condition("Approved", "False")),
    _status("approval", YES),
    _status("approval", NO),
    _status("approval", YES, NO),
    _status("approval"),
    _status("approval", YES, certificate=encoded(pem())),
    _status("status", YES, certificate=encoded(pem())),
    _status("status", YES, certificate=encoded(b"junk")),
    _status("status", condition("Approved", reason="other")),
    _status("status", YES, NO),
    _status("status"),
    _status(
        "status",
        YES,
        condition("Other", "Maybe"),
        condition(""),
        condition("Failed", "False"),
        condition("Other"),
    ),
    _status("status", YES, condition("Failed")),
    _status("approval", YES),
    Step(f"GET {PATH}/c-{{id}}/approval"),
    Step(f"DELETE {PATH}/c-{{id}}"),
    _post(csr("d-{id}")),
    Step(
        f"PATCH {PATH}/d-{{id}}/approval?fieldManager=m",
        csr("d-{id}") | {"status": {"conditions": [condition("Denied")]}},
        media=APPLY,
    ),
    Step(f"DELETE {PATH}/d-{{id}}"),
)
"""Which verdicts may be given, and where."""

WATCHER = "ann-{id}"
RIGHTS: Sequence[Step] = (
    *grant(
        "csr-{id}",
        WATCHER,
        rule(
            [
                "certificatesigningrequests",
                "certificatesigningrequests/approval",
                "certificatesigningrequests/status",
            ],
            ["create", "get", "patch"],
            ["certificates.k8s.io"],
        ),
    ),
    _post(csr("r-{id}"), as_=WATCHER, until=201),
    Step(f"PATCH {PATH}/r-{{id}}/approval", {"status": {"conditions": [YES]}}, as_=WATCHER, media=MERGE),
    Step(
        f"PATCH {PATH}/r-{{id}}/status",
        {"status": {"conditions": [condition("Failed")]}},
        as_=WATCHER,
        media=MERGE,
    ),
    *grant(
        "sign-{id}",
        WATCHER,
        rule(["signers"], ["approve"], ["certificates.k8s.io"], resourceNames=["example.com/*"]),
        rule(["signers"], ["sign"], ["certificates.k8s.io"], resourceNames=["example.com/none"]),
    ),
    Step(
        f"PATCH {PATH}/r-{{id}}/approval",
        {"status": {"conditions": [YES]}},
        as_=WATCHER,
        media=MERGE,
        until=200,
    ),
    Step(
        f"PATCH {PATH}/r-{{id}}/status",
        {"status": {"conditions": [YES, condition("Failed")]}},
        as_=WATCHER,
        media=MERGE,
        until=200,
    ),
    Step(f"DELETE {PATH}/r-{{id}}"),
    *(
        Step(f"DELETE /apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{n}-{{id}}")
        for n in ("csr", "sign")
    ),
    *(Step(f"DELETE /apis/rbac.authorization.k8s.io/v1/clusterroles/{n}-{{id}}") for n in ("csr", "sign")),
)
"""To approve and to sign take a right for the signer, or for its domain."""

ASKED: dict[str, dict[str, Any]] = {
    "a": csr("a-{id}", signer=CLIENT, usages=CLIENT_USAGES),
    "b": csr("b-{id}", signer=CLIENT, usages=("client auth",), expirationSeconds=3600),
    "c": csr("c-{id}", signer=CLIENT, usages=CLIENT_USAGES, expirationSeconds=90_000_000),
    "d": csr("d-{id}", signer=CLIENT, usages=("server auth", "client auth")),
    "e": csr("e-{id}", signer=CLIENT, usages=("digital signature",)),
    "f": csr("f-{id}", signer=KUBELET, usages=CLIENT_USAGES),
    "g": csr("g-{id}", pem(*NODE), signer=KUBELET, usages=CLIENT_USAGES),
    "h": csr("h-{id}", pem(*NODE), signer=KUBELET, usages=("client auth",)),
    "i": csr("i-{id}", pem(*NODE, ("n.local",)), signer=KUBELET, usages=CLIENT_USAGES),
    "j": csr("j-{id}", pem(*NODE, ("n.local",)), signer=SERVING, usages=SERVING_USAGES),
    "k": csr("k-{id}", pem(*NODE), signer=SERVING, usages=SERVING_USAGES),
    "l": csr("l-{id}", pem("n", ("system:nodes",), ("n.local",)), signer=SERVING, usages=SERVING_USAGES),
    "m": csr("m-{id}", pem("u", ("one", "two", "three")), signer=CLIENT, usages=CLIENT_USAGES),
}
SIGNED = ("a", "b", "c", "g", "j", "m")
SIGNING: Sequence[Step] = (
    *(_post(body) for body in ASKED.values()),
    *(_status("approval", YES, name=f"{n}-{{id}}") for n in ASKED if n != "g"),
    *(
        Step(
            f"GET {PATH}/{n}-{{id}}",
            until="status.certificate",
            save={n: "status.certificate"},
            hidden=("status.certificate",),
        )
        for n in SIGNED
    ),
    *(
        Step(
            f"PATCH {PATH}/{n}-{{id}}/approval",
            {"metadata": {"labels": {"a": "b"}}},
            media=MERGE,
            hidden=("status",),
        )
        for n in ASKED
        if n not in SIGNED
    ),
    *(Step(f"DELETE {PATH}/{n}-{{id}}") for n in ASKED),
)
"""What each of Kubernetes' signers signs, and which it fails; a node's request is approved by itself."""

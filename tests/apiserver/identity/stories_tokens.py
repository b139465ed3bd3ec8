"""Stories about tokens: how they are asked for, what they are good for, and when that ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.apiserver.identity.steps import Step

CORE = "/api/v1/namespaces/{ns}"
ACCOUNTS, SECRETS = f"{CORE}/serviceaccounts", f"{CORE}/secrets"
SYSTEM = "/api/v1/namespaces/kube-system/secrets"
REVIEWS = "/apis/authentication.k8s.io/v1"
WHO_AM_I, WHOSE = f"POST {REVIEWS}/selfsubjectreviews", f"POST {REVIEWS}/tokenreviews"
MADE_UP = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2t1YmVybmV0ZXMuZGVmYXVsdC5zdmMifQ."
"""A token that says it needs no signature."""


def review(token: str, *audiences: str) -> dict[str, Any]:
    """A TokenReview."""
    spec: dict[str, Any] = {"token": token, **({"audiences": list(audiences)} if audiences else {})}
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}


def made(name: str, kind: str = "ServiceAccount", **rest: Any) -> dict[str, Any]:
    """An object of the core group."""
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **rest.pop("meta", {})}, **rest}


def token(name: str, **spec: Any) -> Step:
    """The creation of a token, which later steps know as `{token}`."""
    path = f"POST {ACCOUNTS}/{name}/token"
    # A reference is null there while the server decides who owns it, which is not shown to anybody.
    hidden = ("metadata.managedFields",) if "boundObjectRef" in spec else ()
    return Step(path, {"spec": spec}, save={"token": "status.token"}, hidden=hidden)


def bound(kind: str, name: str, **more: str) -> dict[str, Any]:
    """A reference to what a token is to die with."""
    return {"boundObjectRef": {"apiVersion": "v1", "kind": kind, "name": name, **more}}


POD = {"containers": [{"name": "c", "image": "i"}], "serviceAccountName": "sa"}


def bootstrap(number: str, meta: Mapping[str, Any] | None = None, **data: str) -> Step:
    """The creation of a bootstrap token; `number` is one character, which makes it unlike others."""
    fields = {
        "token-id": "{id}" + number,
        "token-secret": "0123456789abcdef",
        "usage-bootstrap-authentication": "true",
        "usage-bootstrap-signing": "true",
        **{key.replace("_", "-"): value for key, value in data.items()},
    }
    body = made(
        "bootstrap-token-{id}" + number, "Secret", type="bootstrap.kubernetes.io/token", stringData=fields
    )
    return Step(f"POST {SYSTEM}", body, hidden=("data", "metadata"))


ASKING: Sequence[Step] = (
    Step(f"POST {ACCOUNTS}", made("sa")),
    token("sa"),
    Step(WHO_AM_I, {}, who="{token}", hidden=("status.userInfo.extra",)),
    Step(WHOSE, review("{token}"), hidden=("status.user.extra",)),
    Step(WHOSE, review("{token}", "https://kubernetes.default.svc", "other"), hidden=("status.user.extra",)),
    Step(WHOSE, review("{token}", "other")),
    token("sa", expirationSeconds=7200, audiences=["a", "b"]),
    Step(WHO_AM_I, {}, who="{token}"),
    Step(WHOSE, review("{token}", "b", "c"), hidden=("status.user.extra",)),
    Step(WHOSE, review("{token}")),
    token("nobody"),
    *(token("sa", expirationSeconds=n) for n in (599, 600, 4294967296, 4294967297, -1, 0)),
    *(token("sa", **bound(kind, "x")) for kind in ("ConfigMap", "Secret", "Pod", "Node", "")),
    Step(f"POST {ACCOUNTS}/sa/token", {"metadata": {"name": "other"}, "spec": {}}),
    Step(f"POST {ACCOUNTS}/sa/token", {"metadata": {"namespace": "other"}, "spec": {}}),
    Step(f"POST {ACCOUNTS}/sa/token", {"metadata": {"uid": "other"}, "spec": {}}),
    Step(f"POST {ACCOUNTS}/sa/token", {"spec": {"audiences": "a"}}),
    Step(f"GET {ACCOUNTS}/sa/token"),
    Step(WHOSE, review("")),
    Step(WHOSE, review("x")),
    Step(WHOSE, review("a.b.c")),
    Step(WHOSE, review(MADE_UP)),
    Step(WHO_AM_I, {}, who=MADE_UP),
    Step(WHO_AM_I, {}, who="x"),
    Step(WHO_AM_I, {}, who="-"),
    Step("GET /apis", who="-", headers=(("Authorization", "Basic Zm9v"),)),
    Step("GET /apis", who="-", headers=(("Authorization", "Bearer"),)),
)
"""What a request for a token may say, and what is answered; what comes of a bad token."""

ENDING: Sequence[Step] = (
    Step(f"POST {ACCOUNTS}", made("sa"), save={"uid": "metadata.uid"}),
    Step(f"POST {SECRETS}", made("s", "Secret")),
    Step(f"POST {CORE}/pods", made("p", "Pod", spec=POD), hidden=("spec", "metadata", "status")),
    token("sa", **bound("Secret", "s", uid="wrong")),
    Step(f"POST {ACCOUNTS}", made("other")),
    token("other", **bound("Pod", "p")),
    token("sa", **bound("Secret", "s")),
    Step(f"DELETE {SECRETS}/s"),
    Step("GET /api", who="{token}", until=401),
    Step(WHOSE, review("{token}")),
    token("sa", **bound("Pod", "p")),
    Step(WHO_AM_I, {}, who="{token}", hidden=("status.userInfo.extra",)),
    token("sa", **bound("Pod", "p")),
    Step(f"DELETE {CORE}/pods/p?gracePeriodSeconds=0", hidden=("*",)),
    Step("GET /api", who="{token}", until=401),
    Step(WHOSE, review("{token}")),
    token("sa"),
    Step(f"DELETE {ACCOUNTS}/sa", hidden=("*",)),
    Step("GET /api", who="{token}", until=401),
    Step(f"POST {ACCOUNTS}", made("sa")),
    Step("GET /api", who="{token}", until=401),
)
"""A token ends with what it is bound to, and with its account, also where that is made anew."""

LEGACY_TYPE = "kubernetes.io/service-account-token"
ACCOUNT_NAME = "kubernetes.io/service-account.name"


def legacy(name: str, account: str) -> Step:
    """The creation of a Secret that is to be filled in."""
    meta = {"annotations": {ACCOUNT_NAME: account}}
    return Step(f"POST {SECRETS}", made(name, "Secret", type=LEGACY_TYPE, meta=meta))


LASTING: Sequence[Step] = (
    Step(f"POST {ACCOUNTS}", made("sa")),
    legacy("s", "sa"),
    Step(f"GET {SECRETS}/s", until="data.token", hidden=("metadata.managedFields",)),
    legacy("lost", "nobody"),
    Step(f"GET {SECRETS}/lost", until=404),
    Step(f"POST {SECRETS}", made("unnamed", "Secret", type=LEGACY_TYPE)),
    Step(f"DELETE {ACCOUNTS}/sa", hidden=("*",)),
    Step(f"GET {SECRETS}/s", until=404),
)
"""A Secret for a token is filled in, and goes with the account it is for."""

PAST, FUTURE = "2020-01-01T00:00:00Z", "2120-01-01T00:00:00Z"
BOOTSTRAP: Sequence[Step] = (
    bootstrap("1", expiration=FUTURE, auth_extra_groups="system:bootstrappers:b,system:bootstrappers:a"),
    Step(WHO_AM_I, {}, who="{id}1.0123456789abcdef", until=201),
    Step(WHO_AM_I, {}, who="{id}1.0123456789abcdee"),
    Step("GET /api/v1/pods", who="{id}1.0123456789abcdef"),
    bootstrap("2", usage_bootstrap_authentication="false"),
    Step(f"GET {SYSTEM}/bootstrap-token-{{id}}2", hidden=("data", "metadata")),
    Step("GET /api", who="{id}2.0123456789abcdef"),
    bootstrap("3", auth_extra_groups="system:masters"),
    Step("GET /api", who="{id}3.0123456789abcdef"),
    bootstrap("4", expiration=PAST),
    Step(f"GET {SYSTEM}/bootstrap-token-{{id}}4", until=404),
    Step("GET /api", who="{id}4.0123456789abcdef"),
    bootstrap("5", expiration="soon"),
    Step(f"GET {SYSTEM}/bootstrap-token-{{id}}5", until=404),
    bootstrap("6"),
    *(Step(f"DELETE {SYSTEM}/bootstrap-token-{{id}}{n}", hidden=("details",)) for n in "1236"),
    Step("GET /api", who="{id}6.0123456789abcdef", until=401),
)
"""Bootstrap tokens: who they are, which are good, and that those that have ended go away."""

"""ServiceAccount and bootstrap tokens: what is not accepted, whoever made it and however it was made."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.apiserver.authentication import ISSUER, Authenticator
from gitops_ocm.apiserver.handlers_token import TokenRequests
from gitops_ocm.apiserver.signing_key import FILE, SigningKey
from gitops_ocm.apiserver.tls import CertificateProblem
from gitops_ocm.apiserver.token_secrets import filled
from gitops_ocm.apiserver.tokens import LEGACY_ISSUER, ServiceAccountTokens
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog

START = datetime(2026, 1, 1, tzinfo=UTC)
KEY = ec.derive_private_key(7, ec.SECP256R1())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
OTHER = ec.derive_private_key(8, ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class House:
    """A server's parts that know tokens, on a clock that the test sets."""

    def __init__(self, key: Any = KEY) -> None:
        self.now = START
        self.api = Api(load_catalog(ocm=False), now=lambda: self.now)
        self.key = SigningKey(key)
        self.tokens = ServiceAccountTokens(self.api.store, self.key, lambda: self.now)
        self.requests = TokenRequests(self.api.store, self.key, lambda: self.now)
        self.who = Authenticator(sources=(self.tokens,))
        self.account = self.create("ServiceAccount", "robot")

    def served(self, kind: str) -> Served:
        """How a core kind is served."""
        found = self.api.catalog.served("v1", kind)
        assert found is not None
        return found

    def create(self, kind: str, name: str, **rest: Any) -> Object:
        """A new object in `default`."""
        obj = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **rest.pop("meta", {})}, **rest}
        return self.api.create(self.served(kind), "default", obj).obj

    def delete(self, kind: str, name: str) -> None:
        """One gone."""
        self.api.delete(self.served(kind), "default", name)

    def token(self, **spec: Any) -> str:
        """A token for the account."""
        request = {"metadata": {}, "spec": {"expirationSeconds": 3600, **spec}}
        found: str = self.requests.answer("default", "robot", request)["status"]["token"]
        return found

    def verdict(self, token: str, *audiences: str) -> str:
        """Who a token is of, or why it is not good."""
        found, why = self.who.review(token, audiences or (ISSUER,))
        return found.user.name if found is not None else why


ROBOT = "system:serviceaccount:default:robot"
NO_SIGNATURE = "[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]"


def claims_of(token: str) -> Object:
    """The claims of a token, signature or not."""
    return jwt.decode(token, options={"verify_signature": False})


@pytest.mark.parametrize("key", [KEY, ec.derive_private_key(9, ec.SECP384R1()), RSA_KEY])
def test_a_token_is_its_account(key: Any) -> None:
    """Whatever the key is: RS256, ES256 and ES384 are signed and verified, and the key is told to others."""
    house = House(key)
    token = house.token()
    assert house.verdict(token) == ROBOT
    (public,) = house.key.key_set()["keys"]
    shared = jwt.PyJWK(public)
    assert jwt.decode(
        token, shared.key, algorithms=[public["alg"]], audience=ISSUER, options={"verify_exp": False}
    )
    assert jwt.get_unverified_header(token) == {"alg": public["alg"], "kid": public["kid"]}
    assert "d" not in public


@pytest.mark.parametrize(
    ("moved", "verdict"),
    [
        (timedelta(minutes=-2), "[invalid bearer token, service account token is not valid yet]"),
        (timedelta(seconds=-30), ROBOT),
        (timedelta(minutes=60), ROBOT),
        (timedelta(minutes=62), "[invalid bearer token, service account token has expired]"),
    ],
)
def test_a_token_has_a_beginning_and_an_end(moved: timedelta, verdict: str) -> None:
    """On the server's clock, give or take the minute by which clocks may differ."""
    house = House()
    token = house.token()
    house.now += moved
    assert house.verdict(token) == verdict


def forged(house: House, change: Callable[[Object], Object], key: Any = None, **options: Any) -> str:
    """A good token's claims, changed and signed by whoever."""
    claims = change(claims_of(house.token()))
    headers = {"kid": house.key.key_id, **options.pop("headers", {})}
    return jwt.encode(claims, key or KEY, algorithm=options.get("algorithm", "ES256"), headers=headers)


def as_is(claims: Object) -> Object:
    """No change."""
    return claims


def _mac(house: House) -> str:
    """A token that takes the public key for a shared secret: made by hand, for libraries refuse to."""
    head = base64.urlsafe_b64encode(orjson.dumps({"alg": "HS256", "kid": house.key.key_id})).rstrip(b"=")
    body = base64.urlsafe_b64encode(orjson.dumps(claims_of(house.token()))).rstrip(b"=")
    mac = hmac.new(PUBLIC, head + b"." + body, hashlib.sha256).digest()
    return b".".join((head, body, base64.urlsafe_b64encode(mac).rstrip(b"="))).decode()


def _unsigned(house: House) -> str:
    return jwt.encode(claims_of(house.token()), "", algorithm="none", headers={"kid": house.key.key_id})


def _stripped(house: House) -> str:
    return house.token().rpartition(".")[0] + "."


FORGERIES: dict[str, tuple[Callable[[House], str], str]] = {
    "another key": (lambda h: forged(h, as_is, OTHER), NO_SIGNATURE),
    "another key's id": (
        lambda h: forged(h, as_is, OTHER, headers={"kid": SigningKey(OTHER).key_id}),
        "[invalid bearer token, invalid signature, no keys found]",
    ),
    "another algorithm": (lambda h: forged(h, as_is, RSA_KEY, algorithm="RS256"), NO_SIGNATURE),
    "no algorithm": (_unsigned, NO_SIGNATURE),
    "no signature": (_stripped, NO_SIGNATURE),
    "the public key as a secret": (_mac, NO_SIGNATURE),
    "another issuer": (lambda h: forged(h, lambda c: {**c, "iss": "https://evil"}), "invalid bearer token"),
    "the old issuer": (
        lambda h: forged(h, lambda c: {**c, "iss": LEGACY_ISSUER}),
        "[invalid bearer token, sub claim is invalid]",
    ),
    "another account": (
        lambda h: forged(h, lambda c: {**c, "kubernetes.io": {"serviceaccount": {"name": "x", "uid": "y"}}}),
        '[invalid bearer token, serviceaccounts "x" not found]',
    ),
    "no account": (
        lambda h: forged(h, lambda c: {**c, "kubernetes.io": {}}),
        '[invalid bearer token, serviceaccounts "" not found]',
    ),
    "times that are none": (
        lambda h: forged(h, lambda c: {**c, "exp": 1e300, "nbf": "soon"}),
        "[invalid bearer token, service account token claims could not be validated]",
    ),
    "no end": (
        lambda h: forged(h, lambda c: {k: v for k, v in c.items() if k != "exp"}),
        "[invalid bearer token, service account token has expired]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_is_nobodys(forgery: str) -> None:
    """Neither algorithms nor keys nor claims can be chosen by who shows the token."""
    house = House()
    make, verdict = FORGERIES[forgery]
    assert house.verdict(make(house)) == verdict


@given(st.binary(max_size=60), st.integers(0, 2))
@settings(derandomize=True, deadline=None, max_examples=150)
def test_a_broken_token_is_refused_and_nothing_else(noise: bytes, part: int) -> None:
    """Whatever stands in a part of it, the answer is a no."""
    parts = _GOOD.split(".")
    parts[part] = base64.urlsafe_b64encode(noise).decode().rstrip("=")
    token = ".".join(parts)
    assert token == _GOOD or _HOUSE.verdict(token).startswith(("invalid bearer token", "[invalid"))


_HOUSE = House()
_GOOD = _HOUSE.token()


def test_a_token_is_for_its_audience() -> None:
    """One for others is no good here, and one for here is no good for others."""
    house = House()
    here, there = house.token(), house.token(audiences=["vault", "bank"])
    assert house.verdict(there).startswith('[invalid bearer token, token audiences ["vault" "bank"]')
    assert house.verdict(here, "vault").endswith('for the target audiences ["vault"]]')
    found, _ = house.who.review(there, ("bank", "shop"))
    assert found is not None
    assert found.audiences == ("bank",)


@pytest.mark.parametrize("again", [False, True])
def test_a_token_ends_with_its_account(again: bool) -> None:
    """Also where an account of that name is made anew."""
    house = House()
    token = house.token()
    house.delete("ServiceAccount", "robot")
    if again:
        house.create("ServiceAccount", "robot")
    assert house.verdict(token) != ROBOT


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("kind", ["Secret", "Pod"])
def test_a_token_ends_with_what_it_is_bound_to(kind: str, again: bool) -> None:
    """Also where an object of that name is made anew."""
    house = House()
    spec = {"containers": [{"name": "c", "image": "i"}], "serviceAccountName": "robot"}
    rest: dict[str, Any] = {"spec": spec} if kind == "Pod" else {}
    house.create(kind, "b", **rest)
    token = house.token(boundObjectRef={"apiVersion": "v1", "kind": kind, "name": "b"})
    assert house.verdict(token) == ROBOT
    house.delete(kind, "b")
    if again:
        house.create(kind, "b", **rest)
    assert house.verdict(token) != ROBOT


def _lasting(house: House) -> tuple[str, Object]:
    meta = {"annotations": {"kubernetes.io/service-account.name": "robot"}}
    secret = house.create("Secret", "s", meta=meta, type="kubernetes.io/service-account-token")
    full = filled(secret, house.account, "ca", house.key.sign)
    assert full is not None
    assert filled(full, house.account, "ca", house.key.sign) is None
    stored = house.api.update(house.served("Secret"), "default", "s", full).obj
    return base64.b64decode(stored["data"]["token"]).decode(), stored


@pytest.mark.parametrize("change", ["deleted", "another token", "marked invalid", "account deleted"])
def test_a_lasting_token_holds_as_long_as_its_secret(change: str) -> None:
    """The Secret has to be there, to hold that very token, and not to be marked; so has the account."""
    house = House()
    token, secret = _lasting(house)
    house.now += timedelta(days=3650)
    assert house.verdict(token) == ROBOT
    if change == "deleted":
        house.delete("Secret", "s")
    elif change == "account deleted":
        house.delete("ServiceAccount", "robot")
    else:
        other = base64.b64encode(b"other").decode()
        labels = {"labels": {"kubernetes.io/legacy-token-invalid-since": "2026-01-01"}}
        changed = {**secret, "data": {**secret["data"], "token": other}} if change == "another token" else {
            **secret, "metadata": {**secret["metadata"], **labels}
        }  # fmt: skip
        house.api.update(house.served("Secret"), "default", "s", changed)
    assert house.verdict(token) != ROBOT


def test_a_pods_token_lasts_longer_than_it_says() -> None:
    """What kubelets ask for ends a year later, so that programs that never read it again go on."""
    house = House()
    spec = {"containers": [{"name": "c", "image": "i"}], "serviceAccountName": "robot", "nodeName": "n"}
    house.create("Pod", "p", spec=spec)
    ref = {"apiVersion": "v1", "kind": "Pod", "name": "p"}
    claims = claims_of(house.token(boundObjectRef=ref, expirationSeconds=3607))
    assert claims["exp"] - claims["iat"] == 365 * 24 * 3600
    assert claims["kubernetes.io"]["warnafter"] - claims["iat"] == 3607
    assert claims["kubernetes.io"]["node"] == {"name": "n"}


def test_the_key_is_kept_and_private(tmp_path: Path) -> None:
    """A restart goes on with it, nobody else can read it, and one that cannot be used is named."""
    first = SigningKey.open(tmp_path)
    assert SigningKey.open(tmp_path).key_id == first.key_id
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    pem = RSA_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / FILE).write_bytes(pem)
    assert SigningKey.open(tmp_path).algorithm == "RS256"
    (tmp_path / FILE).write_text("nonsense")
    with pytest.raises(CertificateProblem, match=r"sa\.key cannot be used"):
        SigningKey.open(tmp_path)

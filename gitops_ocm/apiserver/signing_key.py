"""The key that ServiceAccount tokens are signed with, and what the world is told about it.

Kept beside the server's certificates (`sa.key`); made where there is none, EC P-256, for a signature
of 0.1 ms. A key put there by somebody else may also be RSA or on another curve. What the claims mean
is in `tokens`; the format is JWT (RFC 7519), left to PyJWT, with the algorithm fixed by the key.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jwt.algorithms import get_default_algorithms
from jwt.types import Options

from gitops_ocm.apiserver.authentication import ISSUER, InvalidToken
from gitops_ocm.apiserver.tls import CertificateProblem
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.private_files import write_private

FILE = "sa.key"
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_NO_CHECKS: Options = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
"""Times and audiences are judged in `tokens`, on the server's clock."""


class SigningKey:
    """Signs and verifies; never shows what it is."""

    def __init__(self, private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
        self._private = private
        self._public = private.public_key()
        if isinstance(private, rsa.RSAPrivateKey):
            self.algorithm = "RS256"
        else:
            self.algorithm = _CURVES[private.curve.name]
        der = self._public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.key_id = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")
        # A client sends the same token with every request: its signature is verified once.
        self._verified = lru_cache(maxsize=4096)(self._verify)

    @classmethod
    def open(cls, directory: Path) -> SigningKey:
        """The key kept in a directory."""
        path = directory / FILE
        if not path.exists():
            new = ec.generate_private_key(ec.SECP256R1())
            write_private(path, new.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except (ValueError, TypeError) as error:
            raise _unusable(path, "it cannot be read") from error
        if isinstance(key, rsa.RSAPrivateKey):
            return cls(key)
        if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
            return cls(key)
        raise _unusable(path, "it is neither RSA nor on a curve that JWT knows")

    def sign(self, claims: Object) -> str:
        """A token with these claims."""
        headers = {"kid": self.key_id, "typ": None}
        return jwt.encode(claims, self._private, algorithm=self.algorithm, headers=headers, sort_headers=True)

    def verified(self, token: str) -> Object:
        """The claims of a token that this key has signed; raises `InvalidToken` for any other."""
        return self._verified(token)

    def _verify(self, token: str) -> Object:
        try:
            if jwt.get_unverified_header(token).get("kid", self.key_id) != self.key_id:
                raise InvalidToken("invalid signature, no keys found")
            claims: Object = jwt.decode(token, self._public, algorithms=[self.algorithm], options=_NO_CHECKS)
        except jwt.PyJWTError as error:
            raise InvalidToken("go-jose/go-jose: error in cryptographic primitive") from error
        return claims

    def key_set(self) -> Object:
        """The JSON Web Key Set by which others verify tokens."""
        public: dict[str, Any] = get_default_algorithms()[self.algorithm].to_jwk(self._public, as_dict=True)
        public.pop("key_ops", None)
        return {"keys": [{"use": "sig", **public, "kid": self.key_id, "alg": self.algorithm}]}


def discovery_document(key: SigningKey, address: str) -> Object:
    """What OpenID Connect calls the provider's metadata, as far as verifying tokens needs it."""
    return {
        "issuer": ISSUER,
        "jwks_uri": f"https://{address}/openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [key.algorithm],
    }


def _unusable(path: Path, why: str) -> CertificateProblem:
    return CertificateProblem(
        f"{path} cannot be used: {why}",
        hint="Restore the key, or remove it for a new one (ServiceAccounts then need new tokens).",
    )

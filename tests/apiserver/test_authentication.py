"""Who asks: certificates, tokens given at the start, and what counts as no credentials at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gitops_ocm.apiserver.authentication import Authenticator, Certificate
from gitops_ocm.apiserver.rbac import MASTERS, NOBODY, User
from gitops_ocm.objects.faults import ApiError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANN = {
    "subject": ((("organizationName", "a"),), (("organizationName", "b"),), (("commonName", "ann"),)),
    "notAfter": "Jan  2 00:00:00 2026 GMT",
}
DIGEST = "03d66dd08835c1ca3f128cceacd1f31ac94163096b20f445ae84285bc0832d72"
WHO = Authenticator({"s3cret": User("bot", ("ci",))})


def test_credentials() -> None:
    """A certificate is its CN and Os, a token its user; the certificate goes first; neither is anonymous."""
    ann = Certificate.of(ANN)
    assert WHO.user(ann, None, NOW) == User("ann", ("a", "b", "system:authenticated"))
    assert WHO.user(None, "Bearer s3cret", NOW) == User("bot", ("ci", "system:authenticated"))
    assert WHO.user(ann, "Bearer wrong", NOW).name == "ann"
    assert WHO.user(None, None, NOW) is NOBODY


def test_a_certificate_is_named_in_what_is_known_of_its_user() -> None:
    """The credential's ID is the digest of the certificate, as reviews and CSRs show it."""
    user = Certificate.of(ANN, b"certificate").user
    assert user.extra == {"authentication.kubernetes.io/credential-id": (f"X509SHA256={DIGEST}",)}


def test_a_certificate_ends_while_its_connection_lives() -> None:
    """The handshake was long ago: the end is looked at with every request."""
    ann = Certificate.of(ANN)
    assert WHO.user(ann, None, NOW + timedelta(hours=23)).name == "ann"
    with pytest.raises(ApiError, match="Unauthorized"):
        WHO.user(ann, None, NOW + timedelta(hours=24))


@pytest.mark.parametrize("header", ["Bearer wrong", "bearer wrong", "Bearer \udcff", "Bearer s3cre"])
def test_bad_tokens_are_unauthorized(header: str) -> None:
    """401, and no hint of what was close."""
    with pytest.raises(ApiError, match=r"^Unauthorized$") as raised:
        WHO.user(None, header, NOW)
    assert raised.value.http_code == 401


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer", "Basic czpz", "s3cret", "Bearer  s3cret"])
def test_what_is_no_bearer_token_counts_as_nothing(header: str) -> None:
    """As on a kube-apiserver: such a request is anonymous, and fails by what anonymous may not do."""
    assert WHO.user(None, header, NOW) is NOBODY


def test_a_certificate_without_a_name_is_unauthorized() -> None:
    """Groups alone make no user."""
    with pytest.raises(ApiError, match="Unauthorized"):
        Certificate.of({"subject": ((("organizationName", MASTERS),),)})


def _frames(header: str) -> int:
    with pytest.raises(ApiError) as raised:
        WHO.user(None, header, NOW)
    trace, count = raised.value.__traceback__, 0
    while trace is not None:
        trace, count = trace.tb_next, count + 1
    return count


def test_refusals_are_forgotten() -> None:
    """Whoever tries one token after another does not make the server remember each of them."""
    assert {_frames(f"Bearer wrong-{at}") for at in range(5)} == {_frames("Bearer wrong")}

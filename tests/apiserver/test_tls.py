"""The embedded server's certificates: made, kept, renewed, and readable by their owner alone."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from gitops_ocm.apiserver.tls import CA_LIFETIME, LIFETIME, Authority, CertificateProblem

NOW = datetime(2026, 1, 10, tzinfo=UTC)


def test_files_are_private(tmp_path: Path) -> None:
    """The directory is 0700 and nothing in it is readable by others."""
    authority = Authority.open(tmp_path / "pki", now=NOW)
    authority.server(["hub.example"], now=NOW)
    authority.client("admin", ["system:masters"], now=NOW)
    assert stat.S_IMODE((tmp_path / "pki").stat().st_mode) == 0o700
    modes = {f.name: stat.S_IMODE(f.stat().st_mode) for f in (tmp_path / "pki").iterdir()}
    assert set(modes.values()) == {0o600}
    assert {"ca.crt", "ca.key", "server.crt", "server.key"} <= set(modes)


def test_what_is_good_is_kept(tmp_path: Path) -> None:
    """A second start changes nothing."""
    first = Authority.open(tmp_path, now=NOW)
    made = first.pem, first.server(["h"], now=NOW), first.client("u", ["g"], now=NOW)
    again = Authority.open(tmp_path, now=NOW + timedelta(days=30))
    kept = again.pem, again.server(["h"], now=NOW), again.client("u", ["g"], now=NOW)
    assert made == kept


@pytest.mark.parametrize(
    ("later", "hosts", "groups", "server_same", "client_same"),
    [
        (LIFETIME - timedelta(days=29), ["h"], ["g"], False, False),
        (timedelta(days=1), ["h", "10.0.0.9"], ["g"], False, True),
        (timedelta(days=1), ["h"], ["other"], True, False),
    ],
    ids=["near-expiry", "new-host", "new-group"],
)
def test_what_no_longer_fits_is_renewed(
    tmp_path: Path,
    later: timedelta,
    hosts: list[str],
    groups: list[str],
    server_same: bool,
    client_same: bool,
) -> None:
    """Close to its end, or for other names, a certificate is made anew; the CA stays."""
    authority = Authority.open(tmp_path, now=NOW)
    server, client = authority.server(["h"], now=NOW), authority.client("u", ["g"], now=NOW)
    again = Authority.open(tmp_path, now=NOW + later)
    assert again.pem == authority.pem
    assert (again.server(hosts, now=NOW + later) == server) is server_same
    assert (again.client("u", groups, now=NOW + later) == client) is client_same


def test_a_ca_at_its_end_is_replaced_with_all_it_signed(tmp_path: Path) -> None:
    """Nothing signed by the old CA is handed out under the new one."""
    old = Authority.open(tmp_path, now=NOW)
    server = old.server([], now=NOW)
    end = NOW + CA_LIFETIME - timedelta(days=1)
    new = Authority.open(tmp_path, now=end)
    assert new.pem != old.pem
    assert new.server([], now=end) != server


def test_a_leaf_never_outlives_its_ca(tmp_path: Path) -> None:
    """A chain is as good as its shortest link."""
    authority = Authority.open(tmp_path, now=NOW)
    late = NOW + CA_LIFETIME - timedelta(days=60)
    leaf = x509.load_pem_x509_certificate(authority.client("u", now=late).certificate)
    ca = x509.load_pem_x509_certificate(authority.pem)
    assert leaf.not_valid_after_utc <= ca.not_valid_after_utc


def test_names_and_groups_are_in_the_certificates(tmp_path: Path) -> None:
    """A client is its CN and Os; a server is its names and addresses, loopback among them."""
    authority = Authority.open(tmp_path, now=NOW)
    client = x509.load_pem_x509_certificate(authority.client("jane", ["a", "b"], now=NOW).certificate)
    assert [a.value for a in client.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["jane"]
    assert [a.value for a in client.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == ["a", "b"]
    server = x509.load_pem_x509_certificate(authority.server(["hub.example"], now=NOW).certificate)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"localhost", "hub.example"} <= set(names.get_values_for_type(x509.DNSName))
    assert {str(a) for a in names.get_values_for_type(x509.IPAddress)} == {"127.0.0.1", "::1"}


def test_the_listener_asks_for_tls_1_2_and_this_ca(tmp_path: Path) -> None:
    """Old protocols are refused; client certificates are optional."""
    authority = Authority.open(tmp_path, now=NOW)
    context = authority.server_context(authority.server([], now=NOW))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_OPTIONAL
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize("broken", ["ca.crt", "ca.key"])
def test_a_broken_ca_is_named_and_left_alone(tmp_path: Path, broken: str) -> None:
    """A CA that cannot be read is a person's to decide about: nothing is overwritten."""
    Authority.open(tmp_path, now=NOW)
    (tmp_path / broken).write_text("nonsense")
    with pytest.raises(CertificateProblem) as raised:
        Authority.open(tmp_path, now=NOW)
    assert "ca.crt" in raised.value.message
    assert "remove both" in raised.value.hint
    assert (tmp_path / broken).read_text() == "nonsense"


@pytest.mark.parametrize("lost", ["ca.crt", "ca.key"])
def test_half_a_ca_is_not_replaced(tmp_path: Path, lost: str) -> None:
    """Clients trust the CA there was: one of its files being gone is said, and no new one is made."""
    Authority.open(tmp_path, now=NOW).server(["h"], now=NOW)
    (tmp_path / lost).unlink()
    with pytest.raises(CertificateProblem, match=f"{lost} is gone") as raised:
        Authority.open(tmp_path, now=NOW)
    assert "remove both" in raised.value.hint
    assert not (tmp_path / lost).exists()


def test_a_ca_that_was_being_made_is_made(tmp_path: Path) -> None:
    """A key alone is what a crash leaves at the very first start."""
    made = Authority.open(tmp_path, now=NOW)
    (tmp_path / "ca.crt").unlink()
    assert Authority.open(tmp_path, now=NOW).pem != made.pem


@pytest.mark.parametrize("content", [b"nonsense", None], ids=["nonsense", "another's"])
@pytest.mark.parametrize("whose", ["server", "client-u"])
def test_what_cannot_be_used_is_made_anew(tmp_path: Path, whose: str, content: bytes | None) -> None:
    """A certificate whose key is unreadable, or another's, is replaced, for it can be."""
    authority = Authority.open(tmp_path, now=NOW)
    pair = {"server": authority.server(["h"], now=NOW), "client-u": authority.client("u", now=NOW)}[whose]
    (tmp_path / f"{whose}.key").write_bytes(content or authority.client("other", now=NOW).key)
    again = {"server": authority.server(["h"], now=NOW), "client-u": authority.client("u", now=NOW)}[whose]
    assert again.certificate != pair.certificate
    assert again.private.public_key() == again.parsed.public_key()


def test_a_key_of_another_ca_is_refused(tmp_path: Path) -> None:
    """A certificate and a key that do not belong together are not used."""
    Authority.open(tmp_path / "a", now=NOW)
    Authority.open(tmp_path / "b", now=NOW)
    (tmp_path / "a" / "ca.key").write_bytes((tmp_path / "b" / "ca.key").read_bytes())
    with pytest.raises(CertificateProblem, match="does not belong"):
        Authority.open(tmp_path / "a", now=NOW)


def test_a_key_never_shows(tmp_path: Path) -> None:
    """The repr of a pair has no key in it."""
    pair = Authority.open(tmp_path, now=NOW).client("u", now=NOW)
    assert "PRIVATE" not in repr(pair)

"""Kubeconfigs good and bad, and where credentials come from."""

from __future__ import annotations

import base64
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitops_ocm.kube.credentials import CredentialsError, ExecPlugin, Static, TokenFile
from gitops_ocm.kube.identity import Connection, KubeconfigError, in_cluster
from gitops_ocm.kube.kubeconfig import held_kubeconfig, load_kubeconfig
from gitops_ocm.kube.kubeconfig_text import Kubeconfig

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = "apiVersion: v1\nkind: Config\n"
ONE = (
    HEAD
    + """\
current-context: c
contexts:
- {name: c, context: {cluster: k, user: u, namespace: n}}
- {name: other, context: {cluster: k, user: v}}
clusters: [{name: k, cluster: {server: "https://hub:6443"}}]
users: [{name: u, user: {token: s3cr3t-token}}, {name: v, user: {username: me, password: pa55}}]
"""
)


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


async def header(connection: Connection) -> str:
    identity = await connection.credentials.fetch(NOW)
    return identity.header.reveal() if identity.header else ""


async def test_contexts_and_their_users(tmp_path: Path) -> None:
    """The current context or the named one; a token or basic credentials; and no secret in a repr."""
    path = written(tmp_path / "config", ONE)
    connection = load_kubeconfig(path)
    assert (connection.server, connection.namespace) == ("https://hub:6443", "n")
    assert await header(connection) == "Bearer s3cr3t-token"
    other = load_kubeconfig(path, "other")
    assert await header(other) == "Basic " + base64.b64encode(b"me:pa55").decode()
    for shown in (repr(connection), repr(other), repr(connection.credentials), repr(other.credentials)):
        assert "s3cr3t" not in shown
        assert "pa55" not in shown


def test_several_files_are_merged_first_wins(tmp_path: Path) -> None:
    """As kubectl: the first file to name something wins, and paths are relative to their own file."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "ca.crt").write_bytes(b"CA of b")
    first = written(tmp_path / "a" / "config", HEAD + "contexts: [{name: c, context: {cluster: k}}]\n")
    second = written(
        tmp_path / "b" / "config",
        HEAD + "current-context: c\ncontexts: [{name: c, context: {cluster: gone}}]\n"
        "clusters: [{name: k, cluster: {server: 'https://k', certificate-authority: ca.crt}}]\n",
    )
    connection = load_kubeconfig([first, second])
    assert connection.server == "https://k"
    assert connection.ca.read() == b"CA of b"


@pytest.mark.parametrize(
    ("text", "context", "message"),
    [
        ("{", None, "is not YAML"),
        ("- a list", None, "is not a kubeconfig"),
        ("kind: Pod", None, "is not a kubeconfig"),
        (HEAD, None, "has no current context"),
        (ONE, "nope", "has no context 'nope'"),
        (
            ONE.replace("name: k, cluster", "name: x, cluster"),
            None,
            "has no cluster 'k', which context c asks for",
        ),
        (ONE.replace("name: u, user", "name: x, user"), None, "has no user 'u', which context c asks for"),
        (ONE.replace("https://hub:6443", "hub:6443"), None, "no usable server URL"),
        (
            ONE.replace("server:", "certificate-authority-data: '%', server:"),
            None,
            "certificate-authority-data is not base64",
        ),
        (ONE.replace("server:", "certificate-authority: gone.crt, server:"), None, "gone.crt cannot be read"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, context: str | None, message: str) -> None:
    """Each problem names the file and what is missing, and shows no secret."""
    path = written(tmp_path / "config", text)
    with pytest.raises(KubeconfigError) as raised:
        load_kubeconfig(path, context)
    assert message in raised.value.message
    assert str(tmp_path) in raised.value.message
    assert "s3cr3t" not in raised.value.message + raised.value.hint


def test_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is named, with what to do."""
    with pytest.raises(KubeconfigError, match="cannot be read: No such file") as raised:
        load_kubeconfig(tmp_path / "none")
    assert raised.value.hint


def test_pem_that_is_none(tmp_path: Path) -> None:
    """Certificates that are no PEM are told by what they are for."""
    bad = base64.b64encode(b"nonsense").decode()
    path = written(tmp_path / "config", ONE.replace("server:", f"certificate-authority-data: {bad}, server:"))
    with pytest.raises(KubeconfigError, match="certificate authority is not PEM"):
        load_kubeconfig(path).ssl_context()
    path = written(
        tmp_path / "config2",
        ONE.replace("token: s3cr3t-token", f"client-certificate-data: {bad}, client-key-data: {bad}"),
    )
    with pytest.raises(KubeconfigError, match="client certificate and its key"):
        load_kubeconfig(path).ssl_context()


async def test_write_and_read_back(tmp_path: Path) -> None:
    """What is written reads back the same, is the owner's alone, and replaces what was there."""
    path = written(tmp_path / "config", "old")
    path.chmod(0o644)
    Kubeconfig(
        server="https://h",
        ca=b"CA",
        certificate=b"CERT",
        key=b"KEY",
        token="t0k",
        namespace="n",
        cluster="hub",
    ).write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    connection = load_kubeconfig(path)
    assert (connection.server, connection.namespace) == ("https://h", "n")
    assert (connection.ca.read(), connection.certificate.read(), connection.key.read()) == (
        b"CA",
        b"CERT",
        b"KEY",
    )
    assert await header(connection) == "Bearer t0k"
    assert [p.name for p in tmp_path.iterdir()] == ["config"]


async def test_in_cluster(tmp_path: Path) -> None:
    """A pod's service account: token and CA from files, the namespace too; elsewhere a clear error."""
    with pytest.raises(KubeconfigError, match="not running in a pod"):
        in_cluster("10.0.0.1", directory=tmp_path)
    for name, text in (("token", "tok\n"), ("ca.crt", "CA"), ("namespace", "agent\n")):
        (tmp_path / name).write_text(text)
    connection = in_cluster("fd00::1", "6443", tmp_path)
    assert (connection.server, connection.namespace) == ("https://[fd00::1]:6443", "agent")
    assert await header(connection) == "Bearer tok"


async def test_token_file_grows_stale_and_may_be_missing(tmp_path: Path) -> None:
    """A token file's token is asked for again after a minute; a missing or empty file is told."""
    path = written(tmp_path / "token", "one")
    identity = await TokenFile(path).fetch(NOW)
    assert not identity.stale(NOW)
    assert identity.stale(NOW.replace(minute=2))
    path.write_text("")
    with pytest.raises(CredentialsError, match="is empty"):
        await TokenFile(path).fetch(NOW)
    path.unlink()
    with pytest.raises(CredentialsError, match="cannot be read"):
        await TokenFile(path).fetch(NOW)


PLUGIN = """\
import json, os, sys
info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
server = str(info["spec"].get("cluster", {}).get("server", ""))
status = {"token": os.environ["GREETING"] + sys.argv[1] + server}
status["expirationTimestamp"] = "2026-01-01T00:10:00Z"
print(json.dumps({"apiVersion": info["apiVersion"], "kind": "ExecCredential", "status": status}))
"""


def plugin(tmp_path: Path, program: str, **more: object) -> ExecPlugin:
    path = written(tmp_path / "plugin.py", program)
    spec: dict[str, object] = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": [str(path), "there"],
        "env": [{"name": "GREETING", "value": "hello-"}],
        **more,
    }
    return ExecPlugin(spec, {"server": "https://hub"}, tmp_path)


async def test_exec_plugin(tmp_path: Path) -> None:
    """A plug-in gets its arguments, its environment and, if asked, the cluster; its expiry counts."""
    identity = await plugin(tmp_path, PLUGIN).fetch(NOW)
    assert identity.header is not None
    assert identity.header.reveal() == "Bearer hello-there"
    assert not identity.stale(NOW)
    assert identity.stale(NOW.replace(minute=10))
    identity = await plugin(tmp_path, PLUGIN, provideClusterInfo=True).fetch(NOW)
    assert identity.header is not None
    assert identity.header.reveal() == "Bearer hello-therehttps://hub"


@pytest.mark.parametrize(
    ("program", "more", "message"),
    [
        ("import sys; sys.exit('Bearer abcdefgh123 refused')", {}, "failed with status 1"),
        ("print('hi')", {}, "did not print JSON"),
        ("print('{}')", {}, "did not print an ExecCredential"),
        ('print(\'{"kind":"ExecCredential","apiVersion":"x"}\')', {}, "speaks x, the kubeconfig asks"),
        (PLUGIN.replace('"token"', '"nothing"'), {}, "gave neither a token nor a certificate"),
        ("", {"command": "no-such-plugin"}, "cannot be run"),
        ("", {"command": ""}, "names no command"),
    ],
)
async def test_exec_plugin_that_fails(
    tmp_path: Path, program: str, more: dict[str, object], message: str
) -> None:
    """What went wrong with a plug-in is told without what it printed in secret."""
    with pytest.raises(CredentialsError) as raised:
        await plugin(tmp_path, program, **more).fetch(NOW)
    assert message in raised.value.message
    assert "abcdefgh123" not in raised.value.note


async def test_users_that_name_plugins(tmp_path: Path) -> None:
    """exec, auth-provider and tokenFile users are recognised; an unknown provider is told."""
    for user, kind in (
        ("exec: {command: x, apiVersion: v1}", ExecPlugin),
        ("tokenFile: token", TokenFile),
        ("client-key-data: eA==", Static),
    ):
        path = written(tmp_path / "config", ONE.replace("token: s3cr3t-token", user))
        assert isinstance(load_kubeconfig(path).credentials, kind)
    path = written(tmp_path / "config", ONE.replace("token: s3cr3t-token", "auth-provider: {name: azure}"))
    with pytest.raises(CredentialsError, match="'azure' is not supported"):
        await load_kubeconfig(path).credentials.fetch(NOW)


AS = (
    HEAD
    + """\
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: "https://hub:6443"}}]
users: [{name: u, user: {token: t, %s}}]
"""
)


def test_acting_as_somebody_else(tmp_path: Path) -> None:
    """What a kubeconfig says about impersonation is asked for with every request, never left out."""
    given = "as: jane, as-groups: [dev, ops], as-uid: '7', as-user-extra: {Example.com/Why: [a, b]}"
    connection = load_kubeconfig(written(tmp_path / "config", AS % given))
    assert connection.impersonation == (
        ("Impersonate-User", "jane"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "dev"),
        ("Impersonate-Group", "ops"),
        ("Impersonate-Extra-example.com%2Fwhy", "a"),
        ("Impersonate-Extra-example.com%2Fwhy", "b"),
    )
    with pytest.raises(KubeconfigError, match="not as whom"):
        load_kubeconfig(written(tmp_path / "config", AS % "as-groups: [dev]"))


async def test_handed_over_with_its_files(tmp_path: Path) -> None:
    """A Secret's kubeconfig finds certificate, authority and token in the Secret's other entries."""
    text = Kubeconfig(server="https://h", certificate_path="tls.crt", key_path="tls.key").text()
    text = text.replace(b"server:", b"certificate-authority: ca.crt\n    server:")
    beside = {"kubeconfig": text, "tls.crt": b"CERT", "tls.key": b"KEY", "ca.crt": b"CA"}
    connection = held_kubeconfig(beside, "kubeconfig", "Secret n/s")
    found = (connection.certificate.read(), connection.key.read(), connection.ca.read())
    assert found == (b"CERT", b"KEY", b"CA")
    token = Kubeconfig(server="https://h", token_path="token").text()
    held = held_kubeconfig({"kubeconfig": token, "token": b"t0k\n"}, "kubeconfig", "Secret n/s")
    assert await header(held) == "Bearer t0k"


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ("{exec: {command: touch, args: [MARK], apiVersion: client.authentication.k8s.io/v1}}", "a program"),
        ("{auth-provider: {name: oidc, config: {}}}", "a program"),
        ("{tokenFile: MARK}", "there is no 'MARK' beside it"),
        ("{client-certificate: MARK, client-key: MARK}", "there is no 'MARK' beside it"),
        ("{client-certificate: ../../MARK}", "there is no '../../MARK' beside it"),
        ("{token: [", "is not YAML"),
    ],
)
def test_handed_over_gets_nothing_of_ours(tmp_path: Path, user: str, message: str) -> None:
    """A kubeconfig out of a Secret neither runs a program here nor reads our files."""
    mark = tmp_path / "mark"
    mark.write_text("ours")
    text = ONE.replace("{token: s3cr3t-token}", user.replace("MARK", str(mark)))
    assert text != ONE
    with pytest.raises(KubeconfigError) as raised:
        held_kubeconfig({"kubeconfig": text.encode()}, "kubeconfig", "Secret n/s")
    assert message.replace("MARK", str(mark)) in raised.value.message
    assert "Secret n/s" in raised.value.message


def test_handed_over_empty() -> None:
    """A Secret without the entry is told by its name."""
    with pytest.raises(KubeconfigError, match="Secret n/s has no kubeconfig"):
        held_kubeconfig({}, "kubeconfig", "Secret n/s")

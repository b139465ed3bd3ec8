"""Command lines of init, join and their kind that cannot be meant: told before any server is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_ocm.kube.kubeconfig_text import Kubeconfig
from gitops_ocm.testing.commands import TRACEBACK, environment, run_each

TOKEN = "abcdef.0123456789abcdef"
JOIN = ("join", "--hub-token", TOKEN, "--hub-apiserver", "https://127.0.0.1:1", "--cluster-name", "c1")

CASES: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("join",), 1, "token is missing"),
    (("join", "--hub-token", TOKEN), 1, "hub-server is missing"),
    (("join", "--hub-token", TOKEN, "--hub-apiserver", "https://h"), 1, "cluster-name is missing"),
    ((*JOIN[:4], "h:6443", *JOIN[5:]), 1, "should start with http:// or https://"),
    ((*JOIN, "--mode", "detached"), 1, "deploy mode should be default or hosted"),
    ((*JOIN, "--mode", "hosted"), 1, "--managed-cluster-kubeconfig should be set in hosted deploy mode"),
    ((*JOIN, "--managed-cluster-kubeconfig", "{kubeconfig}"), 1, "should not be set in default deploy mode"),
    ((*JOIN, "--mode", "hosted", "--managed-cluster-kubeconfig", "none"), 1, "managed cluster's kubeconfig"),
    ((*JOIN, "--ca-file", "none"), 1, "failed read the CA none"),
    ((*JOIN, "--ca-file", "{kubeconfig}"), 1, "holds no certificate"),
    ((*JOIN, "--proxy-url", "proxy:3128"), 1, "--proxy-url proxy:3128 is no URL"),
    ((*JOIN, "--proxy-ca-file", "none"), 1, "failed read the CA none"),
    ((*JOIN, "--registration-auth", "ldap"), 1, "invalid registration-Auth type"),
    ((*JOIN, "--registration-auth", "awsirsa"), 1, "hub-cluster-arn is required"),
    ((*JOIN, "--registration-auth", "grpc"), 1, "grpc-server is required"),
    ((*JOIN, "--addon-kubeclient-registration-auth", "ldap"), 1, "Must be 'csr' or 'token'"),
    (
        (*JOIN, "--addon-kubeclient-registration-auth", "token", "--addon-token-expiration-seconds", "-1"),
        1,
        "must be non-negative",
    ),
    ((*JOIN, "--client-cert-expiration-seconds", "60"), 2, "60 is not in the range"),
    ((*JOIN, "--feature-gates", "Nothing=true"), 1, "there is no feature gate 'Nothing'"),
    ((*JOIN, "--resource-limits", "cpu"), 1, "--resource-limits: 'cpu' is not key=value"),
    ((*JOIN, "--bundle-version", "0.1"), 1, "couldn't find the requested version bundle: 0.1"),
    ((*JOIN, "--image-pull-credential-file", "none"), 1, "failed read the image pull credential file none"),
    ((*JOIN, "--klusterlet-values-file", "none"), 1, "failed read the values file none"),
    (JOIN, 1, "https://127.0.0.1:1 cannot be reached"),
    (("init", "--wait", "-o", "json"), 1, "output should be text if --wait is set"),
    (("init", "-o", "xml"), 2, "'xml' is not one of"),
    (("init", "--feature-gates", "DefaultClusterSet=perhaps"), 1, "either true or false"),
    (("init", "--registration-drivers", "csr,ldap"), 1, "only csr,awsirsa and grpc are valid drivers"),
    (("init", "--auto-approved-csr-identities", "u"), 1, "should enable feature gate"),
    (("init", "--resource-qos-class", "Some"), 1, "there is no resource QoS class 'Some'"),
    (("init", "--cluster-manager-values-file", "none"), 1, "failed read the values file none"),
    (("init",), 1, "cannot be reached"),
    (("get", "token"), 1, "cannot be reached"),
    (("delete", "token"), 1, "cannot be reached"),
    (("accept",), 2, "give --clusters"),
    (("unjoin",), 1, "name is missing"),
    (("unjoin", "--cluster-name", "c1", "--purge-operator", "perhaps"), 2, "not a valid boolean"),
    (("clean",), 1, "cannot be reached"),
    (("clean", "--timeout", "soon"), 2, "not a valid float"),
    (("upgrade", "klusterlet", "--bundle-version", "x"), 1, "couldn't find the requested version bundle: x"),
    (("upgrade", "clustermanager"), 1, "cannot be reached"),
)


@pytest.mark.slow
def test_what_cannot_be_meant(tmp_path: Path) -> None:
    """Each is refused in one sentence with the status clusteradm ends with, and no token is repeated."""
    kubeconfig = tmp_path / "kubeconfig"
    Kubeconfig(server="https://127.0.0.1:1", token="secret-of-the-user").write(kubeconfig)
    commands = [
        [*(part.replace("{kubeconfig}", str(kubeconfig)) for part in args), "--kubeconfig", str(kubeconfig)]
        for args, _, _ in CASES
    ]
    answers = run_each(commands, env=environment(tmp_path))
    for (args, code, message), done in zip(CASES, answers, strict=True):
        said = done.stdout + done.stderr
        assert message in said, (args, said)
        assert done.returncode == code, (args, said)
        assert TRACEBACK not in said
        assert TOKEN not in said
        assert "secret-of-the-user" not in said

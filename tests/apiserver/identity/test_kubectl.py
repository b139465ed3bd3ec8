"""kubectl's own commands about who one is, on both servers: the same outputs."""

from __future__ import annotations

import asyncio
import os
import re
import uuid
from pathlib import Path

import orjson
import pytest

from tests.apiserver.identity.csr_requests import CLIENT, CLIENT_USAGES, csr

pytestmark = [pytest.mark.controlplane, pytest.mark.slow]

VARIES = (
    (r"eyJ[\w.-]+", "<token>"),
    (r"X509SHA256=\w+", "<digest>"),
    (r"gitops-ocm-admin|\badmin\b", "<admin>"),
    (r"(?<=\s)\d+(ms|s)(?=\s|$)", "<age>"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uid>"),
    (r"creationTimestamp: .*", "<time>"),
    (r" +", " "),
)
COMMANDS = (
    "auth whoami",
    "auth whoami --as=u --as-group=g --as-uid=1 --as-user-extra=k=v",
    "auth can-i list pods",
    "auth can-i list pods --as=nobody",
    "auth can-i get /version --as=nobody --as-group=system:authenticated",
    "auth can-i --list --as=nobody",
    "create serviceaccount robot-{id} -n default",
    "create token robot-{id} -n default --duration=10m --audience=a",
    "create token robot-{id} -n default --duration=1m",
    "create token nobody-{id} -n default",
    "create rolebinding b-{id} --clusterrole=view --serviceaccount=default:robot-{id} -n default",
    "auth can-i list configmaps -n default --as=system:serviceaccount:default:robot-{id}",
    "auth can-i list secrets -n default --as=system:serviceaccount:default:robot-{id}",
    "create -f {csr}",
    "get csr {id}",
    "certificate approve {id}",
    "certificate deny {id}",
    "certificate approve no-{id}",
    "wait csr {id} --for=jsonpath={{.status.certificate}} --timeout=20s",
    "get csr {id}",
    "create -f {evil}",
    "delete csr {id}",
    "delete serviceaccount robot-{id} -n default",
    "delete rolebinding b-{id} -n default",
)


async def _run(program: Path, kubeconfig: Path, command: str, home: Path) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        program, f"--kubeconfig={kubeconfig}", f"--cache-dir={home}", *command.split(),
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode, _alike(out.decode()), _alike(err.decode())


def _alike(text: str) -> str:
    for pattern, replacement in VARIES:
        text = re.sub(pattern, replacement, text)
    # The rules of a user come in the order of a map, which is none.
    return "\n".join(sorted(line.strip() for line in text.splitlines()))


async def test_kubectl_prints_the_same(
    kubectl: Path, embedded_kubeconfig: Path, kubernetes_kubeconfig: Path, tmp_path: Path
) -> None:
    """Who one is, what one may, tokens, approving and denying: status, output and errors are the same."""
    name = f"w{uuid.uuid4().hex[:6]}"
    files = {"csr": csr(name, signer=CLIENT, usages=CLIENT_USAGES), "evil": csr(f"e{name}", b"junk")}
    words = {
        "id": name,
        **{key: str(_written(tmp_path / f"{key}.json", body)) for key, body in files.items()},
    }
    for command in COMMANDS:
        line = command.format(**words)
        ours, real = await asyncio.gather(
            _run(kubectl, embedded_kubeconfig, line, tmp_path / "ours"),
            _run(kubectl, kubernetes_kubeconfig, line, tmp_path / "real"),
        )
        assert ours == real, line


def _written(path: Path, body: object) -> Path:
    path.write_bytes(orjson.dumps(body))
    return path

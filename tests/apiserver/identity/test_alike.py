"""The embedded server and a real one are told the same stories about who is who, and answer alike."""

from __future__ import annotations

import base64
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from gitops_ocm.apiserver.cluster_info import signature
from tests.apiserver.identity import stories_requests, stories_rights, stories_tokens
from tests.apiserver.identity.steps import Answer, Step, Teller, differences

pytestmark = [pytest.mark.controlplane]

STORIES: dict[str, Sequence[Step]] = {
    "tokens-asked-for": stories_tokens.ASKING,
    "tokens-that-end": stories_tokens.ENDING,
    "tokens-that-last": stories_tokens.LASTING,
    "bootstrap-tokens": stories_tokens.BOOTSTRAP,
    "rules": stories_rights.RULES,
    "granting": stories_rights.GRANTING,
    "acting-as": stories_rights.ACTING,
    "asking-about-rights": stories_rights.ASKING,
    "valid-requests": stories_requests.VALIDITY,
    "verdicts": stories_requests.VERDICTS,
    "rights-to-sign": stories_requests.RIGHTS,
    "signing": stories_requests.SIGNING,
}


@pytest.fixture
async def tellers(embedded_kubeconfig: Path, kubernetes_kubeconfig: Path) -> tuple[Teller, Teller]:
    """Of the embedded server, and of the real one."""
    return Teller(embedded_kubeconfig), Teller(kubernetes_kubeconfig)


@pytest.fixture
async def known(
    tellers: tuple[Teller, Teller], unique: Callable[[str], str], eventually: Callable[..., Awaitable[Any]]
) -> AsyncIterator[dict[str, str]]:
    """A namespace of the same name on both, with its account, and an identifier of this story's own."""
    found = {"ns": unique("who"), "id": uuid.uuid4().hex[:5]}
    begin = (
        Step("POST /api/v1/namespaces", {"metadata": {"name": "{ns}"}}),
        Step("GET /api/v1/namespaces/{ns}/serviceaccounts/default", until=200),
    )
    for teller in tellers:
        await teller.tell(begin, found, eventually)
    yield found
    for teller in tellers:
        await teller.tell((Step("DELETE /api/v1/namespaces/{ns}"),), found, eventually)


@pytest.mark.parametrize("story", STORIES)
async def test_both_answer_alike(
    story: str,
    tellers: tuple[Teller, Teller],
    known: dict[str, str],
    eventually: Callable[..., Awaitable[Any]],
) -> None:
    """Every status and every field of every answer is the same, but for what varies from run to run."""
    steps = STORIES[story]
    ours, real = [await teller.tell(steps, known, eventually) for teller in tellers]
    found = [
        f"{step.call}: {difference}"
        for step, mine, theirs in zip(steps, ours, real, strict=True)
        for difference in differences(sorted_rules(mine), sorted_rules(theirs))
    ]
    assert not found, "\n".join(found)


def sorted_rules(answer: Answer) -> Answer:
    """A real server tells the rules of a user in the order of a map, which is none."""
    status = answer.document.get("status") if isinstance(answer.document, dict) else None
    if not isinstance(status, dict) or "resourceRules" not in status:
        return answer
    ordered = {k: sorted(v, key=repr) if k.endswith("Rules") else v for k, v in status.items()}
    return Answer(answer.status, {**answer.document, "status": ordered})


async def test_cluster_info_is_signed_as_a_real_one_signs_it(
    kubernetes_kubeconfig: Path, known: dict[str, str], eventually: Callable[..., Awaitable[Any]]
) -> None:
    """The same content and token give the same signature, so clients verify either."""
    content, path = "a: kubeconfig\n", "/api/v1/namespaces/kube-public/configmaps"
    field = f"jws-kubeconfig-{known['id']}7"
    steps = [
        stories_tokens.bootstrap("7"),
        Step(f"POST {path}", {"metadata": {"name": "cluster-info"}, "data": {"kubeconfig": content}}),
        Step(f"GET {path}/cluster-info", until=f"data.{field}"),
        Step(f"DELETE {path}/cluster-info"),
        Step(f"DELETE {stories_tokens.SYSTEM}/bootstrap-token-{{id}}7"),
    ]
    answers = await Teller(kubernetes_kubeconfig).tell(steps, known, eventually)
    found = answers[2].document["data"][field]
    assert found == signature(content, f"{known['id']}7", "0123456789abcdef")


async def test_both_sign_alike(
    tellers: tuple[Teller, Teller], known: dict[str, str], eventually: Callable[..., Awaitable[Any]]
) -> None:
    """The certificates have the same subject, names, usages and lifetime."""
    told = []
    for teller in tellers:
        seen: list[Any] = []
        for name in stories_requests.SIGNED:
            body = stories_requests.ASKED[name]
            path = f"{stories_requests.PATH}/{name}-{{id}}"
            verdict = {"status": {"conditions": [stories_requests.YES]}}
            steps = [
                Step(f"POST {stories_requests.PATH}", body),
                Step(f"PATCH {path}/approval", verdict, media="application/merge-patch+json"),
                Step(f"GET {path}", until="status.certificate"),
                Step(f"DELETE {path}"),
            ]
            answers = await teller.tell(steps, known, eventually)
            seen.append(_facts(answers[2].document["status"]["certificate"]))
        told.append(seen)
    assert told[0] == told[1]


def _facts(encoded: str) -> Any:
    certificate = x509.load_pem_x509_certificate(base64.b64decode(encoded))
    lasts = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    extensions = {
        e.oid.dotted_string: (e.critical, e.value.public_bytes())
        for e in certificate.extensions
        if not isinstance(e.value, x509.AuthorityKeyIdentifier)
    }
    return certificate.subject.rfc4514_string(), lasts, extensions

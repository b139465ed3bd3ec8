"""One call of a story that is told to the embedded server and to a real one, and how it is told.

A story is a list of `Step`s. Texts in it may name what an earlier answer held: `{token}` after a step with
`save={"token": "status.token"}`; `{ns}` is the story's namespace and `{id}` six characters of its own.
"""

from __future__ import annotations

import base64
import re
import ssl
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import yaml

from gitops_ocm.objects import paths

APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
ABSENT = "(absent)"
Body = Mapping[str, Any] | str | None
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Step:
    """One request. `who` is empty for the administrator, `-` for nobody, else a bearer token; `as_` is
    whom the administrator acts as. With `until` it is repeated until the answer has a value there, or
    until its status is that number. `hidden` are paths that are not compared (`*`: all).
    """

    call: str
    body: Body = None
    who: str = ""
    as_: str = ""
    headers: Headers = ()
    media: str = "application/json"
    save: Mapping[str, str] = field(default_factory=dict)
    until: str | int = ""
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A status and a document, with what differs between two servers made equal."""

    status: int
    document: Any


def differences(ours: Answer, real: Answer) -> list[str]:
    """Where two answers differ, a line each."""
    if ours.status != real.status:
        return [f"status {ours.status} ({ours.document}), not {real.status} ({real.document})"]
    return list(_unlike(ours.document, real.document, ""))


def _unlike(ours: Any, real: Any, path: str) -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(real, dict):
        for key in sorted({*ours, *real}):
            yield from _unlike(ours.get(key, ABSENT), real.get(key, ABSENT), f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(real, list) and len(ours) == len(real):
        for i, (mine, theirs) in enumerate(zip(ours, real, strict=True)):
            yield from _unlike(mine, theirs, f"{path}[{i}]")
    elif ours != real:
        yield f"{path or '.'} is {ours!r}, not {real!r}"


class Teller:
    """Tells stories to one server."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.url = cluster["server"]
        self.ca = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._nobody = ssl.create_default_context(cadata=self.ca)
        self._admin = ssl.create_default_context(cadata=self.ca)
        both = kubeconfig.with_name(f".{kubeconfig.name}.pem")
        pem = (base64.b64decode(user[f"client-{part}-data"]) for part in ("certificate", "key"))
        both.touch(mode=0o600)
        both.write_bytes(b"\n".join(pem))
        self._admin.load_cert_chain(both)
        both.unlink()

    async def tell(
        self, steps: Iterable[Step], known: Mapping[str, str], eventually: Callable[..., Awaitable[Any]]
    ) -> list[Answer]:
        """The answers to all steps."""
        known, answers = dict(known), []
        async with aiohttp.ClientSession() as session:
            for step in steps:

                async def ask(step: Step = step) -> tuple[int, Any] | None:
                    status, document = await self._ask(session, step, known)
                    done = (
                        status == step.until
                        if isinstance(step.until, int)
                        else (not step.until or paths.get(document, *step.until.split(".")))
                    )
                    return (status, document) if done else None

                status, document = await eventually(ask, describe=step.call)
                for name, path in step.save.items():
                    known[name] = str(paths.get(document, *path.split(".")))
                for path in step.hidden:
                    _hide(document, path)
                answers.append(Answer(status, orjson.loads(self._alike(orjson.dumps(document).decode()))))
        return answers

    async def _ask(
        self, session: aiohttp.ClientSession, step: Step, known: Mapping[str, str]
    ) -> tuple[int, Any]:
        method, path = _filled(step.call, known).split(" ", 1)
        headers = [(key, _filled(value, known)) for key, value in step.headers]
        context = self._nobody if step.who else self._admin
        if step.who not in ("", "-"):
            headers.append(("Authorization", f"Bearer {_filled(step.who, known)}"))
        if step.as_:
            headers.append(("Impersonate-User", _filled(step.as_, known)))
        data = None
        if step.body is not None:
            headers.append(("Content-Type", step.media))
            text = step.body if isinstance(step.body, str) else orjson.dumps(step.body).decode()
            data = _filled(text, known).encode()
        async with session.request(
            method, self.url + path, data=data, headers=headers, ssl=context
        ) as answer:
            raw = await answer.read()
            return answer.status, orjson.loads(raw) if raw[:1] in (b"{", b"[") else raw.decode()

    def _alike(self, text: str) -> str:
        for pattern, replacement in _VARIES:
            text = re.sub(pattern, replacement, text)
        return text.replace(self.url, "<server>").replace(base64.b64encode(self.ca.encode()).decode(), "<ca>")


_VARIES = (
    (r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "<token>"),
    (r"ZXlK[\w+/=]+", "<token>"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
    (r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
    (r"X509SHA256=[0-9a-f]+", "X509SHA256=<digest>"),
    (r'"resourceVersion":"\d+"', '"resourceVersion":"<version>"'),
    (r'"gitops-ocm-admin"', '"admin"'),
)


def _filled(text: str, known: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda m: known.get(m[1], m[0]), text)


def _hide(document: Any, path: str) -> None:
    if path == "*":
        document.clear()
        return
    *above, last = path.split(".")
    for name in above:
        document = document.get(name) if isinstance(document, dict) else None
    if isinstance(document, dict):
        document.pop(last, None)

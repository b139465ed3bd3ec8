"""Tells the reviewers of a pull request what a preview says: a comment, and a status of the commit.

What is told is handed in; what the forges understand is `forge`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitops_ocm.errors import GitopsError
from gitops_ocm.forge.bodies import Mark, marked
from gitops_ocm.forge.detect import TOKENS, Target
from gitops_ocm.forge.errors import ForgeError, NoToken, NotThere, Refused
from gitops_ocm.forge.http import Wire, check_root
from gitops_ocm.forge.model import Kind, State, Status
from gitops_ocm.forge.post import put_comment, put_status
from gitops_ocm.forge.steps import Outcome, Wanted
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.runtime.redact import Secret

CONTEXT = "gitops-ocm/preview"

_WORDS = {
    Outcome.POSTED: "the comment is up to date",
    Outcome.UNCHANGED: "the comment said so already",
    Outcome.OUTDATED: "no comment: the pull request is at another commit by now, whose own run has its say",
    Outcome.CLOSED: "no comment: the pull request is merged or closed",
}


@dataclass(frozen=True)
class Announcement:
    """What is told: Markdown, and a verdict in one line; without a `state` there is no status.

    `fleet` tells several fleets of one repository apart.
    """

    text: str
    verdict: str = ""
    state: State | None = None
    fleet: str = ""

    @property
    def context(self) -> str:
        """The status' name."""
        return f"{CONTEXT}/{self.fleet}" if self.fleet else CONTEXT


@dataclass(frozen=True)
class Way:
    """How to the forge: who we are where it does not say, and what the network asks for."""

    token: Secret
    author: str = ""
    proxy: str = ""
    plain_http: bool = False


async def announce(target: Target, told: Announcement, way: Way, clock: Clock) -> list[str]:
    """Put comment and status up; what became of them, for people.

    Both are tried, whatever becomes of the other.
    """
    forge = target.forge()
    root = check_root(target.root, plain_http=way.plain_http)
    headers = forge.headers(way.token.reveal())
    mark = Mark(told.fleet, target.head)
    wanted = Wanted(told.fleet, target.head, marked(told.text, mark, limit=forge.limit, plain=forge.plain))
    said: list[str] = []
    failed: ForgeError | None = None
    async with Wire(
        root, headers, clock, rights=forge.rights, token=way.token, ca_file=target.ca_file, proxy=way.proxy
    ) as wire:
        try:
            said.append(_WORDS[await put_comment(forge, wire, wanted, clock, author=way.author)])
        except (Refused, NotThere) as error:
            failed = error
        if told.state is not None:
            status = Status(told.context, told.state, told.verdict, target.page)
            written = await put_status(forge, wire, target.head, status, clock)
            said.append(f"the status {told.context} {'says' if written else 'said already'}: {told.state}")
    if failed is not None:
        raise failed
    return said


def token_for(kind: Kind, environ: Mapping[str, str], file: Path | None) -> Secret:
    """The token, from a file or the first of the forge's variables that is set."""
    if file is not None:
        try:
            found = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NoToken(f"the token cannot be read: {error}", hint="check --token-file") from None
    else:
        found = next((value for name in TOKENS[kind] if (value := environ.get(name, "").strip())), "")
    if not found:
        names = ", ".join(TOKENS[kind])
        raise NoToken(f"there is no token for {kind}", hint=f"set one of {names}, or give --token-file")
    if not (found.isascii() and found.isprintable()) or " " in found:
        raise NoToken("the token has characters that no token has", hint="one line, nothing but the token")
    return Secret(found)


def failure(error: GitopsError) -> Announcement:
    """What is told where there is no preview."""
    lines = ["**There is no preview of this change.**", "", _fenced(error.message)]
    if error.hint:
        lines += ["", f"What to do: {_code(error.hint)}"]
    return Announcement("\n".join(lines), f"no preview: {error.message}", State.ERROR)


def _fenced(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _code(text: str) -> str:
    """Shown as it is: whatever marks are in it mean nothing."""
    line = " ".join(text.split())
    ticks = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    return f"{ticks} {line} {ticks}"

"""Bitbucket Cloud's API: comments of a pull request, build statuses of a commit."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from gitops_ocm.forge.github import created
from gitops_ocm.forge.model import Answer, Call, Change, Comment, Page, Request, State, Status, nothing

STATES = {
    State.PENDING: "INPROGRESS",
    State.SUCCESS: "SUCCESSFUL",
    State.FAILURE: "FAILED",
    State.ERROR: "FAILED",
}
READ = {"SUCCESSFUL": State.SUCCESS, "FAILED": State.FAILURE}
_KEY = 40
_NAMES = ("uuid", "account_id", "nickname", "display_name")


class Bitbucket:
    """Pull request `number` of `repository` (`workspace/name`)."""

    limit = 32_768
    line = 255
    rights = "a repository access token with the scopes pullrequest:write and repository:write"
    plain = True

    def __init__(self, repository: str, number: int) -> None:
        self._repo = f"/repositories/{quote(repository, safe='/')}"
        self._pull = f"{self._repo}/pullrequests/{number}"

    def headers(self, token: str) -> Mapping[str, str]:
        """An access token, or a person's `name:token`."""
        return authorization(token)

    def me(self) -> Call[frozenset[str]]:
        """Who we are, by the one name that nobody can choose."""
        return Call(Request("GET", "/user"), lambda answer: frozenset({answer.body["uuid"]}))

    def change(self) -> Call[Change]:
        """The pull request; its commit is told in twelve digits."""
        return Call(Request("GET", self._pull), _change)

    def comments(self) -> Call[Page]:
        """A hundred at a time."""
        return self.more(Request("GET", f"{self._pull}/comments", {"pagelen": "100"}))

    def more(self, request: Request) -> Call[Page]:
        """A page of comments; `next` is the URL of the next."""

        def read(answer: Answer) -> Page:
            query = parse_qs(urlsplit(answer.body.get("next") or "").query)
            following = query.get("page", [""])[-1]
            further = replace(request, query={**request.query, "page": following}) if following else None
            return Page(_comments(answer.body["values"]), further)

        return Call(request, read)

    def create(self, body: str) -> Call[int]:
        """Write a comment."""
        return Call(Request("POST", f"{self._pull}/comments", body=_raw(body)), created)

    def edit(self, comment: Comment, body: str) -> Call[None]:
        """Write it anew."""
        return Call(Request("PUT", f"{self._pull}/comments/{comment.id}", body=_raw(body)), nothing)

    def delete(self, comment: Comment) -> Call[None]:
        """Take it away."""
        return Call(Request("DELETE", f"{self._pull}/comments/{comment.id}"), nothing)

    def standing(self, commit: str, context: str) -> Call[Status | None]:
        """The status under its key, if there is one."""
        path = f"{self._statuses(commit)}/{quote(key_of(context), safe='')}"
        return Call(Request("GET", path), lambda answer: build(answer.body, context), absent=True)

    def say(self, commit: str, status: Status) -> Call[None]:
        """Set the status; it must lead somewhere."""
        return Call(Request("POST", self._statuses(commit), body=told(status)), nothing)

    def _statuses(self, commit: str) -> str:
        return f"{self._repo}/commit/{commit}/statuses/build"


def authorization(token: str) -> Mapping[str, str]:
    """A token alone is an access token; one with a name before it is a person's."""
    basic = f"Basic {base64.b64encode(token.encode()).decode()}"
    return {"Authorization": basic if ":" in token else f"Bearer {token}", "Accept": "application/json"}


def key_of(context: str) -> str:
    """A status' name, no longer than its key may be."""
    if len(context) <= _KEY:
        return context
    return f"{context[: _KEY - 9]}-{hashlib.sha256(context.encode()).hexdigest()[:8]}"


def told(status: Status) -> Mapping[str, Any]:
    """A build status as both Bitbuckets take it."""
    return {
        "key": key_of(status.context),
        "name": status.context,
        "state": STATES[status.state],
        "description": status.description,
        "url": status.url,
    }


def build(value: Mapping[str, Any], context: str) -> Status:
    """A build status as both Bitbuckets tell it."""
    state = READ.get(value["state"], State.PENDING)
    return Status(context, state, value.get("description") or "", value.get("url") or "")


def _raw(body: str) -> Mapping[str, Any]:
    return {"content": {"raw": body}}


def _change(answer: Answer) -> Change:
    return Change(answer.body["source"]["commit"]["hash"], answer.body["state"] == "OPEN")


def _comments(values: list[Any]) -> tuple[Comment, ...]:
    return tuple(
        Comment(int(v["id"]), _names(v.get("user") or {}), v["content"]["raw"] or "")
        for v in values
        if not v.get("deleted")
    )


def _names(user: Mapping[str, Any]) -> frozenset[str]:
    """The names to go by; all but the first are only there to be given by hand."""
    return frozenset(str(user[name]) for name in _NAMES if user.get(name))

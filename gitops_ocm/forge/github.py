"""GitHub's REST API, and Enterprise Server's: comments of the pull request's issue, commit statuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from gitops_ocm.forge.model import Answer, Call, Change, Comment, Page, Request, State, Status, nothing

_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')
_STATES = {state.value: state for state in State}


class GitHub:
    """Pull request `number` of `repository` (`owner/name`)."""

    limit = 65_536
    line = 140
    rights = "`permissions: {pull-requests: write, statuses: write}` in the workflow"
    plain = False

    def __init__(self, repository: str, number: int, *, graphql: str) -> None:
        self._graphql = graphql
        self._repo = f"/repos/{quote(repository, safe='/')}"
        self._issue = f"{self._repo}/issues/{number}"
        self._pull = f"{self._repo}/pulls/{number}"

    def headers(self, token: str) -> Mapping[str, str]:
        """A bearer token, of a person, an app or a workflow."""
        return {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    def me(self) -> Call[frozenset[str]]:
        """Who we are, as GraphQL says it: the REST API does not tell a workflow's token."""
        asked = Request("POST", "", body={"query": "query{viewer{login}}"}, url=self._graphql)
        return Call(asked, lambda answer: frozenset({answer.body["data"]["viewer"]["login"]}))

    def change(self) -> Call[Change]:
        """The pull request."""
        return Call(Request("GET", self._pull), _change)

    def comments(self) -> Call[Page]:
        """A hundred at a time, oldest first."""
        return self.more(Request("GET", f"{self._issue}/comments", {"per_page": "100"}))

    def more(self, request: Request) -> Call[Page]:
        """A page of comments; the header `Link` tells of the next."""
        return Call(request, lambda answer: Page(_comments(answer.body), linked(request, answer)))

    def create(self, body: str) -> Call[int]:
        """Write a comment."""
        return Call(Request("POST", f"{self._issue}/comments", body={"body": body}), created)

    def edit(self, comment: Comment, body: str) -> Call[None]:
        """Write it anew."""
        return Call(Request("PATCH", self._comment(comment), body={"body": body}), nothing)

    def delete(self, comment: Comment) -> Call[None]:
        """Take it away."""
        return Call(Request("DELETE", self._comment(comment)), nothing)

    def standing(self, commit: str, context: str) -> Call[Status | None]:
        """The combined status lists the newest of each context."""
        asked = Request("GET", f"{self._repo}/commits/{commit}/status", {"per_page": "100"})
        return Call(asked, lambda answer: found(answer.body["statuses"], context, "state"), absent=True)

    def say(self, commit: str, status: Status) -> Call[None]:
        """One more status of this context."""
        body = {"state": status.state.value, "context": status.context, "description": status.description}
        if status.url:
            body["target_url"] = status.url
        return Call(Request("POST", f"{self._repo}/statuses/{commit}", body=body), nothing)

    def _comment(self, comment: Comment) -> str:
        return f"{self._repo}/issues/comments/{comment.id}"


def created(answer: Answer) -> int:
    """The id of what was made."""
    return int(answer.body["id"])


def linked(request: Request, answer: Answer) -> Request | None:
    """The next page by the `Link` header: its query, at the place we know."""
    match = _NEXT.search(answer.headers.get("link", ""))
    if match is None:
        return None
    query = {name: values[-1] for name, values in parse_qs(urlsplit(match[1]).query).items()}
    return replace(request, query=query)


def found(statuses: list[Any], context: str, field: str) -> Status | None:
    """The newest of a list of statuses that has this context; `field` has its state."""
    mine = [status for status in statuses if status["context"] == context]
    if not mine:
        return None
    newest = max(mine, key=lambda status: int(status["id"]))
    state = _STATES.get(newest[field], State.PENDING)
    return Status(context, state, newest["description"] or "", newest["target_url"] or "")


def _change(answer: Answer) -> Change:
    return Change(answer.body["head"]["sha"], answer.body["state"] == "open")


def _comments(values: list[Any]) -> tuple[Comment, ...]:
    return tuple(Comment(int(v["id"]), _names(v["user"]), v["body"] or "") for v in values)


def _names(user: Mapping[str, Any] | None) -> frozenset[str]:
    """An account that is gone has no name; an app's goes with `[bot]` here and may go without it there."""
    login = user["login"] if user else ""
    bot = bool(user) and user is not None and user.get("type") == "Bot"
    return frozenset({login, login.removesuffix("[bot]")} if bot else {login}) - {""}

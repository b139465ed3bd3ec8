"""Bitbucket Data Center's API: comments found among a pull request's activities, builds of a commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote

from gitops_ocm.forge.bitbucket import authorization, build, key_of, told
from gitops_ocm.forge.github import created
from gitops_ocm.forge.model import Answer, Call, Change, Comment, Page, Request, Status, nothing


class BitbucketServer:
    """Pull request `number` of `repository` (`PROJECT/name`)."""

    limit = 32_767
    line = 255
    rights = "an HTTP access token of the repository with the permission to write"
    plain = True

    def __init__(self, repository: str, number: int) -> None:
        project, _, name = repository.partition("/")
        self._repo = f"/projects/{quote(project)}/repos/{quote(name)}"
        self._pull = f"{self._repo}/pull-requests/{number}"

    def headers(self, token: str) -> Mapping[str, str]:
        """An HTTP access token, or a person's `name:password`."""
        return authorization(token)

    def me(self) -> Call[frozenset[str]]:
        """Who we are: a header of every answer says so."""
        return Call(Request("GET", "/application-properties"), _me)

    def change(self) -> Call[Change]:
        """The pull request."""
        return Call(Request("GET", self._pull), _change)

    def comments(self) -> Call[Page]:
        """A hundred activities at a time, newest first; comments are among them."""
        return self.more(Request("GET", f"{self._pull}/activities", {"limit": "100", "start": "0"}))

    def more(self, request: Request) -> Call[Page]:
        """A page of activities; the body tells where the next begins."""

        def read(answer: Answer) -> Page:
            last, start = answer.body["isLastPage"], answer.body.get("nextPageStart")
            further = None if last else replace(request, query={**request.query, "start": str(start)})
            return Page(_comments(answer.body["values"]), further)

        return Call(request, read)

    def create(self, body: str) -> Call[int]:
        """Write a comment."""
        return Call(Request("POST", f"{self._pull}/comments", body={"text": body}), created)

    def edit(self, comment: Comment, body: str) -> Call[None]:
        """Write it anew, if it is as we read it."""
        given = {"text": body, "version": comment.version}
        return Call(Request("PUT", f"{self._pull}/comments/{comment.id}", body=given), nothing)

    def delete(self, comment: Comment) -> Call[None]:
        """Take it away, if it is as we read it."""
        query = {"version": str(comment.version)}
        return Call(Request("DELETE", f"{self._pull}/comments/{comment.id}", query), nothing)

    def standing(self, commit: str, context: str) -> Call[Status | None]:
        """The build under its key, if there is one."""
        asked = Request("GET", self._builds(commit), {"key": key_of(context)})
        return Call(asked, lambda answer: build(answer.body, context), absent=True)

    def say(self, commit: str, status: Status) -> Call[None]:
        """Tell of a build; it must lead somewhere."""
        return Call(Request("POST", self._builds(commit), body=told(status)), nothing)

    def _builds(self, commit: str) -> str:
        return f"{self._repo}/commits/{commit}/builds"


def _me(answer: Answer) -> frozenset[str]:
    return frozenset({unquote(answer.headers["x-ausername"])})


def _change(answer: Answer) -> Change:
    return Change(answer.body["fromRef"]["latestCommit"], answer.body["state"] == "OPEN")


def _comments(activities: list[Any]) -> tuple[Comment, ...]:
    written = (
        a["comment"] for a in activities if a["action"] == "COMMENTED" and a["commentAction"] == "ADDED"
    )
    return tuple(
        Comment(int(c["id"]), frozenset({c["author"]["name"]}), c["text"], int(c["version"])) for c in written
    )

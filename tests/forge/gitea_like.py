"""A Gitea of one repository and one pull request: keeps state, knows our calls and refuses every other.

`answer` is the whole of it, so that it can be asked over HTTP (`served`) or request by request.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from gitops_ocm.forge.model import Answer

REPO = "/api/v1/repos/acme/fleet"
OLD, NEW = "1" * 40, "2" * 40
TOKENS = {"ours": "ci-bot", "theirs": "ann", "reader": "reader"}
MOST = 3
"""So few comments make a page that every test has several."""


@dataclass
class GiteaLike:
    """Comments and statuses by id; `head` is where the pull request is, `faults` are answers given first."""

    head: str = OLD
    state: str = "open"
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    faults: list[tuple[str, Answer]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    made: int = 0

    def answer(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: Any
    ) -> Answer:
        """What it says to one request; 501 to one that we are not known to make."""
        self.asked.append(f"{method} {path.removeprefix('/api/v1')}")
        for index, (what, fault) in enumerate(self.faults):
            if what == method:
                del self.faults[index]
                return fault
        user = TOKENS.get(headers.get("authorization", "").removeprefix("token "))
        if user is None:
            return Answer(401, {"message": "invalid username, password or token"})
        if headers.get("accept") != "application/json":
            return Answer(501, {"message": f"Accept: {headers.get('accept')}"})
        for verb, pattern, allowed, fields, act in self._routes():
            match = re.fullmatch(pattern, path)
            if verb == method and match:
                if set(query) - set(allowed) or set(body or {}) != set(fields):
                    return Answer(501, {"message": f"{dict(query)} {body}"})
                if method != "GET" and user == "reader":
                    return Answer(403, {"message": "token does not have at least one of required scope(s)"})
                told: Answer = act(user, match, query, body)
                return told
        return Answer(501, {"message": f"{method} {path}"})

    def _routes(self) -> Any:
        comment = rf"{REPO}/issues/comments/(\d+)"
        status = ("context", "description", "state", "target_url")
        return (
            ("GET", "/api/v1/user", (), (), lambda user, *_: Answer(200, {"id": 7, "login": user})),
            ("GET", f"{REPO}/pulls/5", (), (), self._pull),
            ("GET", f"{REPO}/issues/5/comments", ("per_page", "page"), (), self._list),
            ("POST", f"{REPO}/issues/5/comments", (), ("body",), self._create),
            ("PATCH", comment, (), ("body",), self._edit),
            ("DELETE", comment, (), (), self._delete),
            ("GET", rf"{REPO}/commits/([0-9a-f]+)/statuses", ("limit", "sort"), (), self._told),
            ("POST", rf"{REPO}/statuses/([0-9a-f]+)", (), status, self._say),
        )

    def write(self, user: str, body: str) -> int:
        """A comment that somebody made."""
        self.made += 1
        account = {"id": len(user), "login": user, "full_name": "", "email": f"{user}@noreply.example"}
        self.comments[self.made] = {"id": self.made, "user": account, "body": body, "assets": []}
        return self.made

    def bodies(self) -> list[str]:
        """All comments, oldest first."""
        return [comment["body"] for _, comment in sorted(self.comments.items())]

    def _pull(self, *_: Any) -> Answer:
        return Answer(200, {"number": 5, "state": self.state, "merged": False, "head": {"sha": self.head}})

    def _list(self, user: str, match: Any, query: Mapping[str, str], body: Any) -> Answer:
        page = int(query.get("page", "1"))
        found = [comment for _, comment in sorted(self.comments.items())]
        shown = found[(page - 1) * MOST : page * MOST]
        link = f'<http://elsewhere.example{REPO}/issues/5/comments?page={page + 1}&per_page=100>; rel="next"'
        return Answer(200, shown, {"link": link} if page * MOST < len(found) else {})

    def _create(self, user: str, match: Any, query: Any, body: Any) -> Answer:
        return Answer(201, self.comments[self.write(user, body["body"])])

    def _edit(self, user: str, match: Any, query: Any, body: Any) -> Answer:
        comment = self.comments.get(int(match[1]))
        if comment is None:
            return Answer(404, {"message": "The target couldn't be found."})
        if comment["user"]["login"] != user:
            return Answer(403, {"message": "user should be the poster"})
        comment["body"] = body["body"]
        return Answer(200, comment)

    def _delete(self, user: str, match: Any, *_: Any) -> Answer:
        return Answer(204) if self.comments.pop(int(match[1]), None) else Answer(404, {"message": "gone"})

    def _told(self, user: str, match: Any, *_: Any) -> Answer:
        return Answer(200, [status for status in self.statuses if status["sha"] == match[1]])

    def _say(self, user: str, match: Any, query: Any, body: Any) -> Answer:
        given = {key: value for key, value in body.items() if key != "state"}
        status = {"id": len(self.statuses) + 1, "sha": match[1], "status": body["state"], **given}
        self.statuses.insert(0, status)
        return Answer(201, status)


@asynccontextmanager
async def served(gitea: GiteaLike) -> AsyncIterator[str]:
    """The API's root while it is served on loopback."""

    async def handle(request: web.Request) -> web.Response:
        data = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = orjson.loads(data) if data else None
        told = gitea.answer(request.method, request.path, dict(request.query), headers, body)
        text = b"" if told.body is None else orjson.dumps(told.body)
        return web.Response(
            status=told.status, body=text, headers=dict(told.headers), content_type="application/json"
        )

    async with running(handle) as root:
        yield f"{root}/api/v1"


@asynccontextmanager
async def running(handle: Any) -> AsyncIterator[str]:
    """A server that has everything answered by `handle`."""
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()

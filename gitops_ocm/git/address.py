"""Where a repository is: the URLs that are allowed, taken apart, and never shown with secrets.

Allowed are https, ssh (both spellings) and paths on this machine. Everything else that git would
run (`ext::`, `fd::`, remote helpers, `http`, `git`) is refused here and again by git itself
(`GIT_ALLOW_PROTOCOL` in `command`). Credentials written into a URL are taken out of it, so that
they reach git in its environment only and no message, argument list or config file has them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gitops_ocm.git.errors import InvalidAddress


class Transport(StrEnum):
    """How bytes get here; the values are git's protocol names."""

    HTTPS = "https"
    SSH = "ssh"
    FILE = "file"


@dataclass(frozen=True)
class Address:
    """A repository's place. `url` carries no password; str() is what people see."""

    url: str
    transport: Transport
    host: str = ""
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False, compare=False)

    @property
    def path(self) -> Path:
        """The directory, for a repository on this machine."""
        assert self.transport is Transport.FILE
        return Path(self.url)

    def __str__(self) -> str:
        return self.url


_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_SCP = re.compile(
    r"(?:(?P<user>[A-Za-z0-9._][A-Za-z0-9._-]*)@)?(?P<host>[A-Za-z0-9.\[\]:_][A-Za-z0-9.\[\]:_-]*?):(?P<path>[^:].*)"
)
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?|[0-9A-Fa-f:.]+")
_USERINFO = re.compile(
    r"(?P<scheme>\b[a-zA-Z][a-zA-Z0-9+.-]*://)(?!(?<=\bssh://)[A-Za-z0-9._-]+@)[^/\s@]*(?::[^/\s]*)?@"
)


def masked(text: str) -> str:
    """Any text with the credentials of any URL in it replaced; a user alone is one, but not with ssh."""
    return _USERINFO.sub(r"\g<scheme>***@", text)


def parse(url: str) -> Address:
    """The address a person wrote, or `InvalidAddress` saying what is wrong with it."""
    if not url:
        raise InvalidAddress("the repository's URL is empty")
    if url.startswith("-"):
        raise InvalidAddress(f"a repository's URL cannot begin with '-': {_shown(url)}")
    local = url.startswith(("/", "./", "../", "~"))
    if _CONTROL.search(url) and (not local or re.search(r"[\0\n\r]", url)):
        raise InvalidAddress(f"a repository's URL cannot have spaces or control characters: {_shown(url)}")
    if url.startswith("file://"):
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost"):
            raise InvalidAddress(f"a file URL cannot name another host: {_shown(url)}")
        return _local(unquote(parts.path))
    if "://" in url:
        return _with_scheme(url)
    if "::" in url.partition("/")[0]:
        raise InvalidAddress(f"remote helpers are not allowed: {_shown(url)}")
    if not local and (match := _SCP.fullmatch(url)):
        if match["path"].startswith("-"):
            raise InvalidAddress(f"a repository's path cannot begin with '-': {_shown(url)}")
        return Address(url, Transport.SSH, match["host"], match["user"] or "")
    if not local and ":" in url.partition("/")[0]:
        raise InvalidAddress(f"neither a URL nor user@host:path: {_shown(url)}")
    return _local(url)


def _with_scheme(url: str) -> Address:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidAddress(f"not a URL: {_shown(url)}") from error
    scheme = parts.scheme.removeprefix("git+").lower()
    if scheme not in ("https", "ssh"):
        hint = "use https: http sends everything in clear text" if scheme == "http" else ""
        raise InvalidAddress(f"the protocol {parts.scheme}:// is not allowed: {_shown(url)}", hint=hint)
    host = parts.hostname or ""
    if not _HOST.fullmatch(host):
        raise InvalidAddress(f"the URL's host is missing or malformed: {_shown(url)}")
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    if username.startswith("-") or _CONTROL.search(username + password):
        raise InvalidAddress(f"the URL's user is malformed: {_shown(url)}")
    if not parts.path.strip("/"):
        raise InvalidAddress(f"the URL names a host but no repository: {_shown(url)}")
    if parts.query or parts.fragment:
        raise InvalidAddress(f"a repository's URL has no query or fragment: {_shown(url)}")
    netloc = f"[{host}]" if ":" in host else host
    if port is not None:
        netloc += f":{port}"
    if scheme == "ssh" and username:
        netloc = f"{username}@{netloc}"
    if scheme == "ssh" and password:
        raise InvalidAddress(
            "an ssh URL cannot carry a password", hint="use a key: spec.repository or --ssh-key"
        )
    return Address(f"{scheme}://{netloc}{parts.path}", Transport(scheme), host, username, password)


def _local(text: str) -> Address:
    path = Path(text).expanduser()
    return Address(str(path.absolute()), Transport.FILE)


def _shown(url: str) -> str:
    return repr(masked(url)[:200])

"""Names of branches, tags and commits: what is accepted before git sees it.

The rules are those of `git check-ref-format`, and no name may begin with `-`, so that a name can
never be taken for an option wherever it ends up.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from gitops_ocm.git.errors import InvalidRef

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)")
_COMMIT = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})")


def is_commit(name: str) -> bool:
    """Whether this is a whole commit id, of either hash."""
    return _COMMIT.fullmatch(name) is not None


def checked(name: str) -> str:
    """A full ref name (`refs/heads/main`) or a whole commit id, unchanged, or `InvalidRef`."""
    if is_commit(name):
        return name
    if not name.startswith("refs/"):
        raise InvalidRef(f"not a full ref name or commit id: {name[:200]!r}")
    _check(name)
    return name


def branch(name: str) -> str:
    """`main` → `refs/heads/main`."""
    return _under("refs/heads/", name)


def tag(name: str) -> str:
    """`v1` → `refs/tags/v1`."""
    return _under("refs/tags/", name)


def commit(name: str) -> str:
    """A whole commit id, in lower case."""
    if not is_commit(name.lower()):
        raise InvalidRef(
            f"not a whole commit id: {name[:80]!r}", hint="give all 40 (or 64) hexadecimal digits"
        )
    return name.lower()


def matching(pattern: str, names: list[str]) -> list[str]:
    """The names a pattern with `*` covers, sorted."""
    return sorted(name for name in names if fnmatchcase(name, pattern))


def checked_pattern(pattern: str) -> str:
    """A full ref name that may end in `/*`, as a fetch takes it."""
    checked(pattern.removesuffix("/*"))
    return pattern


def short(name: str) -> str:
    """`refs/heads/main` → `main`, for people."""
    return re.sub(r"^refs/(?:heads|tags)/", "", name)


def _under(prefix: str, name: str) -> str:
    name = name.removeprefix(prefix)
    if name == "HEAD" or name.startswith("-"):
        raise InvalidRef(f"not a name for a branch or tag: {name[:200]!r}")
    _check(prefix + name)
    return prefix + name


def _check(name: str) -> None:
    bad = (
        _FORBIDDEN.search(name)
        or name.endswith(("/", "."))
        or len(name) > 1000
        or name.startswith("-")
        or "/-" in name
    )
    if bad:
        raise InvalidRef(f"Git does not accept this ref name: {name[:200]!r}")

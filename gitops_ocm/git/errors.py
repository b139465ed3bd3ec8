"""What can go wrong with Git, told apart by what a person or a retry can do about it.

    GitError                    anything a git command or a repository refused
    ├── InvalidAddress          the repository's URL is malformed or of a kind we do not run
    ├── InvalidRef              a branch, tag or commit name Git would not accept
    ├── GitMissing              there is no usable `git` program
    ├── RemoteUnreachable       no connection to the host                          (transient)
    ├── AuthenticationFailed    the host answered and did not let us in
    │   └── HostNotTrusted      the host did not prove that it is the one it should be
    ├── RepositoryNotFound      the host answered and has no such repository
    ├── RefNotFound             the branch, tag or commit is not there (any more)
    ├── PushRejected            the remote branch moved, or its rules forbid the push
    ├── RefusedObjects          Git's integrity checks refuse the objects
    ├── CorruptRepository       objects are missing or damaged                     (transient)
    ├── PartialClone            a clone that leaves objects to be fetched when they are needed
    ├── DiskFull                no room left                                       (transient)
    ├── GitTimeout              the time limit was reached                         (transient)
    ├── TooLarge                the size limit was reached
    ├── NotOnABranch            a clone has no branch checked out
    └── Locked                  another process holds the cache                    (transient)
    Interrupted                 we ourselves were told to stop: nothing is wrong with Git

`transient` says whether time alone may heal it. Messages name hosts and paths, never credentials:
every text passes through `address.masked` first.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping

from gitops_ocm.errors import GitopsError, Location


class GitError(GitopsError):
    """A git command failed; `detail` is what git said, cut and without secrets."""

    code = "git-failed"
    transient: bool = False
    default_hint: str = ""

    def __init__(
        self, message: str, *, hint: str = "", detail: str = "", where: Location | None = None
    ) -> None:
        super().__init__(message, hint=hint or self.default_hint, note=detail, where=where)
        self.detail = detail


class InvalidAddress(GitError):
    """The repository's URL is malformed or of a kind that is not allowed."""

    code = "git-invalid-url"
    default_hint = "use https://host/path, ssh://user@host/path, user@host:path or a local path"


class InvalidRef(GitError):
    """Not a name Git accepts for a branch, tag or commit."""

    code = "git-invalid-ref"
    default_hint = "see `git help check-ref-format` for what a branch or tag may be called"


class GitMissing(GitError):
    """There is no `git` on PATH, or it is too old."""

    code = "git-missing"
    default_hint = "install git 2.39 or newer"


class RemoteUnreachable(GitError):
    """No connection to the host of the repository."""

    code = "git-unreachable"
    transient = True
    default_hint = "check the network, the host name and the port; this is retried"


class AuthenticationFailed(GitError):
    """The host refused the credentials, or there were none."""

    code = "git-auth"
    default_hint = "check the token or SSH key given for this repository"


class HostNotTrusted(AuthenticationFailed):
    """The host's certificate or key is not one that is known: it may not be the host it should be."""

    code = "git-host-not-trusted"
    default_hint = "https: give its certificate authority (--git-ca); ssh: its host key (--git-known-hosts)"


class RepositoryNotFound(GitError):
    """There is no repository at the address (some hosts say so when credentials are missing)."""

    code = "git-no-repository"
    default_hint = "check the path; private repositories look absent without credentials"


class RefNotFound(GitError):
    """The branch, tag or commit does not exist in the repository."""

    code = "git-no-ref"
    default_hint = "push the branch again, or point the sync at another ref; what is applied stays"


class PushRejected(GitError):
    """The remote did not take a push."""

    code = "git-push-rejected"
    default_hint = "somebody else pushed first, or the branch is protected"


class RefusedObjects(GitError):
    """Git's integrity checks refuse what the repository holds (a path `.git`, a malformed tree)."""

    code = "git-refused-objects"
    default_hint = "the detail names the object; rewrite the commit that brought it in"


class CorruptRepository(GitError):
    """Objects are missing or damaged. A cache is cloned anew; a person's repository needs them."""

    code = "git-corrupt"
    transient = True
    default_hint = "run `git fsck` in the repository; a cache heals itself at the next fetch"


class PartialClone(GitError):
    """A repository on this machine without all its objects, which git would fetch one by one."""

    code = "git-partial-clone"
    default_hint = "follow the repository it was cloned from, or complete it: git fetch --refetch --no-filter"


class DiskFull(GitError):
    """No room left where the cache or the repository is."""

    code = "git-disk-full"
    transient = True
    default_hint = "free space on the disk; this is retried and nothing is lost"


class GitTimeout(GitError):
    """A git command took longer than its time limit and was ended."""

    code = "git-timeout"
    transient = True
    default_hint = "the host may be slow: raise the sync's timeout"


class TooLarge(GitError):
    """A repository, an object or an answer is over its size limit."""

    code = "git-too-large"
    default_hint = "keep large files out of the repository, or raise the limit"


class NotOnABranch(GitError):
    """A clone has no branch checked out to commit to."""

    code = "git-detached"
    default_hint = "check a branch out, or name one: --commit=BRANCH"


class Locked(GitError):
    """Another process is working on the same cache."""

    code = "git-locked"
    transient = True
    default_hint = "give each daemon its own cache directory, or wait for the other to finish"


class Interrupted(GitopsError):
    """A git command was ended because whoever asked for it is about to stop."""

    code = "git-interrupted"


_SIGNS: Mapping[type[GitError], tuple[str, ...]] = {
    PartialClone: ("from promisor remote",),
    DiskFull: ("No space left on device", "Disk quota exceeded", "[Oo]ut of disk", "File too large"),
    HostNotTrusted: (
        "SSL certificate problem",
        "certificate verification failed",
        "certificate subject name",
        "Host key verification failed",
        "REMOTE HOST IDENTIFICATION",
    ),
    AuthenticationFailed: (
        "Authentication failed",
        "could not read Username",
        "could not read Password",
        "terminal prompts disabled",
        "Permissions .* are too open",
        r"Permission denied \(",
        r"returned error: 40[13]\b",
    ),
    RepositoryNotFound: (
        "[Rr]epository.*not found",
        "does not appear to be a git repository",
        "not a git repository",
        r"returned error: 404\b",
        "repository '.*' does not exist",
    ),
    RefNotFound: ("couldn't find remote ref", "not our ref", "unadvertised object", "no such remote ref"),
    RemoteUnreachable: (
        "Could not resolve host",
        "Connection (?:refused|timed out|reset|closed)",
        "No route to host",
        "Failed to connect",
        "Couldn't connect",
        "Network is unreachable",
        "Temporary failure in name resolution",
        "Operation timed out",
        "Operation too slow",
        "SSL|certificate",
        r"returned error: (?:429|5\d\d)",
        "early EOF",
        "hung up unexpectedly",
        "RPC failed",
        "unable to access",
    ),
    RefusedObjects: ("fsck error", "fsckObjects"),
    PushRejected: (
        r"\[(?:remote )?rejected\]",
        "non-fast-forward",
        "stale info",
        "fetch first",
        "failed to push some refs",
        "protected branch",
        "cannot lock ref",
    ),
    CorruptRepository: (
        "is corrupt",
        "object file .* is empty",
        "loose object",
        "missing (?:blob|tree|commit|object)",
        "bad (?:object|tree|signature)",
        "unable to read (?:tree|sha1|object)",
        "pack.*(?:cannot be accessed|is far too short|does not match index)",
        "index-pack (?:failed|died)",
        "inflate",
        "failed to read object",
        "shallow file has changed",
        "could not parse",
        "not a valid object name",
        "invalid (?:object|sha1 pointer)",
    ),
}
_COMPILED = {cls: re.compile("|".join(signs)) for cls, signs in _SIGNS.items()}

_SENTENCES: dict[type[GitError], str] = {
    DiskFull: "no space left while working on {place}",
    AuthenticationFailed: "{place} refused access",
    HostNotTrusted: "the certificate or host key of {place} is not trusted",
    RemoteUnreachable: "cannot reach {place}",
    RefNotFound: "{place} does not have what was asked for",
    RepositoryNotFound: "there is no Git repository at {place}",
    PushRejected: "{place} rejected the push",
    RefusedObjects: "{place} has objects that Git's own checks refuse",
    CorruptRepository: "the Git repository {place} is damaged",
    PartialClone: "{place} is a partial clone and lacks objects",
    GitError: "git {verb} failed on {place}",
}

_SAYS_IT_ALL = (RefNotFound, RepositoryNotFound, PartialClone)
_PREFIX = re.compile(r"^[\s@!]*(?:(?:fatal|error|ssh|remote): )*(?:unable to access '[^']*': )?")
_DURATION = re.compile(r" after \d+ ms")


def from_os(error: OSError, doing: str) -> GitError:
    """What the operating system refused while we were `doing` something: `write the cache /var/cache/x`."""
    why = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"no space left to {doing}", detail=why)
    hint = "check who owns it and whether it may be written"
    return GitError(f"cannot {doing}: {why}", hint=hint)


def from_stderr(verb: str, stderr: str, *, place: str) -> GitError:
    """The error that git's own words stand for; `place` names the host or the repository.

    `stderr` must already be free of secrets. Git exits with 128 for nearly everything, so its text
    (always English: `LC_ALL=C`) is all there is to go by.
    """
    detail = _essential(stderr)
    found = (cls for cls, pattern in _COMPILED.items() if pattern.search(stderr))
    cls = next(found, GitError)
    message = _SENTENCES[cls].format(verb=verb, place=place)
    reason = "" if cls in _SAYS_IT_ALL else _reason(stderr, _COMPILED.get(cls))
    return cls(f"{message}: {reason}" if reason else message, detail=detail)


def _reason(stderr: str, pattern: re.Pattern[str] | None) -> str:
    """The line that told the error's kind, on its own; equal for equal failures, so without durations."""
    lines = stderr.replace("\r", "\n").splitlines()
    found = next((line for line in lines if pattern is not None and pattern.search(line)), "")
    text = _PREFIX.sub("", found or _essential(stderr).partition("\n")[0])
    return _DURATION.sub("", text).strip("@ .")[:200]


def _essential(stderr: str) -> str:
    """The lines that say something, without progress, at most 600 characters."""
    lines = [line.strip() for line in stderr.replace("\r", "\n").splitlines()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:", "remote:"))]
    return "\n".join(telling or [line for line in lines if line])[-600:]

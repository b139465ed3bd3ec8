"""What git and the system say when something fails, and the error a person gets."""

from __future__ import annotations

import errno
import os

import pytest

from gitops_ocm.errors import GitopsError
from gitops_ocm.git.errors import (
    AuthenticationFailed,
    CorruptRepository,
    DiskFull,
    GitError,
    HostNotTrusted,
    PushRejected,
    RefNotFound,
    RemoteUnreachable,
    RepositoryNotFound,
    from_os,
    from_stderr,
)

SAID = [
    ("fatal: unable to access 'https://h/x/': Could not resolve host: h", RemoteUnreachable),
    (
        "ssh: connect to host h port 22: Connection refused\nfatal: Could not read from remote repository.",
        RemoteUnreachable,
    ),
    (
        "fatal: unable to access 'https://h/': SSL certificate problem: self-signed certificate",
        HostNotTrusted,
    ),
    (
        "fatal: unable to access 'https://h/': server certificate verification failed. CAfile: none",
        HostNotTrusted,
    ),
    ("fatal: unable to access 'https://h/': OpenSSL SSL_connect: SSL_ERROR_SYSCALL", RemoteUnreachable),
    ("fatal: unable to access 'https://h/': The requested URL returned error: 503", RemoteUnreachable),
    ("fatal: unable to access 'https://h/': The requested URL returned error: 403", AuthenticationFailed),
    ("fatal: could not read Username for 'https://h': terminal prompts disabled", AuthenticationFailed),
    (
        "git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.",
        AuthenticationFailed,
    ),
    ("Host key verification failed.\nfatal: Could not read from remote repository.", HostNotTrusted),
    ("remote: Repository not found.\nfatal: repository 'https://h/x/' not found", RepositoryNotFound),
    ("fatal: '/x' does not appear to be a git repository", RepositoryNotFound),
    ("fatal: couldn't find remote ref refs/heads/x", RefNotFound),
    ("error: Server does not allow request for unadvertised object 1234", RefNotFound),
    ("fatal: write error: No space left on device", DiskFull),
    ("fatal: sha1 file 'objects/pack/tmp_pack_x' write error. Out of diskspace", DiskFull),
    ("error: file write error: Disk quota exceeded\nfatal: index-pack failed", DiskFull),
    ("error: inflate: data stream error\nfatal: loose object 12 is corrupt", CorruptRepository),
    (" ! [rejected] a -> b (fetch first)\nerror: failed to push some refs to 'x'", PushRejected),
    ("fatal: something new", GitError),
    ("", GitError),
]


@pytest.mark.parametrize(("said", "kind"), SAID)
def test_what_git_says(said: str, kind: type[GitError]) -> None:
    """Git's texts are told apart by what can be done about them, with a hint and the place."""
    error = from_stderr("fetch", said, place="https://h/x")
    assert type(error) is kind
    assert "https://h/x" in error.message
    assert isinstance(error, GitopsError)
    assert error.hint or kind is GitError


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_heals_with_time(number: int) -> None:
    """No room and no quota are what time may heal; what is missing is said."""
    error = from_os(OSError(number, os.strerror(number), "/x"), "write the cache /x")
    assert isinstance(error, DiskFull)
    assert error.transient
    assert error.message == "no space left to write the cache /x"

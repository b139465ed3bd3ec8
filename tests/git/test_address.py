"""What may be called a repository or a ref, and what of it people get to see."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.git import refs
from gitops_ocm.git.address import Transport, masked, parse
from gitops_ocm.git.errors import InvalidAddress, InvalidRef

GOOD = [
    ("https://git.example.com/team/fleet.git", Transport.HTTPS, "git.example.com"),
    ("https://git.example.com:8443/fleet", Transport.HTTPS, "git.example.com"),
    ("https://[::1]:8443/fleet", Transport.HTTPS, "::1"),
    ("ssh://git@git.example.com:2222/fleet.git", Transport.SSH, "git.example.com"),
    ("git@git.example.com:team/fleet.git", Transport.SSH, "git.example.com"),
    ("git.example.com:fleet", Transport.SSH, "git.example.com"),
    ("/srv/git/fleet.git", Transport.FILE, ""),
    ("/srv/my repos/fleet", Transport.FILE, ""),
    ("./fleet", Transport.FILE, ""),
    ("file:///srv/fleet", Transport.FILE, ""),
]


@pytest.mark.parametrize(("url", "transport", "host"), GOOD)
def test_addresses(url: str, transport: Transport, host: str) -> None:
    """https, both spellings of ssh, and paths are understood."""
    address = parse(url)
    assert (address.transport, address.host) == (transport, host)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ext::sh -c touch% /tmp/pwned",
        "ext::sh",
        "fd::17",
        "--upload-pack=touch /tmp/pwned",
        "-oProxyCommand=touch",
        "ssh://-oProxyCommand=touch/x",
        "ssh://-oProxyCommand=touch@host/x",
        "-oProxyCommand=touch:x",
        "git@-oProxyCommand=x:y",
        "git@host:-x",
        "http://git.example.com/x",
        "git://git.example.com/x",
        "ftp://git.example.com/x",
        "file://other-host/x",
        "https:///x",
        "https://host",
        "https://host/",
        "https://ho st/x",
        "https://host/x\ny",
        "https://host/x?a=b",
        "https://host/x#y",
        "https://host:port/x",
        "https://user%0a:x@host/x",
        "ssh://git:secret@host/x",
        "host:a b",
        "/srv/a\nb",
        "/srv/\0",
        "javascript://host/x",
    ],
)
def test_refused_addresses(url: str) -> None:
    """Remote helpers, options in disguise, other protocols and malformed URLs never reach git."""
    with pytest.raises(InvalidAddress) as caught:
        parse(url)
    assert caught.value.hint
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("url", ["https://bob:hunter2@host/x", "https://hunter2@host/x"])
def test_credentials_are_taken_out(url: str) -> None:
    """A password in a URL goes to the credentials; no text made of the address has it."""
    address = parse(url)
    assert "hunter2" in (address.username, address.password)
    assert "hunter2" not in f"{address} {address!r} {address.url}"


@pytest.mark.parametrize("url", ["https://a:hunter2@host", "http://a:hunter2@host/x", "ext://a:hunter2@h/x"])
def test_errors_do_not_show_credentials(url: str) -> None:
    """A refused URL is shown without its password."""
    with pytest.raises(InvalidAddress) as caught:
        parse(url)
    assert "hunter2" not in str(caught.value)


TEXT = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/@"), min_size=1, max_size=12
)


@settings(derandomize=True, deadline=None)
@given(user=TEXT, password=TEXT)
def test_no_userinfo_survives_masking(user: str, password: str) -> None:
    """Whatever stands before the `@` of a URL in a message is gone after masking."""
    assert masked(f"fatal: unable to access 'https://{user}:{password}@host/x'") == (
        "fatal: unable to access 'https://***@host/x'"
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://token@host/x", "https://***@host/x"),
        ("ssh://git@host/x", "ssh://git@host/x"),
        ("ssh://git:secret@host/x", "ssh://***@host/x"),
        ("ssh://git@host/x https://a:b@host/y", "ssh://git@host/x https://***@host/y"),
    ],
)
def test_a_user_alone_is_a_secret_only_where_it_may_be_a_token(url: str, shown: str) -> None:
    """An ssh URL's user says who, and a hint with it can be pasted; an https URL's may open doors."""
    assert masked(url) == shown


@pytest.mark.parametrize("name", ["main", "feature/x", "v1.2.3", "a@b", "ü", "refs/heads/main"])
def test_branch_names(name: str) -> None:
    """Ordinary names become full ref names, once."""
    assert refs.branch(name) == "refs/heads/" + name.removeprefix("refs/heads/")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-d",
        "--upload-pack=x",
        "a/-b",
        "a..b",
        "a b",
        "a\nb",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[",
        "a\\b",
        "/a",
        "a/",
        "a//b",
        ".a",
        "a/.b",
        "a.",
        "a.lock",
        "a.lock/b",
        "a@{1}",
        "HEAD",
        "\x7f",
        "x" * 2000,
    ],
)
def test_refused_names(name: str) -> None:
    """What `git check-ref-format` refuses, and anything that looks like an option, is refused."""
    with pytest.raises(InvalidRef):
        refs.branch(name)


@pytest.mark.parametrize(
    "name", ["main", "", "-x", "abc", "refs/../x", "0" * 39, "g" * 40, "HEAD", "refs/heads/a b"]
)
def test_refused_full_names(name: str) -> None:
    """A full name or a whole commit id is asked for; nothing git would have to guess at."""
    with pytest.raises(InvalidRef):
        refs.checked(name)


@pytest.mark.parametrize("name", ["a" * 40, "0" * 64, "refs/tags/v1"])
def test_full_names(name: str) -> None:
    """Whole commit ids of both hashes and full ref names pass unchanged."""
    assert refs.checked(name) == name

"""A comment's text: its mark, its length, and what a forge without HTML shows."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.forge.bodies import Mark, mark_of, marked, without_html

LINES = st.sampled_from(
    ["text", "", "```diff", "```", "````", "<details>", "</details>", "<summary>a</summary>", "x" * 90, "~~~"]
)


@given(
    fleet=st.text(max_size=30),
    head=st.sampled_from(["", "0123abcd" * 5]),
    lines=st.lists(LINES, max_size=60),
    limit=st.integers(600, 3000),
    plain=st.booleans(),
)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_marked(fleet: str, head: str, lines: list[str], limit: int, plain: bool) -> None:
    """Whatever the fleet is called: the mark is read again, and the forge's limit is kept."""
    mark = Mark(fleet, head)
    body = marked("<!-- gitops-ocm preview -->\n" + "\n".join(lines), mark, limit=limit, plain=plain)
    assert mark_of(body) == mark
    assert len(body) <= limit
    first = body.partition("\n")[0]
    assert first.count("--") == (0 if plain else 2)
    assert marked(body, mark, limit=limit, plain=plain) == body


def test_what_is_cut_is_closed() -> None:
    """A fence and a fold that are open where the text is cut are closed; that there is more is said."""
    text = "\n".join(["verdict", "<details>", "<summary>a</summary>", "", "```diff", *["+ line"] * 200])
    body = marked(text, Mark(), limit=600)
    rest = body[body.rindex("+ line") :].splitlines()
    assert rest[1:4] == ["```", "", "</details>"]
    assert "left out" in rest[-1]


def test_no_html() -> None:
    """Where HTML is shown as written, folds are unfolded; what is fenced keeps its letters."""
    text = "<details>\n<summary>Objects</summary>\n\n```\n<details>\n```\n</details>\n"
    assert without_html(text) == "**Objects**\n\n```\n<details>\n```\n"


def test_others_comments() -> None:
    """A comment that only speaks of the mark has none."""
    assert mark_of("see `<!-- gitops-ocm preview -->`") is None
    assert mark_of("<!-- gitops-ocm previewer -->") is None

"""A preview as text, JSON, Markdown, HTML, JUnit or SARIF. Pure: values in, text out.

    render(found, Format.MARKDOWN, artifact="the job's artifact preview.html")

All formats say the same `Preview`; none finds out anything about the fleet.
"""

from __future__ import annotations

from enum import StrEnum

from gitops_ocm.preview.model import Preview


class Format(StrEnum):
    """How a preview may be shown."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    JUNIT = "junit"
    SARIF = "sarif"


def render(found: Preview, format: Format, *, width: int = 0, whole: bool = False, artifact: str = "") -> str:
    """The preview in a format, as plain text.

    `width` folds text (0: lines as long as they are), `whole` leaves nothing out of it. `artifact` says where
    all of it is, for a comment that has to leave something out.
    """
    # Each format is read only when it is asked for: a preview is wanted in a second.
    if format is Format.JSON:
        from gitops_ocm.preview.formats.document import to_json

        return to_json(found)
    if format is Format.MARKDOWN:
        from gitops_ocm.preview.formats.markdown import comment

        return comment(found, artifact=artifact)
    from gitops_ocm.preview.formats.folding import folded
    from gitops_ocm.preview.formats.text import preview_lines
    from gitops_ocm.report.plan_text import plain

    return plain(folded(preview_lines(found, whole=whole), width))

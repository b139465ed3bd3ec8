"""A preview as text, JSON, Markdown, HTML, JUnit or SARIF. Pure: values in, text out.

    render(found, Format.MARKDOWN, artifact="the job's artifact preview.html")

All formats say the same `Preview`; none finds out anything about the fleet.
"""

from __future__ import annotations

from enum import StrEnum

from gitops_ocm.preview.model import Preview, Verdict


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
    match format:
        case Format.JSON:
            from gitops_ocm.preview.formats.document import to_json

            return to_json(found)
        case Format.MARKDOWN:
            from gitops_ocm.preview.formats.markdown import comment

            return comment(found, artifact=artifact)
        case Format.HTML:
            from gitops_ocm.preview.formats.page import page

            return page(found)
        case Format.JUNIT:
            return _junit(found)
        case Format.SARIF:
            from gitops_ocm import __version__
            from gitops_ocm.preview.formats.findings import findings
            from gitops_ocm.preview.formats.sarif import sarif

            return sarif(findings(found), version=__version__)
    from gitops_ocm.preview.formats.folding import folded
    from gitops_ocm.preview.formats.text import preview_lines
    from gitops_ocm.report.plan_text import plain

    return plain(folded(preview_lines(found, whole=whole), width))


def _junit(found: Preview) -> str:
    from gitops_ocm.preview.formats.findings import findings
    from gitops_ocm.preview.formats.junit import junit

    allowed = [ruling.rule for ruling in found.rulings if ruling.verdict is Verdict.ALLOWED]
    return junit(findings(found), allowed=allowed)

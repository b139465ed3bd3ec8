"""A preview as one static HTML file: all that text says, whole and in colour, light or dark.

It asks no network and runs no script, and its policy for content allows neither. Every text is escaped.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape

from gitops_ocm.preview.formats.text import preview_lines
from gitops_ocm.preview.formats.words import TITLE, verdict, visible
from gitops_ocm.preview.model import Preview
from gitops_ocm.report.plan_text import Line, Span

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1f2328; --dim: #59636e;
  --red: #b3201f; --green: #136b2c; --yellow: #7d4e00; --cyan: #0b5f7a; --magenta: #7a2f8f; }
@media (prefers-color-scheme: dark) { :root { --paper: #0d1117; --ink: #e6edf3; --dim: #9198a1;
  --red: #ff8f88; --green: #5fd07a; --yellow: #e3b341; --cyan: #6cc7e6; --magenta: #d9a1ee; } }
body { background: var(--paper); color: var(--ink); margin: 2rem; }
pre { font: 14px/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.bold { font-weight: 700; } .underline { text-decoration: underline; } .dim { color: var(--dim); }
.red { color: var(--red); } .green { color: var(--green); } .yellow { color: var(--yellow); }
.cyan { color: var(--cyan); } .magenta { color: var(--magenta); }
"""


def page(found: Preview) -> str:
    """The file."""
    digest = b64encode(sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    lines = "".join(f"{_line(line)}\n" for line in preview_lines(found, whole=True))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{TITLE}: {escape(visible(verdict(found)))}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<pre>{lines}</pre>\n</main>\n</body>\n</html>\n"
    )


def _line(line: Line) -> str:
    return "".join(map(_span, line)).rstrip()


def _span(span: Span) -> str:
    text = escape(visible(span.text))
    return f'<span class="{span.style}">{text}</span>' if span.style else text

"""A preview as one static HTML file for a reviewer: verdict, timeline, diffs, and a grid of clusters.

page(found)
├── summary      the verdict, the policy, problems, what it is computed from
├── timeline     rollouts on one `axis`; `radius` bars; `changes` objects and placements
├── clusters     the grid, and what clusters are given
├── groups       clusters and what is said of them: the data of the grid
└── *.css, *.js  how it looks; search, grid and details, which only copy what stands in the page

Values come from files of strangers. Elements are made by `markup` alone, the page's policy for content allows
its own style and script by their hashes and nothing else (no network, no frames, no script of a value), and
scripts make text nodes only. Without scripts all but the grid can be read.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

from gitops_ocm.preview.formats.page.changes import objects, placements
from gitops_ocm.preview.formats.page.clusters import clusters
from gitops_ocm.preview.formats.page.groups import Groups
from gitops_ocm.preview.formats.page.markup import NOTHING, Markup, joined, tag
from gitops_ocm.preview.formats.page.radius import radius
from gitops_ocm.preview.formats.page.summary import head, made_of, policy, problems
from gitops_ocm.preview.formats.page.timeline import rollouts
from gitops_ocm.preview.formats.words import TITLE, verdict
from gitops_ocm.preview.model import Preview

_STYLES = ("page.css", "sections.css", "clusters.css")
_FOLDS = ("folds.js",)
_GRID = ("folds.js", "fleet.js", "grid.js", "detail.js", "finder.js")
"""Scripts of a page without clusters, and with some."""
_LISTED = {
    "policy": "Policy",
    "problems": "Problems",
    "warnings": "Warnings",
    "rollouts": "Rollouts",
    "radius": "Blast radius",
    "objects": "Objects",
    "placements": "Placements",
    "clusters": "Clusters",
    "made-of": "What this is computed from",
}


def page(found: Preview) -> str:
    """The file."""
    groups = Groups()
    sections = {
        "policy": policy(found),
        "problems": problems(found),
        "rollouts": rollouts(found, groups),
        "radius": radius(found),
        "objects": objects(found),
        "placements": placements(found, groups),
        "clusters": clusters(found, groups),
        "made-of": made_of(found),
    }
    content = joined(*sections.values())
    some = bool(sections["clusters"])
    script = _script(_GRID if some else _FOLDS)
    data = tag(
        "script", groups.block((*found.clusters, *found.bystanders)), type="application/json", id="data"
    )
    body = (
        tag("a", "Skip to the content", href="#content", class_="skip"),
        tag("header", head(found)),
        tag("nav", tag("ul", _contents(content)), aria_label="Sections"),
        tag("main", content, id="content"),
        data if some else NOTHING,
        tag("script", script),
    )
    return f"<!DOCTYPE html>\n{tag('html', _head(found, script), tag('body', *body), lang='en')}\n"


def _head(found: Preview, script: Markup) -> Markup:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"{TITLE}: {verdict(found)}"),
        tag("style", _style()),
    )


def _contents(content: Markup) -> Markup:
    """Links to the sections that there are."""
    there = ((key, title) for key, title in _LISTED.items() if f'<section id="{key}"' in content)
    return joined(*(tag("li", tag("a", title, href=f"#{key}")) for key, title in there))


@cache
def _style() -> Markup:
    return Markup("".join(map(_read, _STYLES)))


@cache
def _script(names: tuple[str, ...]) -> Markup:
    """Scripts as one, that shares no names with anything else."""
    return Markup(f'"use strict";\n(() => {{\n{"".join(map(_read, names))}}})();\n')


def _read(name: str) -> str:
    return (files(__name__) / name).read_text("utf-8")


def _policy(script: Markup) -> str:
    """Its own style and script, by their hashes, and nothing else; no string ever becomes HTML or script."""
    looks, runs = (b64encode(sha256(text.encode()).digest()).decode() for text in (_style(), script))
    return (
        f"default-src 'none'; style-src 'sha256-{looks}'; script-src 'sha256-{runs}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )

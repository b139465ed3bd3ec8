"""A preview as one static HTML file for a reviewer: verdict, timeline, diffs, and a grid of clusters.

page(found)
├── summary      the verdict, the policy, problems, what it is computed from
├── timeline     rollouts on one `axis`; `radius` bars; `changes` objects, placements, what clusters are given
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

from gitops_ocm.preview.formats.page.changes import configurations, objects, on_clusters, placements
from gitops_ocm.preview.formats.page.groups import Groups
from gitops_ocm.preview.formats.page.markup import NOTHING, Markup, joined, tag
from gitops_ocm.preview.formats.page.radius import radius
from gitops_ocm.preview.formats.page.said import section
from gitops_ocm.preview.formats.page.summary import head, made_of, policy, problems
from gitops_ocm.preview.formats.page.timeline import rollouts
from gitops_ocm.preview.formats.words import TITLE, verdict
from gitops_ocm.preview.model import Preview

_STYLES = ("page.css", "sections.css", "clusters.css")
_SCRIPTS = ("fleet.js", "grid.js", "detail.js", "page.js")
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
        "clusters": _clusters(found, groups),
        "made-of": made_of(found),
    }
    content = joined(*sections.values())
    body = (
        tag("a", "Skip to the content", href="#content", class_="skip"),
        tag("header", head(found)),
        tag("nav", tag("ul", _contents(content)), aria_label="Sections"),
        tag("main", content, id="content"),
        tag("script", groups.block(found.clusters), type="application/json", id="data"),
        tag("script", _script()),
    )
    return f"<!DOCTYPE html>\n{tag('html', _head(found), tag('body', *body), lang='en')}\n"


def _head(found: Preview) -> Markup:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy()),
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


def _clusters(found: Preview, groups: Groups) -> Markup:
    """The grid, and below it what is in it as far as it can be read without scripts."""
    told = joined(on_clusters(found, groups), configurations(found, groups))
    names = groups.names(found.clusters)
    return section("clusters", "Clusters", _FINDER, told, number=len(names)) if names else NOTHING


def _label(title: str, field: Markup) -> Markup:
    return tag("label", title, " ", field)


_HINT = "A name or a part of it, set:eu, placement:prod, effect:deleted, rollout:web; all words must fit."
_FINDER = joined(
    tag(
        "p",
        "The grid of clusters needs scripts; what it holds is told below.",
        id="scriptless",
        class_="note",
    ),
    tag(
        "div",
        tag(
            "search",
            _label(
                "Find clusters",
                tag(
                    "input",
                    type="search",
                    id="search",
                    aria_describedby="hint",
                    spellcheck="false",
                    autocomplete="off",
                ),
            ),
            _label("Cluster set", tag("select", tag("option", "all", value=""), id="set")),
            tag("output", id="found", for_="search"),
            tag("p", _HINT, id="hint", class_="note"),
            tag("fieldset", tag("legend", "Only clusters with"), id="kinds"),
            tag("p", id="only"),
        ),
        tag(
            "div",
            tag("div", id="grid", role="grid", tabindex="0", aria_label="Clusters; Enter shows one in full"),
            tag("section", id="detail", aria_labelledby="detail-title", hidden=True),
            class_="explorer",
        ),
        id="finder",
        hidden=True,
    ),
)


@cache
def _style() -> Markup:
    return Markup("".join(map(_read, _STYLES)))


@cache
def _script() -> Markup:
    """All scripts as one, that shares no names with anything else."""
    return Markup(f'"use strict";\n(() => {{\n{"".join(map(_read, _SCRIPTS))}}})();\n')


def _read(name: str) -> str:
    return (files(__name__) / name).read_text("utf-8")


def _policy() -> str:
    """Its own style and script, by their hashes, and nothing else; no string ever becomes HTML or script."""
    style, script = (b64encode(sha256(text.encode()).digest()).decode() for text in (_style(), _script()))
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )

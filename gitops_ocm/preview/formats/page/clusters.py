"""Clusters: what the grid is searched with, and below it what they are given, which can be read without it.

What many are given stands once; a cluster's details in the grid are copies of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ocm.objects.diff import ABSENT, Difference
from gitops_ocm.preview.formats.alike import Given, configured, given, what_of
from gitops_ocm.preview.formats.page.groups import Group, Groups
from gitops_ocm.preview.formats.page.markup import NOTHING, Markup, joined, tag
from gitops_ocm.preview.formats.page.said import (
    act_badge,
    field_diffs,
    foldable,
    section,
    where,
    who,
    within,
)
from gitops_ocm.preview.formats.words import WORDS, name_of
from gitops_ocm.preview.model import AddOnConfig, Preview, Value

_LARGEST = 1_200_000
_FIRST = 30
"""So many entries are shown before a fold."""


def clusters(found: Preview, groups: Groups) -> Markup:
    """The grid, and below it what is in it as far as it can be read without scripts."""
    told = joined(_on_clusters(found, groups), _configurations(found, groups))
    names = groups.names((*found.clusters, *found.bystanders))
    return section("clusters", "Clusters", _finder(), told, number=len(names)) if names else NOTHING


def _on_clusters(found: Preview, groups: Groups) -> Markup:
    """What clusters are given, the same things once."""
    gifts = [(gift, _given_group(gift, groups)) for gift in given(found.clusters)]
    entries = within(_LARGEST, gifts, lambda pair: _gift(*pair), "changes", first=_FIRST)
    return joined(tag("h3", "What they are given"), entries) if gifts else NOTHING


def _given_group(gift: Given, groups: Groups) -> Group:
    word = WORDS[gift.effect.act]
    return groups.add(f"{what_of(gift.effect)} {word}", gift.clusters, kind=word)


def _gift(gift: Given, group: Group) -> Markup:
    effect = gift.effect
    why = joined(" ", tag("span", effect.why, class_="why")) if effect.why else NOTHING
    summary = joined(act_badge(effect.act), " ", tag("b", what_of(effect)), why)
    fold = foldable(summary, field_diffs(effect.fields))
    return tag("div", fold, who(group), id=group.key, class_=f"entry {effect.act.value}")


def _configurations(found: Preview, groups: Groups) -> Markup:
    """Add-ons whose effective configuration changes, and where each value comes from."""
    pairs = [
        (
            group.config,
            groups.add(
                f"{group.config.addon} is configured otherwise", group.clusters, kind="configured otherwise"
            ),
        )
        for group in configured(found.clusters)
    ]
    entries = within(_LARGEST, pairs, lambda pair: _config(*pair), "configurations", first=_FIRST)
    return joined(tag("h3", "How their add-ons are configured"), entries) if pairs else NOTHING


def _config(config: AddOnConfig, group: Group) -> Markup:
    badge = tag("span", "~ configuration", class_="badge change")
    fold = foldable(
        joined(badge, " ", tag("b", config.addon)), joined(*map(_value, config.values)), opened=True
    )
    return tag("div", fold, who(group), id=group.key, class_="entry change")


def _value(found: Value) -> Markup:
    diff = field_diffs([Difference(found.path, found.before, found.after)])
    return tag("div", diff, tag("p", *_origins(found), class_="origins"), class_="value")


def _origins(found: Value) -> Iterator[Markup]:
    yield tag("span", name_of(found.config))
    for word, value, level, origin in (
        ("before", found.before, found.level_before, found.origin_before),
        ("after", found.after, found.level_after, found.origin_after),
    ):
        if value is not ABSENT and (level or origin.path):
            told = tag("b", level) if level else NOTHING
            yield tag("span", f"{word}: ", told, where(origin))


# The grid, which scripts draw

_HINT = "A name or a part of it, set:eu, placement:prod, effect:deleted, rollout:web; all words must fit."
_SCRIPTLESS = "The grid of clusters needs scripts; what it holds is told below."
_FIELD = {"type": "search", "aria_describedby": "hint", "spellcheck": "false", "autocomplete": "off"}


def _finder() -> Markup:
    """Empty yet, and hidden: without scripts it would be of no use."""
    search = tag(
        "search",
        tag("label", "Find clusters ", tag("input", id="search", **_FIELD)),
        tag(
            "label",
            "Cluster set ",
            tag("select", tag("option", "all", value=""), id="set"),
        ),
        tag("output", id="found", for_="search"),
        tag("p", _HINT, id="hint", class_="note"),
        tag("fieldset", tag("legend", "Only clusters with"), id="kinds"),
        tag("p", id="only"),
    )
    grid = tag("div", id="grid", role="grid", tabindex="0", aria_label="Clusters; Enter shows one in full")
    detail = tag("section", id="detail", aria_labelledby="detail-title", hidden=True)
    explorer = tag("div", grid, detail, class_="explorer")
    return joined(
        tag("p", _SCRIPTLESS, id="scriptless", class_="note"),
        tag("div", search, explorer, id="finder", hidden=True),
    )

"""How far a change goes, as bars: of the fleet and of each cluster set, touched in all and at one moment."""

from __future__ import annotations

from gitops_ocm.preview.formats.page.markup import NOTHING, Markup, joined, tag
from gitops_ocm.preview.formats.page.said import section
from gitops_ocm.preview.formats.words import number_of, percent
from gitops_ocm.preview.model import Preview, Share

_FIRST = 12
_MOST = 2_000


def radius(found: Preview) -> Markup:
    """The bars; nothing where nobody is touched."""
    shares = [share for share in found.shares if share.touched or not share.name]
    if not any(share.touched for share in shares):
        return NOTHING
    first = tag("ul", map(_bar, shares[:_FIRST]), class_="bars")
    rest = shares[_FIRST:_MOST]
    more = tag("ul", map(_bar, rest), class_="bars")
    summary = tag("summary", number_of(len(rest), "more cluster set"))
    parts = [first, tag("details", summary, more) if rest else NOTHING]
    if over := len(shares[_MOST:]):
        parts.append(tag("p", f"… and {number_of(over, 'more cluster set')}", class_="more"))
    if any(share.touched > share.at_once > 0 for share in shares):
        parts.append(
            tag("p", "The lower part is what one moment gives something to, at most.", class_="note")
        )
    if untouched := len(found.shares) - len(shares):
        parts.append(tag("p", f"{number_of(untouched, 'cluster set')} untouched", class_="note"))
    return section("radius", "Blast radius", joined(*parts))


def _bar(share: Share) -> Markup:
    once = f", at most {share.at_once:,} at once" if 0 < share.at_once < share.touched else ""
    numbers = f"{share.touched:,} of {number_of(share.clusters, 'cluster')}{once}"
    name = tag("b", f"set {share.name}" if share.name else "fleet")
    if share.name:
        label = f"Show cluster set {share.name} in the grid"
        name = tag(
            "button", name, type="button", class_="show", data_set=share.name, aria_label=label, disabled=True
        )
    bar = tag(
        "svg",
        tag("rect", class_="track", width="100%", height="100%"),
        tag("rect", class_="touched", width=_wide(share.touched, share.clusters), height="100%"),
        tag("rect", class_="once", width=_wide(share.at_once, share.clusters), y="60%", height="40%")
        if once
        else NOTHING,
        class_="bar",
        aria_hidden="true",
    )
    full = " all" if share.touched >= share.clusters else ""
    part = tag("span", percent(share.touched, share.clusters), class_="percent")
    return tag("li", name, bar, part, tag("span", numbers, class_="numbers"), class_=f"share{full}")


def _wide(part: int, whole: int) -> str:
    return f"{min(100.0, max(0.5, 100 * part / whole)):.4g}%" if part and whole else "0"

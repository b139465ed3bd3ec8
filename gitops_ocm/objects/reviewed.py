"""What differs between two objects, as somebody who reviews a change wants to read it.

    reviewed(old, new) -> differences

Beside what `diff` does: entries of lists are known by their names where they have any, so that one more at
the front is one difference; nulls say nothing; and a changed secret shows as changed at any depth, whether it
is a Secret inside of a work or a variable that is called so. What is returned never has the value of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_ocm.objects.diff import ABSENT, LAST_APPLIED, MASK, Difference, masked, without_noise
from gitops_ocm.objects.paths import dotted

_KEYS = r"password|passwd|passphrase|token|(private|api|access)[-_.]?key"
_KEY = re.compile(rf"({_KEYS})$", re.IGNORECASE)
"""How a field is called whose text is nobody's business; one ending in `secret` mostly names an object."""
_CREDENTIAL = re.compile(rf"({_KEYS}|secret|credentials?)$", re.IGNORECASE)
"""How a variable is called whose value is nobody's business."""
_USER = re.compile(r"(?<=://)[^/@\s]+(?=@)")
"""Who logs in, in an address."""
BEFORE, AFTER = f"{MASK} (before)", f"{MASK} (after)"
_SECRET_FIELDS = ("data", "stringData")


def reviewed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Every field of an object that a person would call changed."""
    return differing(without_noise(old), without_noise(new))


def differing(old: Any, new: Any) -> list[Difference]:
    """The same of any two values."""
    return list(_walk(old, new, ""))


def shown(value: Any, name: str = "") -> Any:
    """A value for people: what is in Secrets, and what is called a secret, is masked."""
    if value is ABSENT:
        return value
    return _plain(masked(value) if not _CREDENTIAL.search(name) else MASK if value else value)


def told_apart(old: Any, new: Any, before: Any, after: Any) -> tuple[Any, Any]:
    """`before` and `after` are how two values are shown: what would look the same there, and is not, is
    marked.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        left, right = dict(before), dict(after)
        for key in before.keys() & after.keys():
            left[key], right[key] = told_apart(old[key], new[key], before[key], after[key])
        return left, right
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = [told_apart(*each) for each in zip(old, new, before, after, strict=True)]
        return [was for was, _ in pairs], [now for _, now in pairs]
    if isinstance(before, str) and before == after and old != new:
        return f"{before} (before)", f"{after} (after)"
    return before, after


def _plain(value: Any) -> Any:
    """Without the credentials that names and addresses give away."""
    match value:
        case str():
            return _USER.sub(MASK, value) if "://" in value else value
        case list():
            return [_plain(item) for item in value]
        case {"name": str(name), "value": str()} if _CREDENTIAL.search(name):
            return {**value, "value": MASK}
        case Mapping():
            return {key: MASK if _is_key(key, item) else _plain(item) for key, item in value.items()}
    return value


def _is_key(name: str, value: Any) -> bool:
    """An object as it was applied once holds whatever is masked beside it."""
    return isinstance(value, str) and (name == LAST_APPLIED or _KEY.search(name) is not None)


def _walk(old: Any, new: Any, at: str, *, secret: bool = False) -> Iterator[Difference]:
    if old is new or _same(old, new):
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _maps(old, new, at, secret)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(old, new, at, secret)
    elif (was := _said(old)) is not (now := _said(new)):
        yield _difference(at, was, now, secret)


def _same(old: Any, new: Any) -> bool:
    """Whether two values are equal to a server: Python takes `True` for 1, at any depth."""
    if type(old) is not type(new) or old != new:
        return False
    return isinstance(old, str) or repr(old) == repr(new)  # In another order they are walked.


def _said(value: Any) -> Any:
    return ABSENT if value is None else value


def _difference(at: str, old: Any, new: Any, secret: bool) -> Difference:
    if secret:
        return Difference(at, *_veiled(old, new))
    before, after = shown(old), shown(new)
    if before == after and type(before) is type(after):  # What differs may not be shown.
        return Difference(at, BEFORE, AFTER)
    return Difference(at, before, after)


def _veiled(old: Any, new: Any) -> tuple[Any, Any]:
    """That there is a secret, and that it is another."""
    return (_hidden(old), _hidden(new)) if old is ABSENT or new is ABSENT else (BEFORE, AFTER)


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict.fromkeys(value, MASK)
    return value if value is ABSENT else MASK


def _maps(old: Mapping[str, Any], new: Mapping[str, Any], at: str, secret: bool) -> Iterator[Difference]:
    of_secret = _is_secret(old) or _is_secret(new)
    named = str(new.get("name") or old.get("name") or "")
    for key in [*new, *(k for k in old if k not in new)]:
        hidden = secret or (of_secret and key in _SECRET_FIELDS)
        hidden = hidden or (key == "value" and _CREDENTIAL.search(named) is not None)
        was, now = old.get(key, ABSENT), new.get(key, ABSENT)
        hidden = hidden or _is_key(key, was) or _is_key(key, now)
        yield from _walk(was, now, _below(at, key), secret=hidden)


def _is_secret(value: Mapping[str, Any]) -> bool:
    return value.get("kind") == "Secret" and value.get("apiVersion") == "v1"


def _below(at: str, key: str) -> str:
    step = dotted((key,))
    return f"{at}{'.' if at and not step.startswith('[') else ''}{step}"


def _lists(old: Sequence[Any], new: Sequence[Any], at: str, secret: bool) -> Iterator[Difference]:
    was, now = by_name(old), by_name(new)
    if was is None or now is None:
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else ABSENT
            after = new[index] if index < len(new) else ABSENT
            yield from _walk(before, after, f"{at}[{index}]", secret=secret)
        return
    for name in [*now, *(n for n in was if n not in now)]:
        yield from _walk(was.get(name, ABSENT), now.get(name, ABSENT), f"{at}[{name}]", secret=secret)
    before, after = [n for n in was if n in now], [n for n in now if n in was]
    if before != after:
        yield Difference(at, before, after)


def by_name(items: Sequence[Any]) -> dict[str, Any] | None:
    """The entries of a list by what they are called; None where not all of them have a name of their own."""
    found = {name: item for item in items if (name := _name(item))}
    return found if len(found) == len(items) else None


def _name(item: Any) -> str:
    """`Deployment web/app` for a manifest, else its name."""
    if not isinstance(item, Mapping):
        return ""
    meta = item.get("metadata")
    if item.get("kind") and isinstance(meta, Mapping) and meta.get("name"):
        namespace = meta.get("namespace")
        return f"{item['kind']} {f'{namespace}/' if namespace else ''}{meta['name']}"
    name = item.get("name")
    return name if isinstance(name, str) else ""

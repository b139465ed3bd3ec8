"""Which form of an answer a client takes, and what form its body came in.

JSON and YAML are spoken of every kind, protobuf of the built-in ones: a client that would rather have a
custom kind in protobuf gets JSON where it accepts that too, else 406.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from gitops_ocm.apiserver.bodies import Body, Unreadable, duplicates, read_json, read_yaml
from gitops_ocm.apiserver.protobuf import MEDIA, Broken, decode_protobuf
from gitops_ocm.apiserver.protobuf_encode import encode_protobuf
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.faults import ApiError, bad_request

JSON_MEDIA, YAML_MEDIA = "application/json", "application/yaml"
SERVED = f"{JSON_MEDIA}, {YAML_MEDIA}, {MEDIA}"
STREAMED = f"{JSON_MEDIA};stream=watch, {MEDIA};stream=watch"
COLLECTION = f"{SERVED}, {STREAMED}"


@dataclass(frozen=True, slots=True)
class Form:
    """What to answer with: the media type, and the kind it is transformed to (`Table`, ...)."""

    media: str = JSON_MEDIA
    kind: str = ""
    group: str = ""
    version: str = ""

    @property
    def stream(self) -> str:
        """The `Content-Type` of a watch in this form."""
        return self.media if self.media == JSON_MEDIA else f"{self.media};stream=watch"

    def discovery(self) -> bool:
        """Whether the aggregated discovery document is asked for."""
        return self.kind == "APIGroupDiscoveryList"


PLAIN = Form()
_TRANSFORMS = {
    "Table": ("meta.k8s.io", ("v1", "v1beta1")),
    "PartialObjectMetadata": ("meta.k8s.io", ("v1", "v1beta1")),
    "PartialObjectMetadataList": ("meta.k8s.io", ("v1", "v1beta1")),
    "APIGroupDiscoveryList": ("apidiscovery.k8s.io", ("v2",)),
}
OF_RESOURCES = frozenset(_TRANSFORMS) - {"APIGroupDiscoveryList"}
OF_DISCOVERY = frozenset({"APIGroupDiscoveryList"})


@lru_cache(maxsize=256)
def check_accept(accept: str, offered: str = SERVED) -> None:
    """406 where `accept` names none of the media types offered.

    This comes before `negotiate`, and knows no more than the types themselves: neither `application/*` nor
    a quality of 0, for a kube-apiserver's router knows neither.
    """
    types = {clause.partition(";")[0].strip() for clause in accept.split(",")}
    if accept and not types & {"*/*", *offered.split(", ")}:
        text = f"406: Not Acceptable\n\nAvailable representations: {offered}"
        raise ApiError("NotAcceptable", text, details={})


@lru_cache(maxsize=256)
def negotiate(
    accept: str, *, protobuf: bool = False, stream: bool = False, kinds: frozenset[str] = OF_RESOURCES
) -> Form:
    """The first form in `accept` (by quality, then order) that is served; 406 where none is.

    `protobuf`: whether what is asked for has that form. `stream`: a watch, which YAML cannot be. `kinds` are
    what it can be transformed to.
    """
    for media, parameters in _ranked(accept):
        form = None if stream and media == YAML_MEDIA else _form(media, parameters, protobuf)
        if form is not None and (not form.kind or form.kind in kinds):
            return form
    known = STREAMED if stream else SERVED
    raise ApiError("NotAcceptable", f"only the following media types are accepted: {known}")


def _ranked(accept: str) -> Iterator[tuple[str, dict[str, str]]]:
    clauses = []
    for at, clause in enumerate(accept.split(",")):
        media, *rest = (part.strip() for part in clause.split(";"))
        parameters = dict(part.partition("=")[::2] for part in rest)
        try:
            quality = float(parameters.pop("q", "1"))
        except ValueError:
            quality = 1.0
        clauses.append((-quality, at, media.lower(), parameters))
    for _, _, media, parameters in sorted(clauses, key=lambda c: c[:2]):
        yield media, parameters


def _form(media: str, parameters: dict[str, str], protobuf: bool) -> Form | None:
    if media in ("", "*/*", "application/*"):
        media = JSON_MEDIA
    if media not in (JSON_MEDIA, YAML_MEDIA) and not (protobuf and media == MEDIA):
        return None
    kind = parameters.get("as", "")
    if media == MEDIA and kind and not kind.startswith("PartialObjectMetadata"):
        return None  # the rows of a Table are of any type, which protobuf cannot say
    if not kind:
        return Form(media)
    group, versions = _TRANSFORMS.get(kind, ("", ()))
    if parameters.get("g") != group or parameters.get("v") not in versions:
        return None
    return Form(media, kind, group, parameters["v"])


def form_of_error(accept: str) -> Form:
    """The form of an error: what the client takes, or JSON."""
    try:
        return Form(negotiate(accept, protobuf=True).media)
    except ApiError:
        return PLAIN


def encode(document: Any, form: Form, *, pretty: bool = False) -> bytes:
    """A document in the form's media type."""
    if form.media == MEDIA:
        return encode_protobuf(document)
    if form.media == YAML_MEDIA:
        from gitops_ocm.apiserver.yaml_answers import to_yaml

        return to_yaml(document)
    return _laid_out(document) + b"\n" if pretty else orjson.dumps(document)


def _laid_out(document: Any) -> bytes:
    """JSON for people. Items are laid out one by one: nobody could come between if all were at once."""
    items = document.get("items") if isinstance(document, dict) else None
    if not items or not isinstance(items, list):
        # Decoded again, because pieces that are JSON already would be left as they are.
        return orjson.dumps(orjson.loads(orjson.dumps(document)), option=orjson.OPT_INDENT_2)
    before, empty, after = _laid_out({**document, "items": []}).rpartition(b'"items": []')
    lines = (b"    " + _laid_out(item).replace(b"\n", b"\n    ") for item in items)
    return before + empty[:-1] + b"\n" + b",\n".join(lines) + b"\n  ]" + after


def decode(body: bytes, content_type: str) -> Body:
    """A request's body; 415 for a media type that is not read, `Unreadable` for nonsense."""
    media = content_type.partition(";")[0].strip().lower() or JSON_MEDIA
    if media == MEDIA:
        try:
            return Body(decode_protobuf(body))
        except Broken as problem:
            raise Unreadable(str(problem)) from None
    if media == YAML_MEDIA:
        return read_yaml(body)
    if media != JSON_MEDIA:
        raise _unsupported(f"{JSON_MEDIA}, {YAML_MEDIA}, {MEDIA}")
    value = read_json(body)
    return Body(value, duplicates(body, value))


def decode_patch(body: bytes, kind: PatchType) -> Any:
    """The body of a PATCH, with the words for a bad one that each kind of patch has."""
    try:
        if kind is PatchType.APPLY:
            return read_yaml(body).value
        return read_json(body)
    except Unreadable as problem:
        raise bad_request(_OF_PATCH[kind] + str(problem)) from None


_OF_PATCH = {
    PatchType.APPLY: "error decoding YAML: error converting YAML to JSON: ",
    PatchType.JSON: "error decoding patch: ",
    PatchType.MERGE: "error decoding patch: ",
    PatchType.STRATEGIC: "",
}


def patch_type(content_type: str) -> PatchType:
    """The type of a PATCH; 415 for one that is unknown."""
    try:
        return PatchType(content_type.partition(";")[0].strip())
    except ValueError:
        raise ApiError("UnsupportedMediaType", "415: Unsupported Media Type", details={}) from None


def _unsupported(known: str) -> ApiError:
    return ApiError(
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: " + known,
    )

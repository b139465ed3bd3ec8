"""How a CustomResourceDefinition may say that its versions are converted.

Where the webhook of a conversion is; whether anybody answers there is not asked. The rest of a definition is
`crd_checks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.names import dns1035_problems, subdomain_problems

_STRATEGIES = ("None", "Webhook")
_REVIEWS = ("v1", "v1beta1")
_WHERE = "spec.conversion"
_CLIENT, _VERSIONS = f"{_WHERE}.webhookClientConfig", f"{_WHERE}.conversionReviewVersions"
_FORM = "; desired format: https://host[/path]"
_LAST_PORT = 65535


def conversion_causes(conversion: Mapping[str, Any]) -> Iterator[Cause]:
    """Everything at fault with a conversion."""
    strategy = conversion.get("strategy") or ""
    webhook = conversion.get("webhook")
    client = (webhook or {}).get("clientConfig")
    reviews = (webhook or {}).get("conversionReviewVersions") or []
    if not strategy:
        yield _required(f"{_WHERE}.strategy")
    elif strategy not in _STRATEGIES:
        known = ", ".join(f'"{name}"' for name in _STRATEGIES)
        shown = canonical_json(strategy).decode()
        text = f"Unsupported value: {shown}: supported values: {known}"
        yield Cause("FieldValueNotSupported", text, f"{_WHERE}.strategy")
    if strategy == "Webhook":
        yield from _client(client)
        yield from review_causes(reviews, _VERSIONS)
        return
    for field, found in ((_CLIENT, client), (_VERSIONS, reviews)):
        if found:
            text = "Forbidden: should not be set when strategy is not set to Webhook"
            yield Cause("FieldValueForbidden", text, field)


def _client(client: Mapping[str, Any] | None) -> Iterator[Cause]:
    if client is None:
        yield _required(_CLIENT, "required when strategy is set to Webhook")
    else:
        yield from client_causes(client, _CLIENT)


def client_causes(client: Mapping[str, Any], where: str) -> Iterator[Cause]:
    """Everything at fault with where a webhook is said to be."""
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        yield _required(where, "exactly one of url or service is required")
    elif url is not None:
        yield from _url(url, f"{where}.url")
    elif service is not None:
        yield from _service(service, f"{where}.service")


def _url(url: str, where: str) -> Iterator[Cause]:
    parts = urlsplit(url)
    if parts.scheme != "https":
        yield _invalid(where, parts.scheme, f"'https' is the only allowed URL scheme{_FORM}")
    if not parts.netloc.rpartition("@")[2]:
        yield _invalid(where, "", f"host must be specified{_FORM}")
    user = parts.netloc.rpartition("@")[0]
    for found, what in (
        (user, "user information is"),
        (parts.fragment, "fragments are"),
        (parts.query, "query parameters are"),
    ):
        if found:
            yield _invalid(where, found, f"{what} not permitted in the URL")


def _service(service: Mapping[str, Any], where: str) -> Iterator[Cause]:
    # What a server calls the name here is the namespace, and the other way round.
    for field, name in (("name", "namespace"), ("namespace", "name")):
        if not service.get(name):
            yield _required(f"{where}.{field}")
    port = service.get("port")
    if port is not None and not 1 <= port <= _LAST_PORT:
        yield _invalid(
            f"{where}.port", port, f"port is not valid: must be between 1 and {_LAST_PORT}, inclusive"
        )
    path = service.get("path") or "/"
    if path == "//":
        yield _invalid(f"{where}.path", path, "segment[0] may not be empty")
    elif path != "/":
        yield from _path(path, f"{where}.path")


def _path(path: str, where: str) -> Iterator[Cause]:
    if not path.startswith("/"):
        yield _invalid(where, path, "must start with a '/'")
    for at, step in enumerate(path[1:].removesuffix("/").split("/")):
        problems = subdomain_problems(step) if step else ["may not be empty"]
        between = ": " if step else " "
        yield from (_invalid(where, path, f"segment[{at}]{between}{problem}") for problem in problems)


def review_causes(versions: Sequence[str], where: str, missing: str = "") -> Iterator[Cause]:
    """Everything at fault with the versions of reviews that a webhook understands."""
    if not versions:
        yield _required(where, missing)
        return
    for at, version in enumerate(versions):
        if version in versions[:at]:
            yield _invalid(f"{where}[{at}]", version, "duplicate version")
        else:
            found = dns1035_problems(version)
            yield from (_invalid(f"{where}[{at}]", version, problem) for problem in found)
    if not set(_REVIEWS) & {*versions}:
        yield _invalid(where, list(versions), f"must include at least one of {', '.join(_REVIEWS)}")


def _required(field: str, why: str = "") -> Cause:
    return Cause("FieldValueRequired", f"Required value: {why}" if why else "Required value", field)


def _invalid(field: str, value: Any, why: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {canonical_json(value).decode()}: {why}", field)

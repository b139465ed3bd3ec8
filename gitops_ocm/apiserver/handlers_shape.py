"""Which paths and methods a resource has; anything else is a 404, 405 or 400 before anything is done."""

from __future__ import annotations

from gitops_ocm.apiserver.handlers_system import NoSuchPath, no_such_resource
from gitops_ocm.apiserver.request_info import RequestInfo
from gitops_ocm.apiserver.subresources import verbs_of
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError, bad_request, not_found
from gitops_ocm.objects.names import path_problems

_ON_COLLECTIONS = ("list", "watch", "deletecollection")


def check_shape(info: RequestInfo, served: Served, method: str) -> None:
    """404 or 405 for a path or method that this resource does not have."""
    if method == "HEAD" and not served.custom:
        raise not_allowed()
    if info.name:
        check_path_name(info.name)
    _check_path(info, served)
    _check_method(info, served, method)


def _check_path(info: RequestInfo, served: Served) -> None:
    resource = served.resource
    if info.name and resource.verbs == {"create"}:
        raise no_such_resource()
    if info.subresource and info.subresource not in resource.subresources:
        raise not_found(resource.group, resource.plural, info.name) if served.custom else no_such_resource()
    in_namespace = _in_namespace(info)
    if in_namespace and not resource.namespaced:
        raise NoSuchPath if served.custom else no_such_resource()
    if resource.namespaced and not in_namespace and info.name and info.verb not in _ON_COLLECTIONS:
        raise no_such_resource()


def _check_method(info: RequestInfo, served: Served, method: str) -> None:
    resource = served.resource
    if resource.namespaced and not _in_namespace(info) and info.verb not in ("list", "watch"):
        raise NoSuchPath if served.custom else not_allowed()
    if method not in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        raise not_allowed()
    if info.subresource:
        allowed = info.verb in verbs_of(info.subresource)
    else:
        fits = bool(info.name) is not (info.verb == "create") or info.verb in _ON_COLLECTIONS
        allowed = fits and info.verb in resource.verbs
    if not allowed:
        raise not_allowed()


def _in_namespace(info: RequestInfo) -> bool:
    """Whether the path is inside a namespace; that of a namespace itself is not."""
    return bool(info.namespace) and not (info.plural == "namespaces" and not info.group)


def check_path_name(name: str) -> None:
    """400 for a name that no path can carry on to the store."""
    for problem in path_problems(name):
        raise bad_request(f'Name parameter invalid: "{name}": {problem}')


def not_allowed() -> ApiError:
    """405."""
    return ApiError(
        "MethodNotAllowed", "the server does not allow this method on the requested resource", details={}
    )

"""What the commands share that install, join and remove: their options, and how they run and end.

They end as clusteradm's do: 0 done, 1 not. A command line that cannot be read is 2, as everywhere here.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gitops_ocm.cli.flags import switch, verbosity_option
from gitops_ocm.cli.options import connection_of, kubeconfig_options, together

if TYPE_CHECKING:
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.kube.identity import Connection
    from gitops_ocm.objects.ref import Object
    from gitops_ocm.operator.install import OperatorOptions
    from gitops_ocm.verbs.voice import Voice
    from gitops_ocm.verbs.waiting import Patience

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

FILE = click.Path(path_type=Path, dir_okay=False)


class Names(click.ParamType[tuple[str, ...]]):
    """Several names by commas."""

    name = "names"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """The names, without blanks."""
        if isinstance(value, tuple):
            return value
        return tuple(part.strip() for part in str(value).split(",") if part.strip())


def names_option(*declarations: str, metavar: str, help: str) -> Callable[[F], F]:
    """An option for several names: by commas, or given several times."""
    return click.option(*declarations, type=Names(), multiple=True, metavar=metavar, help=help)


def flat(given: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """What such an option came to."""
    return tuple(name for names in given for name in names)


def timeout_option(command: F) -> F:
    """`--timeout`; `patience_of` reads it."""
    return click.option(
        "--timeout",
        type=click.FloatRange(min=0),
        default=300,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait, for each thing waited for.",
    )(command)


def verb_options(command: F) -> F:
    """`--kubeconfig`, `--context`, `--dry-run`, `--timeout`, `-v`."""
    command = timeout_option(command)
    command = switch("--dry-run", help="Change nothing: have the server check what would be done.")(command)
    return kubeconfig_options(verbosity_option(command))


image_options = together(
    click.option("--image", default="", metavar="NAME", help="The image, whole; instead of the next three."),
    click.option(
        "--image-registry",
        default="",
        metavar="REGISTRY",
        help="Where the image is.  [default: none, a local image]",
    ),
    click.option("--bundle-version", default="default", show_default=True, help="The version of the image."),
    click.option(
        "--bundle-version-overrides",
        type=FILE,
        metavar="FILE",
        help='A JSON file with the version: {"ocm": "…"}.',
    ),
)
"""Which image runs, and how it is pulled; `operator_options` reads them."""


install_options = together(
    image_options,
    click.option(
        "--image-pull-credential-file",
        type=FILE,
        metavar="FILE",
        help="A .dockerconfigjson for the registry.",
    ),
    click.option(
        "--resource-qos-class",
        default="Default",
        show_default=True,
        metavar="CLASS",
        help="Default, BestEffort or ResourceRequirement.",
    ),
    click.option("--resource-limits", multiple=True, metavar="NAME=QUANTITY,…", help="cpu=800m,memory=800Mi"),
    click.option(
        "--resource-requests", multiple=True, metavar="NAME=QUANTITY,…", help="cpu=500m,memory=500Mi"
    ),
    switch("--create-namespace", default=True, help="Make the namespaces that are needed."),
    switch(
        "--enable-sync-labels",
        expose_value=False,
        help="Copy the labels of a ClusterManager or Klusterlet to what it owns, which is always done.",
    ),
    click.option("--output-file", type=FILE, metavar="FILE", help="Save what is applied (secrets included)."),
)
"""Image, pull secret, resources, namespaces, and a file for what is applied."""


def image_from(options: dict[str, Any]) -> str:
    """The image that the options name."""
    from gitops_ocm.verbs.images import image_of

    return options["image"] or image_of(
        options["image_registry"], options["bundle_version"], options["bundle_version_overrides"]
    )


def operator_options(options: dict[str, Any]) -> OperatorOptions:
    """How the operator is to be installed."""
    from gitops_ocm.operator.install import OperatorOptions
    from gitops_ocm.verbs.spec_options import pairs, read_file, resource_requirement

    file = options["image_pull_credential_file"]
    return OperatorOptions(
        image=image_from(options),
        create_namespace=options["create_namespace"],
        pull_credentials=read_file(file, "image pull credential file") if file else b"",
        resource_requirement=resource_requirement(
            options["resource_qos_class"],
            pairs(options["resource_limits"], "--resource-limits"),
            pairs(options["resource_requests"], "--resource-requests"),
        ),
    )


def patience_of(options: dict[str, Any]) -> Patience:
    """How long to wait."""
    from gitops_ocm.verbs.waiting import Patience

    return Patience(options["timeout"])


def perform(
    options: dict[str, Any],
    work: Callable[[HttpCluster, Connection, Voice], Awaitable[T]],
    *,
    quiet: bool = False,
) -> T:
    """Carry a verb out on the cluster that the options name, and return what came of it; or exit with 1.

    `quiet` keeps what the verb says from standard output, where a machine reads the result.
    """
    from gitops_ocm.cli.console import err, out
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.runtime.log import configure
    from gitops_ocm.verbs.voice import Voice

    configure(level="error", json=False)  # what is worth telling, verbs tell themselves
    note = _plain(err().print)
    voice = Voice(say=note if quiet else _plain(out().print), note=note)

    async def connected() -> T:
        at = connection_of(options["kubeconfig"], options["context"])
        cluster = HttpCluster(at)
        try:
            return await work(cluster, at, voice)
        finally:
            await cluster.close()

    with failing():
        return asyncio.run(connected())


@contextmanager
def failing() -> Iterator[None]:
    """An error ends the command with 1."""
    from gitops_ocm.cli.console import print_error
    from gitops_ocm.errors import GitopsError

    try:
        yield
    except GitopsError as error:
        print_error(error)
        raise click.exceptions.Exit(1) from None


async def within(limit: float | None, work: Awaitable[T]) -> T:
    """What comes of the work, if it does in so many seconds; None sets no limit."""
    from gitops_ocm.verbs.voice import WaitError

    try:
        async with asyncio.timeout(limit):
            return await work
    except TimeoutError:
        raise WaitError(
            f"not done within {limit:g} s", hint="look whether the server answers; --timeout gives it longer"
        ) from None


def _plain(write: Callable[..., None]) -> Callable[[str], None]:
    return lambda text: write(text, markup=False)


def save_applied(path: Path | None, applied: list[Object]) -> None:
    """Write what was applied, for the eyes of the owner only: bootstrap credentials are in it."""
    if path is not None:
        from gitops_ocm.report.yaml_text import to_yaml

        write_private(path, "---\n".join(to_yaml(obj) for obj in applied).encode())


def write_private(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file that nobody else can read, also where it was there before."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)

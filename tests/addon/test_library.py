"""What an author may say of an add-on, and what becomes of what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gitops_ocm import addon
from gitops_ocm.addon.command import commands
from gitops_ocm.decide.addons.config_objects import spec_hash
from gitops_ocm.decide.contract import MergePatch
from gitops_ocm.decide.kinds import DEPLOYMENT_CONFIG, ROLE, ROLE_BINDING
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.testing import objects as make
from tests.addon.authored import ADDON, NAME, Authored

OWN = f"c1/addon-{NAME}-deploy-0"


class Settings(addon.Config):
    """What may be set in these tests."""

    greeting: str = "hello"
    replicas: int = 1


def greeting(request: addon.Request[Settings]) -> list[addon.Manifest]:
    """A ConfigMap that says what was set."""
    data = {"k": f"{request.config.greeting} {request.config.replicas} {request.namespace}"}
    return [make.config_map("m", "ns", data)]


def said(hub: Authored) -> str:
    """What the ConfigMap in the work says."""
    work = next(iter(hub.simulation.hub.list(_WORKS)))
    return str(work["spec"]["workload"]["manifests"][0]["data"]["k"])


_WORKS = Ref("work.open-cluster-management.io", "ManifestWork", "", "").of
HOME = "open-cluster-management-agent-addon"


def test_settings_come_from_the_configuration_over_the_annotation_over_the_defaults() -> None:
    """Each field by itself, whatever its name's case; where the agent runs the configuration says too."""
    hub = Authored(addon.Addon(NAME, greeting, config=Settings), values='{"greeting": "hi", "REPLICAS": 2}')
    assert said(hub) == f"hi 2 {HOME}"
    hub.configure(GREETING="hey")
    assert said(hub) == f"hey 2 {HOME}"
    ref = Ref(*DEPLOYMENT_CONFIG, "fleet", NAME)
    hub.act(MergePatch(ref, {"spec": {"agentInstallNamespace": "there", "customizedVariables": None}}))
    assert said(hub) == "hi 2 there"
    assert (hub.addon or {})["status"]["namespace"] == "there"


def test_the_manager_says_what_a_configuration_hashes_to() -> None:
    """In the status, with the generation; the work carries it, so that a rollout sees it through."""
    hub = Authored(addon.Addon(NAME, greeting, config=Settings))
    hub.configure(REPLICAS="3")
    config = hub.simulation.hub.get(Ref(*DEPLOYMENT_CONFIG, "fleet", NAME))
    assert config is not None
    (reference,) = (hub.addon or {})["status"]["configReferences"]
    assert reference["desiredConfig"]["specHash"] == spec_hash(config)
    assert reference["lastObservedGeneration"] == 1
    hub.report(OWN, ("configmaps", "m", {"x": "1"}))
    (reference,) = (hub.addon or {})["status"]["configReferences"]
    assert reference.get("lastAppliedConfig") is None  # the work's conditions tell no generation
    work = next(iter(hub.simulation.hub.list(_WORKS)))
    assert spec_hash(config) in work["metadata"]["annotations"]["open-cluster-management.io/config-spec-hash"]


def _raising(request: addon.Request[Any]) -> Iterable[addon.Manifest]:
    raise KeyError("nothing")


WRONG: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    "an exception": (_raising, "the add-on's manifests failed: KeyError: 'nothing'"),
    "no object": (lambda r: ["text"], "manifest 0 of the add-on is no object"),
    "no name": (
        lambda r: [{"apiVersion": "v1", "kind": "X", "metadata": {}}],
        "manifest 0 of the add-on is no object",
    ),
    "its own error": (lambda r: _fail("the moon is full"), "the moon is full"),
}


def _fail(message: str) -> list[addon.Manifest]:
    raise addon.AddonError(message)


@pytest.mark.parametrize("case", WRONG)
def test_what_a_manifest_function_does_wrong_is_told(case: str) -> None:
    """In the condition ManifestApplied, with an event; nothing is deployed."""
    manifests, why = WRONG[case]
    hub = Authored(addon.Addon(NAME, manifests))
    told = f"failed to get manifest from agent interface: {why}"
    assert hub.says("ManifestApplied") == ("False", "ManifestWorkApplyFailed", told)
    assert hub.works() == {}


SET_WRONG: Mapping[str, tuple[dict[str, str], str]] = {
    "of another type": ({"REPLICAS": "many"}, "replicas: Input should be a valid integer"),
    "unknown": ({"COLOUR": "red"}, "COLOUR: Extra inputs are not permitted"),
}


@pytest.mark.parametrize("case", SET_WRONG)
def test_wrong_settings_are_told(case: str) -> None:
    """And what was deployed before stays."""
    given, why = SET_WRONG[case]
    hub = Authored(addon.Addon(NAME, greeting, config=Settings))
    hub.configure(**given)
    status, _, message = hub.says("ManifestApplied") or ("", "", "")
    assert status == "False"
    assert f"the add-on's settings are wrong: {why}" in message
    assert said(hub).startswith("hello")


@pytest.mark.parametrize("text", ["{", "[]", '"x"'])
def test_an_annotation_that_is_no_object_is_told(text: str) -> None:
    """The annotation with values has to be a JSON object."""
    hub = Authored(addon.Addon(NAME, greeting, config=Settings), values=text)
    assert "the annotation addon.open-cluster-management.io/values is no JSON" in str(
        hub.says("ManifestApplied")
    )


def test_access_to_the_hub() -> None:
    """A registration, and a Role and RoleBinding with the author's rules for exactly that subject."""
    rule = addon.Rule("", ("configmaps",), ("get",), ("one",))
    hub = Authored(addon.Addon(NAME, greeting, config=Settings, hub_access=addon.HubAccess((rule,))))
    name = f"open-cluster-management:{NAME}:agent"
    role, binding = (hub.simulation.hub.get(Ref(*kind, "c1", name)) for kind in (ROLE, ROLE_BINDING))
    assert role is not None
    assert binding is not None
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"], "resourceNames": ["one"]}
    ]
    (registration,) = (hub.addon or {})["status"]["registrations"]
    subject = registration["kubeClient"]["subject"]
    assert [s["name"] for s in binding["subjects"]] == [subject["user"], *subject["groups"]]


def test_signers_are_registered() -> None:
    """With the subject that the author names, or the agent's own."""
    signers = [addon.Signer("example.com/a", "ns", "ca", user="u"), addon.Signer("example.com/b", "ns", "ca")]
    hub = Authored(addon.Addon(NAME, greeting, config=Settings, signers=signers))
    found = (hub.addon or {})["status"]["registrations"]
    users = [each["customSigner"]["subject"]["user"] for each in found]
    own = f"system:open-cluster-management:cluster:c1:addon:{NAME}:agent:{NAME}"
    assert users == ["u", own]


def test_an_add_on_of_another_name_is_left_alone() -> None:
    """A manager looks after its own add-ons only."""
    hub = Authored(addon.Addon("another", greeting, config=Settings))
    assert (hub.works(), hub.says("RegistrationApplied")) == ({}, None)
    assert ADDON.name == NAME


# --- folders ----------------------------------------------------------------------------------------


def request(**fields: Any) -> addon.Request[Settings]:
    """A request of a cluster."""
    return addon.Request("c1", NAME, "home", Settings(**fields))


def test_a_folder_of_manifests_is_filled_in(tmp_path: Path) -> None:
    """In the order of the files, numbers as numbers."""
    (tmp_path / "b.yml").write_text("apiVersion: v1\nkind: B\nmetadata: {name: '{{CLUSTER_NAME}}'}\n")
    text = "apiVersion: v1\nkind: A\nmetadata: {name: a, namespace: {{INSTALL_NAMESPACE}}}\n"
    (tmp_path / "a.yaml").write_text(f"{text}replicas: {{{{ REPLICAS }}}}\n---\n{text}")
    (tmp_path / "notes.txt").write_text("{{NOTHING}}")
    found = addon.folder(tmp_path)(request(replicas=3))
    assert [m["kind"] for m in found] == ["A", "A", "B"]
    assert (found[0]["replicas"], found[0]["metadata"]["namespace"]) == (3, "home")
    assert found[2]["metadata"]["name"] == "c1"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: 1\nb: {{NOTHING}}\n", "x.yaml:2: {{NOTHING}} has no value"),
        ("a: [1\n", "x.yaml:"),
    ],
    ids=["unknown", "broken"],
)
def test_a_folder_s_faults_name_file_and_line(tmp_path: Path, text: str, why: str) -> None:
    """Unlike in an AddOnTemplate, a name without a value is an error."""
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(addon.AddonError) as caught:
        addon.folder(tmp_path)(request())
    assert caught.value.message.startswith(why)


def test_a_folder_without_manifests_is_an_error(tmp_path: Path) -> None:
    """When the add-on is made, not when it is deployed."""
    with pytest.raises(GitopsError, match="there are no manifests"):
        addon.folder(tmp_path)


# --- the program ------------------------------------------------------------------------------------


def test_the_program_shows_manifests_and_rights() -> None:
    """Without a hub: for a cluster with settings, and what the manager has to be allowed."""
    rule = addon.Rule("example.com", ("things",), ("get",))
    signer = addon.Signer("example.com/s", "ns", "ca")
    author = addon.Addon(
        NAME, greeting, config=Settings, hub_access=addon.HubAccess((rule,)), signers=[signer]
    )
    program = commands(author)
    shown = CliRunner().invoke(program, ["render", "--cluster", "c7", "--set", "GREETING=hey"])
    assert (shown.exit_code, f"k: hey 1 {HOME}" in shown.output) == (0, True)
    refused = CliRunner().invoke(program, ["render", "--set", "COLOUR=red"])
    assert (refused.exit_code, "COLOUR" in refused.output) == (1, True)
    rights = CliRunner().invoke(program, ["rights", "--namespace", "home"])
    assert (rights.exit_code, "namespace: home" in rights.output) == (0, True)


def test_rights_are_no_more_than_is_used() -> None:
    """Nothing of RBAC but bindings where there is no access; the signers and CAs by name."""
    plain = _rules(addon.rights(addon.Addon(NAME, greeting, config=Settings)))
    assert not {"signers", "secrets", "roles"} & {r for rule in plain for r in rule["resources"]}
    signer = addon.Signer("example.com/s", "ns", "ca")
    signing = _rules(addon.rights(addon.Addon(NAME, greeting, config=Settings, signers=[signer])))
    named = {r: rule.get("resourceNames") for rule in signing for r in rule["resources"]}
    assert (named["signers"], named["secrets"]) == (["example.com/s"], ["ca"])
    assert not any({"escalate", "bind", "*"} & set(rule["verbs"]) for rule in [*plain, *signing])


def test_rights_on_leases() -> None:
    """In the manager's own namespace alone, and but for making them on its own ones: one an add-on."""
    two = [addon.Addon(name, greeting, config=Settings) for name in ("b", "a")]
    found = addon.rights(*two, account="both", namespace="home")
    (role,) = [obj for obj in found if obj["kind"] == "Role"]
    (given,) = [obj for obj in found if obj["kind"] == "RoleBinding"]
    leases = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}
    named = {"resourceNames": ["a-addon-manager", "b-addon-manager"], "verbs": ["get", "update", "watch"]}
    assert role["metadata"] == given["metadata"] == {"name": "both", "namespace": "home"}
    assert role["rules"] == [{**leases, **named}, {**leases, "verbs": ["create"]}]
    assert given["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "both"}


def _rules(objects: list[Object]) -> list[Object]:
    return next(list(obj["rules"]) for obj in objects if obj["kind"] == "ClusterRole")


@pytest.mark.parametrize("name", ["", "Upper", "a.b", "-x", "x" * 64])
def test_a_name_that_is_none(name: str) -> None:
    """Said when the add-on is made."""
    with pytest.raises(GitopsError, match="is no name for an add-on"):
        addon.Addon(name, greeting, config=Settings)

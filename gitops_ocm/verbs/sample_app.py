"""`create sampleapp`: an Argo CD ApplicationSet that puts the guestbook on the clusters of a Placement."""

from __future__ import annotations

from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.verbs.targets import Target
from gitops_ocm.verbs.voice import VerbError, Voice

NAMESPACE = "argocd"


async def create_sample_app(target: Target, voice: Voice, name: str) -> Object:
    """Make the ApplicationSet, or bring it back to what it should be."""
    obj = application_set(name)
    try:
        resource: Resource = await target.resource_of(obj)
    except VerbError as error:
        raise VerbError(
            "this hub has no Argo CD ApplicationSets, which the sample app is made of",
            hint="install Argo CD with its ApplicationSet controller first",
        ) from error
    called = obj["metadata"]["name"]

    def change(there: Object) -> None:
        there["spec"] = obj["spec"]

    if await target.find(resource, called, NAMESPACE):
        await target.edit(resource, called, NAMESPACE, change)
    else:
        await target.create(resource, obj)
    voice.say(f"ApplicationSet {called} is applied in namespace {NAMESPACE}")
    return obj


def application_set(name: str) -> Object:
    """One application for each cluster that the Placement `app-placement` selects."""
    group = "apps.open-cluster-management.io"
    annotations = {
        "argocd.argoproj.io/skip-reconcile": "true",
        f"{group}/ocm-managed-cluster": "{{name}}",
        f"{group}/ocm-managed-cluster-app-namespace": NAMESPACE,
    }
    selected = {"matchLabels": {"cluster.open-cluster-management.io/placement": "app-placement"}}
    decisions = {
        "configMapRef": "ocm-placement-generator",
        "labelSelector": selected,
        "requeueAfterSeconds": 30,
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": f"{name}-appset", "namespace": NAMESPACE},
        "spec": {
            "generators": [{"clusterDecisionResource": decisions}],
            "template": {
                "metadata": {
                    "name": "{{name}}-app",
                    "labels": {f"{group}/pull-to-ocm-managed-cluster": "true"},
                    "annotations": annotations,
                },
                "spec": {
                    "project": "default",
                    "source": {
                        "repoURL": "https://github.com/argoproj/argocd-example-apps.git",
                        "targetRevision": "HEAD",
                        "path": "guestbook",
                    },
                    "destination": {"server": "https://kubernetes.default.svc", "namespace": "guestbook"},
                    "syncPolicy": {"automated": {"prune": True}, "syncOptions": ["CreateNamespace=true"]},
                },
            },
        },
    }

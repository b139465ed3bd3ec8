"""The agents of the add-on `helloworld`, whose ClusterManagementAddOn is in `hub/addons.yaml`.

    python addons/helloworld.py render --set GREETING=Hi       # what a cluster gets, without a hub
    python addons/helloworld.py rights | kubectl apply -f -    # what this program may do on the hub
    python addons/helloworld.py run --kubeconfig hub.kubeconfig

The placements in `hub/addons.yaml` say where it is installed (by hand: `gitops-ocm addon enable --names
helloworld`), an AddOnDeploymentConfig how it is set, with variables named as the settings below.
"""

from pathlib import Path

from pydantic import Field

from gitops_ocm import addon


class Settings(addon.Config):
    """What may be set."""

    greeting: str = "Hello"
    replicas: int = Field(1, ge=0, le=10)
    image: str = "registry.k8s.io/pause:3.10"


helloworld = addon.Addon(
    "helloworld",
    addon.folder(Path(__file__).parent / "helloworld"),
    config=Settings,
    health=addon.workloads(),
    # The agent gets a kubeconfig of the hub, with which it may read ConfigMaps in its cluster's namespace.
    hub_access=addon.HubAccess((addon.Rule("", ("configmaps",), ("get", "list", "watch")),)),
)

if __name__ == "__main__":
    addon.main(helloworld)

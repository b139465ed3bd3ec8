"""What is asked of kubectl in `test_kubectl.py`: sessions of commands, as data.

Each step is a kubectl command line, with what is piped into it if it reads `-f -`. The session runs
against the embedded server and against a real one; every answer must be the same.
"""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """One command. `stdin` is piped in; `editor` is what `kubectl edit` runs on its file."""

    args: str
    stdin: str = ""
    editor: str = ""


CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  labels: {{app: web}}
data:
  greeting: {greeting}
"""

WIDGET = """\
apiVersion: test.gitops-ocm.io/v1
kind: Widget
metadata:
  name: {name}
spec:
  size: {size}
  colour: green
  parts:
    - name: a
      value: "1"
"""

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: web:1
          ports: [{containerPort: 8080}]
          env: [{name: MODE, value: production}]
"""

WORK = """\
apiVersion: work.open-cluster-management.io/v1
kind: ManifestWork
metadata:
  name: mw-01
spec:
  workload:
    manifests:
      - apiVersion: v1
        kind: Pod
        metadata:
          name: hello
          namespace: default
        spec:
          containers:
            - name: hello
              image: busybox
              command: ["sh", "-c", 'echo "Hello, Kubernetes!" && sleep 3600']
          restartPolicy: OnFailure
"""


def config(name: str, greeting: str = "hello") -> str:
    """A ConfigMap's manifest."""
    return CONFIG.format(name=name, greeting=greeting)


def widget(name: str, size: int = 1) -> str:
    """A Widget's manifest."""
    return WIDGET.format(name=name, size=size)


LIST = """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: a, labels: {app: web}}
  data: {greeting: hello}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web, labels: {app: web}}
  spec:
    replicas: 2
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web}}
      spec:
        containers: [{name: web, image: "example.com/web:1", ports: [{containerPort: 80}]}]
"""

SESSIONS: dict[str, list[Step]] = {
    "create and get": [
        Step("create -f -", config("a")),
        Step("create -f -", config("a")),
        Step("get configmap a"),
        Step("get configmap a -o wide --show-labels"),
        Step("get cm a -o yaml"),
        Step("get cm -o name"),
        Step("get cm/a -o jsonpath={.data.greeting}"),
        Step("get cm a -o json --show-managed-fields"),
        Step("get cm -o custom-columns=NAME:.metadata.name,SAYS:.data.greeting"),
        Step("describe cm a"),
        Step("get cm ghost"),
        Step("get nothing"),
    ],
    "server-side apply": [
        Step("apply --server-side -f -", config("a")),
        Step("apply --server-side -f -", config("a")),
        Step("get cm a -o yaml --show-managed-fields"),
        Step("apply --server-side --field-manager=other -f -", config("a", "hi")),
        Step("apply --server-side --field-manager=other --force-conflicts -f -", config("a", "hi")),
        Step("apply --server-side --dry-run=server -f -", config("b")),
        Step("get cm b"),
        Step("diff --server-side --field-manager=other -f -", config("a", "hi")),
        Step("diff --server-side --field-manager=other -f -", config("a", "changed")),
        Step("diff --server-side -f -", config("new")),
    ],
    "a list, which kubectl checks itself": [
        Step("apply -f -", LIST),
        Step("apply -f -", LIST.replace("hello", "hi")),
        Step("get cm,deploy -l app=web -o name"),
        Step("apply -f -", LIST.replace("data:", "dato:")),
        Step("apply -f -", LIST.replace("replicas: 2", "replicas: many")),
        Step("create -f -", LIST.replace("containers:", "container:")),
        Step("apply --validate=ignore -f -", LIST.replace("data:", "dato:")),
    ],
    "apply as people do": [
        Step("apply -f -", config("a")),
        Step("apply -f -", config("a")),
        Step("apply -f -", config("a", "hi")),
        Step("get cm a -o yaml"),
        Step("apply -f -", DEPLOYMENT),
        Step("apply -f -", DEPLOYMENT.replace("web:1", "web:2").replace("replicas: 2", "replicas: 3")),
        Step("get deployment web -o yaml"),
        Step("apply view-last-applied cm a"),
    ],
    "delete": [
        Step("create -f -", config("a")),
        Step("create -f -", config("b")),
        Step("create -f -", config("c")),
        Step("delete cm a"),
        Step("delete cm a"),
        Step("delete cm a --ignore-not-found"),
        Step("delete cm -l app=web"),
        Step("get cm"),
        Step("create -f -", config("d")),
        Step("delete -f - --wait=true --cascade=foreground", config("d")),
    ],
    "change in place": [
        Step("create -f -", config("a")),
        Step("label cm a tier=front app-"),
        Step("label cm a tier=back"),
        Step("label --overwrite cm a tier=back"),
        Step("annotate cm a note=hello"),
        Step("""patch cm a -p '{"data":{"more":"1"}}'"""),
        Step("""patch cm a --type=merge -p '{"data":{"greeting":null}}'"""),
        Step("""patch cm a --type=json -p '[{"op":"test","path":"/data/more","value":"2"}]'"""),
        Step("""patch cm a --type=json -p '[{"op":"replace","path":"/data/more","value":"2"}]'"""),
        Step("edit cm a", editor="sed -i s/hello/bye/"),
        Step("get cm a -o yaml"),
        Step("replace -f -", config("a", "replaced")),
        Step("get cm a -o jsonpath={.data}"),
    ],
    "selection": [
        Step("create -f -", config("b")),
        Step("create -f -", config("a")),
        Step("create configmap c --from-literal=k=v"),
        Step("get cm -l app=web"),
        Step("get cm -l app!=web"),
        Step("get cm -l 'app in (web,db)' --sort-by=.metadata.name -o name"),
        Step("get cm --field-selector=metadata.name=c"),
        Step("get cm --field-selector=data.k=v"),
        Step("get cm -l 'not a selector'"),
        Step("get cm,secret"),
        Step("get cm --chunk-size=1"),
    ],
    "a custom kind": [
        Step("apply --server-side -f -", widget("w")),
        Step("get widgets.test.gitops-ocm.io"),
        Step("get wg w -o yaml"),
        Step("get widgets.test.gitops-ocm.io w -o wide"),
        Step("get widgets.v1.test.gitops-ocm.io -o name"),
        Step("describe widgets.test.gitops-ocm.io w"),
        Step("""patch widgets.test.gitops-ocm.io w --type=merge -p '{"spec":{"size":500}}'"""),
        Step("""patch widgets.test.gitops-ocm.io w -p '{"spec":{"size":5}}'"""),
        Step(
            "patch widgets.test.gitops-ocm.io w --type=merge --subresource=status "
            """-p '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}'"""
        ),
        Step("get widgets.test.gitops-ocm.io"),
        Step("get widgets.test.gitops-ocm.io w --subresource=status -o jsonpath={.status}"),
        Step("wait widgets.test.gitops-ocm.io w --for=condition=Ready --timeout=5s"),
        Step("wait widgets.test.gitops-ocm.io w --for=jsonpath={.spec.size}=1 --timeout=5s"),
        Step("apply -f -", widget("w", 3)),
        Step("apply -f -", widget("w", 300)),
        Step("apply -f -", widget("v").replace("colour", "color")),
        Step("create --validate=ignore -f -", widget("v").replace("colour", "color")),
        Step("create --validate=warn -f -", widget("u").replace("colour", "color")),
        Step("explain widget.spec.parts --api-version=test.gitops-ocm.io/v1"),
        Step("explain widget.spec --recursive --api-version=test.gitops-ocm.io/v1"),
        Step("api-resources --api-group=test.gitops-ocm.io"),
        Step("delete widgets.test.gitops-ocm.io --all"),
    ],
    "built-in kinds": [
        Step("create secret generic s --from-literal=k=v"),
        Step("get secret s -o yaml"),
        Step("describe secret s"),
        Step("apply --server-side -f -", DEPLOYMENT),
        Step("get deployment"),
        Step("get deploy web -o wide"),
        Step("scale deployment web --replicas=3"),
        Step("set image deployment/web web=web:2"),
        Step("get deploy web -o jsonpath={.spec.replicas},{.spec.template.spec.containers[0].image}"),
        Step("create role reader --verb=get,list --resource=configmaps"),
        Step("create rolebinding readers --role=reader --user=jane"),
        Step("get role,rolebinding"),
        Step("describe role reader"),
        Step("create serviceaccount robot"),
        Step("get sa robot"),
        Step("apply --server-side -f -", DEPLOYMENT.replace("image:", "imag:")),
        Step("create -f -", DEPLOYMENT.replace("name: web", "name: Bad_Name", 1)),
    ],
    "namespaces": [
        Step("create namespace {ns}-more"),
        Step("get namespace {ns}-more"),
        Step("describe namespace {ns}-more"),
        Step("-n {ns}-more create -f -", config("a")),
        Step("get cm -A -l app=web --field-selector=metadata.namespace={ns}-more"),
        Step("-n {ns}-nowhere create -f -", config("a")),
        Step("-n {ns}-nowhere get cm"),
        Step("delete namespace {ns}-more"),
        Step("get namespace {ns}-more"),
    ],
    "who may": [
        Step("auth can-i create configmaps"),
        Step("auth can-i list widgets.test.gitops-ocm.io"),
        Step("auth can-i create configmaps --as=jane"),
        Step("get cm --as=jane"),
        Step("create role reader --verb=get,list --resource=configmaps"),
        Step("create rolebinding readers --role=reader --user=jane"),
        Step("get cm --as=jane"),
        Step("get cm --as=jane -A"),
        Step("delete cm x --as=jane"),
    ],
    "the seed of every OCM user": [
        Step("apply -f -", WORK),
        Step("get manifestwork"),
        Step("get manifestwork mw-01 -o yaml"),
        Step("describe manifestwork mw-01"),
        Step("get managedclusters,placements,manifestworks --field-selector metadata.name=mw-01"),
        Step("api-resources --api-group=work.open-cluster-management.io"),
        Step("delete manifestwork mw-01"),
    ],
}

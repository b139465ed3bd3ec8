"""Sessions of commands that people type in the course of a day, and of those that go wrong for them."""

from __future__ import annotations

from tests.differential.kubectl_sessions import NODE, POD, SERVICE
from tests.hubs.kubectl_cases import DEPLOYMENT, Step, config

INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: none
  tls: [{hosts: [a.example.com], secretName: tls}]
  rules:
    - host: a.example.com
      http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: headless, port: {number: 80}}}}]}
"""
POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: np}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{from: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 80}]}]
"""
LIMITS = """\
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec: {limits: [{type: Container, max: {cpu: '2'}, min: {cpu: 10m}}]}
"""
CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: claim}
spec: {storageClassName: none, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
CLASS = """\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: '{ns}-class'}
provisioner: example.com/none
"""
LEASE = """\
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: lease}
spec: {holderIdentity: me, leaseDurationSeconds: 15}
"""
TWICE = config("twice") + "data: {greeting: again}\n"

PEOPLE: dict[str, list[Step]] = {
    "describing": [
        Step("create -f -", POD),
        Step("describe pod p"),
        Step("get pod p -o wide"),
        Step("create -f -", SERVICE),
        Step("describe service headless"),
        Step("create -f -", INGRESS),
        Step("describe ingress web"),
        Step("create -f -", POLICY),
        Step("describe networkpolicy np"),
        Step("create -f -", LIMITS),
        Step("describe limitrange limits"),
        Step("create -f -", CLASS),
        Step("describe storageclass {ns}-class"),
        Step("delete storageclass {ns}-class"),
        Step("create -f -", LEASE),
        Step("describe lease lease"),
        Step("create sa robot"),
        Step("describe sa robot"),
        Step("create rolebinding rb --clusterrole=view --serviceaccount={ns}:robot"),
        Step("describe rolebinding rb"),
        Step("describe clusterrole view --request-timeout=9s -o x"),
        Step("create priorityclass {ns}-prio --value=7 --description=mine"),
        Step("describe priorityclass {ns}-prio"),
        Step("delete priorityclass {ns}-prio"),
        Step("describe cm -l app=none"),
        Step("describe nothing at-all"),
        Step("describe cm prefix"),
    ],
    "who may": [
        Step("auth whoami --as=jane --as-group=dev --as-uid=7 -o yaml"),
        Step("auth whoami --as=jane"),
        Step("auth can-i '*' '*'"),
        Step("auth can-i get pods --subresource=log --as=jane"),
        Step("auth can-i get /version --as=jane"),
        Step("auth can-i get /metrics --as=jane"),
        Step("auth can-i bark dogs"),
        Step("auth can-i list nodes --as=jane"),
        Step("auth can-i --list --as=jane"),
        Step("auth can-i get pods --as=jane -q"),
        Step("get pods --as=jane"),
        Step("get pods --as=jane -A"),
        Step("create token default --duration=1s"),
        Step("create token none"),
        Step("create clusterrolebinding {ns}-crb --clusterrole=view --user=jane --group=dev"),
        Step("describe clusterrolebinding {ns}-crb"),
        Step("delete clusterrolebinding {ns}-crb"),
        Step("certificate approve none"),
        Step("get csr none"),
    ],
    "pods that run nowhere": [
        Step("run p --image=i:1 --labels=app=web --env=A=1 --port=80 -- sleep 1"),
        Step("run p --image=i:1"),
        Step("run q --image=i:1 --dry-run=client -o yaml"),
        Step("get pods --show-labels"),
        Step("logs p"),
        Step("logs none"),
        Step("logs -l app=web"),
        Step("exec p -- ls"),
        Step("exec none -- ls"),
        Step("attach p --pod-running-timeout=1s"),
        Step("port-forward p 0:80 --pod-running-timeout=1s"),
        Step("cp p:/etc/hosts /tmp/none-{ns}"),
        Step("top pod"),
        Step("top node"),
        Step("debug p --image=busybox --attach=false -c dbg"),
        Step("get pod p -o jsonpath={.spec.ephemeralContainers[*].name}"),
        Step("set image pod/p p=i:2"),
        Step("""patch pod p -p '{"spec":{"containers":[{"name":"other","image":"x"}]}}'"""),
        Step("label pod p tier=front"),
        Step("wait pod/p --for=condition=Ready --timeout=1s"),
        Step("delete pod p --now"),
        Step("delete pod p --force --grace-period=0 --ignore-not-found"),
    ],
    "nodes that are drained": [
        Step("create -f -", NODE),
        Step("describe node {ns}-node --show-events=false -o x"),
        Step("drain {ns}-node --ignore-daemonsets --timeout=5s"),
        Step("get node {ns}-node -o jsonpath={.spec.unschedulable}"),
        Step("uncordon {ns}-node"),
        Step("uncordon {ns}-node"),
        Step("label node {ns}-node node-role.kubernetes.io/worker="),
        Step("drain none --timeout=2s"),
        Step("delete node {ns}-node"),
    ],
    "changed in many ways": [
        Step("create --save-config -f -", config("a")),
        Step("apply edit-last-applied cm a", editor="sed -i s/hello/edited/"),
        Step("apply view-last-applied cm a -o json"),
        Step("apply set-last-applied -f -", config("a")),
        Step("edit cm a", editor="true"),
        Step("edit cm a", editor="sed -i s/greeting/Gree.ting/"),
        Step("edit cm a -o json", editor="sed -i s/hello/bye/"),
        Step("edit cm a --subresource=status", editor="sed -i s/hello/bye/"),
        Step("edit cm none", editor="true"),
        Step("label cm a --list"),
        Step("label cm --all shown=yes"),
        Step("label cm a --resource-version=1 x=y"),
        Step("label cm a bad/label/key=1"),
        Step("annotate cm a --list"),
        Step("annotate cm a note- "),
        Step("""patch cm a --dry-run=server -o yaml -p '{"data":{"k":"v"}}'"""),
        Step("""patch cm a -p 'not json'"""),
        Step("""patch cm a --type=json -p '[{"op":"remove","path":"/data/none"}]'"""),
        Step("""patch cm a --subresource=status --type=merge -p '{"data":{"k":"v"}}'"""),
        Step("replace -f -", config("a").replace("name: a", "name: a\n  resourceVersion: '1'")),
        Step("replace --subresource=status -f -", config("a")),
        Step("create -f -", TWICE),
        Step("apply -f -", "kind: ConfigMap\n"),
        Step("apply -f -", "- a\n"),
        Step("apply -f -", ""),
        Step("apply -f - -f -", config("a")),
        Step("apply --server-side --validate=warn -f -", config("a") + "dta: {a: b}\n"),
        Step("apply --force-conflicts -f -", config("a")),
        Step("delete cm a --dry-run=server"),
        Step("delete cm --all"),
    ],
    "workloads of a person": [
        Step("create deployment web --image=web:1 --replicas=0 --dry-run=server -o yaml"),
        Step("apply -f -", DEPLOYMENT.replace("replicas: 2", "replicas: 0\n  paused: true")),
        Step("set serviceaccount deployment web robot"),
        Step("set env deployment/web --list"),
        Step("set env deployment/web A=1 B=2"),
        Step("set env deployment/web A-"),
        Step("set image deployment/web nothing=x"),
        Step("set resources deployment web -c=none --limits=cpu=1"),
        Step("set selector deployment web app=other"),
        Step("rollout restart deployment web"),
        Step("rollout undo deployment web --to-revision=77"),
        Step("rollout history deployment web --revision=77"),
        Step("rollout status deployment none"),
        Step("rollout status cm none"),
        Step("scale deployment web --replicas=-1"),
        Step("scale deployment none --replicas=1"),
        Step("scale cm none --replicas=1"),
        Step("expose deployment web --port=80 --name=svc --type=NodePort --dry-run=server -o name"),
        Step("expose cm none --port=80"),
        Step("autoscale deployment web --max=0"),
        Step("create ingress ing --rule=a.example.com/*=svc:80 --annotation=a=b"),
        Step("get ingress ing -o jsonpath={.spec}"),
        Step("create service clusterip cip --tcp=80:8080 --dry-run=server -o jsonpath={.spec.ports}"),
        Step("create service nodeport np --tcp=80 --dry-run=server -o name"),
        Step("create service loadbalancer lb --tcp=80:8080 --dry-run=server -o name"),
        Step("create service externalname en --external-name=a.example.com"),
        Step("get service en"),
        Step("create pdb budget --selector=app=web --max-unavailable=50%"),
        Step("get pdb budget -o jsonpath={.spec}"),
        Step("create quota q --hard=pods=x"),
        Step("create cronjob cj --image=i --schedule=never"),
        Step("create job j --from=cronjob/none"),
        Step("create configmap c --from-literal=a"),
        Step("create secret tls t --cert=none --key=none"),
        Step("create role r --verb=get --resource=nothing"),
        Step("create namespace Bad_Name"),
        Step("get all -o name -l app=none"),
        Step("delete all --all --dry-run=client -o name -l app=none"),
    ],
    "looking and waiting": [
        Step("create -f -", config("a")),
        Step("get cm a --watch --request-timeout=1s -o name"),
        Step("get cm -l app=web --watch-only --request-timeout=1s"),
        Step("get cm -l app=web -w --output-watch-events --request-timeout=1s"),
        Step("wait cm/a --for=create --timeout=2s"),
        Step("wait cm/b --for=create --timeout=1s"),
        Step("wait cm/a --for=jsonpath={.data.greeting}=hello"),
        Step("wait cm/a --for=condition=Ready --timeout=1s"),
        Step("wait cm --all -l app=none --for=delete"),
        Step("wait cm/a --for=nonsense"),
        Step("get cm a -o jsonpath-as-json={.data}"),
        Step("get cm a --server-print=false"),
        Step("get cm a -o template={{.data.none}}"),
        Step("get cm a -o nonsense"),
        Step("get cm a --sort-by=.nothing"),
        Step("get cm a --subresource=status"),
        Step("get cm a -o yaml --show-managed-fields=false"),
        Step("get cm/a secret/none"),
        Step("get cm a b"),
        Step("get cm --field-selector=nonsense"),
        Step("get --raw /apis/nothing"),
        Step("get --raw /livez"),
        Step("delete --raw /api/v1/namespaces/{ns}/configmaps/none"),
        Step("create --raw /api/v1/namespaces/{ns}/configmaps -f -", "{}"),
        Step("events --for=cm/a"),
        Step("events --types=Warning"),
        Step("api-resources --api-group=apps --sort-by=name"),
        Step("api-resources --verbs=create --namespaced=false --api-group=rbac.authorization.k8s.io"),
        Step("explain nothing"),
        Step("explain deployment.spec.nothing"),
        Step("explain pod.spec.containers --output=nonsense"),
        Step("cluster-info"),
        Step("diff -f -", config("a", "changed")),
        Step("diff -f -", config("new")),
    ],
}

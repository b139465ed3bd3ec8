"""More sessions of kubectl commands, beside those of `tests/hubs/kubectl_cases.py`."""

from __future__ import annotations

from tests.hubs.kubectl_cases import DEPLOYMENT, Step, config

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {app: web}}
spec:
  containers: [{name: c, image: 'i:1', resources: {requests: {cpu: 100m}}}]
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: headless}
spec: {clusterIP: None, selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
"""
NODE = """\
apiVersion: v1
kind: Node
metadata: {name: '{ns}-node'}
"""
HISTORY = """\
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web-1
  labels: {app: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'web:1'}]}
"""

SESSIONS: dict[str, list[Step]] = {
    "output formats": [
        Step("create -f -", config("a")),
        Step("create -f -", config("b", "bye")),
        Step("get cm -l app=web --sort-by={.data.greeting}"),
        Step("get cm -l app=web -o jsonpath='{range .items[*]}{.metadata.name}={.data.greeting};{end}'"),
        Step("get cm a -o go-template={{.data.greeting}}"),
        Step("get cm -l app=web -o custom-columns=N:.metadata.name,G:.data.greeting --no-headers"),
        Step("get cm -l app=web --show-kind -L app"),
        Step("get cm -l app=web --label-columns=app,tier"),
        Step("get cm a b -o name"),
        Step("get --raw /api/v1/namespaces/{ns}/configmaps/none"),
        Step("get cm a -o jsonpath={.no.such}"),
        Step("get cm a --ignore-not-found -o name"),
        Step("get cm x --ignore-not-found"),
    ],
    "create everything": [
        Step("create configmap c --from-literal=a=1 --from-literal=b=2 -o yaml --dry-run=client"),
        Step("create configmap c --from-literal=a=1"),
        Step("create secret tls t --cert=/no/such --key=/no/such"),
        Step("create secret docker-registry d --docker-username=u --docker-password=p --docker-server=s"),
        Step("create deployment dep --image=web:1 --replicas=2 --port=80"),
        Step("create job j --image=i -- echo hi"),
        Step("create cronjob cj --image=i --schedule='*/5 * * * *'"),
        Step("create quota q --hard=cpu=1,pods=2"),
        Step("create role r --verb=get --resource=pods --resource-name=x"),
        Step("create clusterrole {ns}-cr --verb=get --resource=nodes"),
        Step("delete clusterrole {ns}-cr"),
        Step("create pdb budget --selector=app=web --min-available=1"),
        Step("create priorityclass {ns}-pc --value=5"),
        Step("delete priorityclass {ns}-pc"),
        Step("get deploy,job,cronjob,quota,role,pdb"),
    ],
    "workloads": [
        Step("apply -f -", DEPLOYMENT),
        Step("apply -f -", HISTORY),
        Step("rollout history deployment web"),
        Step("rollout pause deployment web"),
        Step("rollout resume deployment web"),
        Step("rollout status deployment web --watch=false"),
        Step("set env deployment/web A=1"),
        Step("set resources deployment web --limits=cpu=200m"),
        Step("scale deployment web --current-replicas=9 --replicas=1"),
        Step("autoscale deployment web --min=1 --max=3"),
        Step("get hpa"),
        Step("expose deployment web --port=80 --cluster-ip=None"),
        Step("get service web -o jsonpath={.spec.ports}"),
        Step("delete deployment web --cascade=orphan"),
        Step("get rs web-1 -o name"),
    ],
    "pruning and replacing": [
        Step("apply --prune -l app=web -f -", config("a")),
        Step("apply --prune -l app=web -f -", config("b")),
        Step("get cm -l app=web"),
        Step("replace --force -f -", config("b", "forced")),
        Step("replace -f -", config("none")),
        Step("diff -f -", config("b", "other")),
        Step("delete cm b --wait=false"),
        Step("delete -f -", config("b")),
    ],
    "services and nodes": [
        Step("create -f -", SERVICE),
        Step("get service headless"),
        Step("get service headless -o yaml"),
        Step("create -f -", NODE),
        Step("cordon {ns}-node"),
        Step("taint node {ns}-node key=value:NoSchedule"),
        Step("get node {ns}-node -o jsonpath={.spec}"),
        Step("uncordon {ns}-node"),
        Step("taint node {ns}-node key-"),
        Step("delete node {ns}-node"),
    ],
    "events and identity": [
        Step("get events"),
        Step("events"),
        Step("auth can-i --list --as=nobody-at-all -n {ns} --no-headers"),
        Step("create serviceaccount robot"),
        Step("delete serviceaccount robot"),
        Step("wait cm/none --for=delete --timeout=2s"),
        Step("wait cm/none --for=jsonpath={.data.a}=b --timeout=1s"),
        Step("api-versions --request-timeout=5s -o x"),
    ],
}

#!/usr/bin/env bash
# `make e2e` on two one-node clusters that are brought up for it and ended after it:
#
#   tests/lab/run.sh SCRIPTS
#
# SCRIPTS is a folder with the lab's up.sh, down.sh, load.sh, docker.sh and images.sh. Programs, images and
# what docker has built are kept below ~/.cache/gitops-ocm/lab, so the second run is quick. Needs root.
# Exit status 75: clusters or image could not be made on this machine, so nothing is known of how they fare.
set -euo pipefail
scripts=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
kept=${XDG_CACHE_HOME:-$HOME/.cache}/gitops-ocm/lab
image=docker.io/library/gitops-ocm:e2e
export LAB_BIN=$kept/bin TMPDIR=${TMPDIR:-/tmp}
mkdir -p "$kept"

lab() { LAB_DIR=$kept/$1 LAB_FORWARD=${3:-} timeout 1500 "$scripts/$2" "${@:4}"; }
say() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }
ended() {
  for name in managed hub; do lab $name down.sh "" --purge >/dev/null 2>&1 || say "$name was not ended: see $kept/$name"; done
  lab hub docker.sh "" down >/dev/null 2>&1 || true
}
trap ended EXIT

brought_up() {
  lab hub up.sh "" >/dev/null && . "$kept/hub/ports" && port=$LAB_PORT && unset LAB_PORT LAB_ETCD_PORT &&
    lab managed up.sh "$port" >/dev/null &&
    lab hub images.sh "" python >/dev/null &&
    DOCKER_HOST=$(lab hub docker.sh "" up) && export DOCKER_HOST DOCKER_BUILDKIT=0 &&
    docker load -q -i "$kept/hub/images/python.tar" >/dev/null
}
say "bringing up two clusters"
brought_up || { say "the clusters could not be brought up"; exit 75; }

# The build reaches package registries as this machine does: by its authorities and pip's settings.
context=$(mktemp -d)
cp "${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}" "$context/ca-certificates.crt"
printf 'FROM lab/python:1\nCOPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt\nENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt\n' > "$context/Dockerfile"
say "building the image"
docker build -q -t gitops-ocm-e2e-base "$context" >/dev/null 2>"$context/log" || { cat "$context/log" >&2; say "the image could not be built"; exit 75; }
docker build -q --network=host -f deploy/Dockerfile --build-arg BASE=gitops-ocm-e2e-base \
  --build-arg "PIP_INDEX_URL=${PIP_INDEX_URL:-}" -t "$image" . >/dev/null 2>"$context/log" || { cat "$context/log" >&2; say "the image could not be built"; exit 75; }
docker save "$image" -o "$context/image.tar"
for name in hub managed; do lab $name load.sh "" "$context/image.tar" >/dev/null; done
rm -rf "$context"

say "the installation guide, command by command"
export GITOPS_OCM_E2E_HUB_KUBECONFIG=$kept/hub/kubeconfig GITOPS_OCM_E2E_MANAGED_KUBECONFIG=$kept/managed/kubeconfig
export GITOPS_OCM_E2E_IMAGE=$image GITOPS_OCM_E2E_POD_IMAGE=docker.io/lab/busybox:1
export GITOPS_OCM_E2E_HUB_SERVER=https://10.123.0.1:$port
make e2e

//go:build tools

// Package controlplane names the programs of a real Kubernetes control plane, so that one
// `go build` makes them for the test suite. Nothing here is compiled into gitops-ocm.
package controlplane

import (
	_ "go.etcd.io/etcd/server/v3"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kubectl"
)

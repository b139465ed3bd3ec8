// Program clients talks to an API server in every way that client-go has, and prints what it was told.
//
// It is a judge: its output must not depend on which server it talks to. Names, ids, times and versions
// that a server chooses are therefore not printed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// patience is how long anything may take that has to happen.
const patience = 30 * time.Second

type clients struct {
	typed     kubernetes.Interface
	protobuf  kubernetes.Interface
	dynamic   dynamic.Interface
	namespace string
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "whom to talk to, and as whom")
	namespace := flag.String("namespace", "", "a namespace of this run's own")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	check(err)
	config.QPS, config.Burst = 200, 200
	all := connect(config, *namespace)
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	defer cancel()
	for _, part := range []struct {
		name string
		run  func(context.Context, clients)
	}{
		{"typed", typed},
		{"errors", failures},
		{"subresources", subresources},
		{"dynamic", anything},
		{"apply", apply},
		{"informers", informed},
		{"election", election},
		{"discovery", discovered},
	} {
		fmt.Printf("== %s\n", part.name)
		part.run(ctx, all)
	}
}

func connect(config *rest.Config, namespace string) clients {
	binary := rest.CopyConfig(config)
	binary.AcceptContentTypes = "application/vnd.kubernetes.protobuf"
	binary.ContentType = "application/vnd.kubernetes.protobuf"
	return clients{
		typed:     kubernetes.NewForConfigOrDie(config),
		protobuf:  kubernetes.NewForConfigOrDie(binary),
		dynamic:   dynamic.NewForConfigOrDie(config),
		namespace: namespace,
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func say(format string, values ...any) {
	fmt.Printf(format+"\n", values...)
}

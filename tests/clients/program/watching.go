package main

import (
	"context"
	"fmt"
	"sort"
	"sync/atomic"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// anything uses no type of its own: maps in, maps out.
func anything(ctx context.Context, all clients) {
	maps := all.dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace(all.namespace)
	made, err := maps.Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "dynamic"}, "data": map[string]any{"a": "1"},
	}}, metav1.CreateOptions{})
	check(err)
	say("dynamic %s %v", made.GetKind(), made.Object["data"])
	made, err = maps.Patch(ctx, "dynamic", types.MergePatchType, []byte(`{"data":{"a":null,"b":"2"}}`), metav1.PatchOptions{})
	check(err)
	say("merged %v", made.Object["data"])
	made, err = maps.Patch(ctx, "dynamic", types.JSONPatchType, []byte(`[{"op":"add","path":"/data/c","value":"3"}]`), metav1.PatchOptions{})
	check(err)
	say("patched %v", made.Object["data"])
	list, err := maps.List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=dynamic"})
	check(err)
	say("listed %d of %s", len(list.Items), list.GetKind())
	check(maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{FieldSelector: "metadata.name=dynamic"}))
	_, err = maps.Get(ctx, "dynamic", metav1.GetOptions{})
	report("deleted", err)
}

// apply has two managers on one object, and a conflict between them.
func apply(ctx context.Context, all clients) {
	maps := all.protobuf.CoreV1().ConfigMaps(all.namespace)
	first := coreapply.ConfigMap("applied", all.namespace).WithData(map[string]string{"a": "1", "b": "1"})
	_, err := maps.Apply(ctx, first, metav1.ApplyOptions{FieldManager: "first"})
	check(err)
	second := coreapply.ConfigMap("applied", all.namespace).WithData(map[string]string{"b": "2"})
	_, err = maps.Apply(ctx, second, metav1.ApplyOptions{FieldManager: "second"})
	report("conflict", err)
	shared, err := maps.Apply(ctx, second, metav1.ApplyOptions{FieldManager: "second", Force: true})
	check(err)
	say("forced %s", shown(shared.Data))
	shared, err = maps.Apply(ctx, coreapply.ConfigMap("applied", all.namespace), metav1.ApplyOptions{FieldManager: "first"})
	check(err)
	say("given up %s", shown(shared.Data))
	wanted := appsapply.Deployment("applied", all.namespace).WithSpec(appsapply.DeploymentSpec().
		WithSelector(metaapply.LabelSelector().WithMatchLabels(labels())).
		WithTemplate(coreapply.PodTemplateSpec().WithLabels(labels()).WithSpec(coreapply.PodSpec().
			WithContainers(coreapply.Container().WithName("a").WithImage("i"), coreapply.Container().WithName("b").WithImage("j")))))
	made, err := all.typed.AppsV1().Deployments(all.namespace).Apply(ctx, wanted, metav1.ApplyOptions{FieldManager: "first"})
	check(err)
	extracted, err := appsapply.ExtractDeployment(made, "first")
	check(err)
	say("extracted %s", shown(extracted))
	again, err := all.typed.AppsV1().Deployments(all.namespace).Apply(ctx, wanted, metav1.ApplyOptions{FieldManager: "first"})
	check(err)
	say("applied again: changed=%t", again.ResourceVersion != made.ResourceVersion)
}

// informers read by WatchList, and see every change.
func observe(ctx context.Context, all clients, how string, client kubernetes.Interface) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	leases := client.CoordinationV1().Leases(all.namespace)
	for number := range 3 {
		_, err := leases.Create(ctx, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", how, number), Labels: map[string]string{"how": how}}}, metav1.CreateOptions{})
		check(err)
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(all.namespace),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) { options.LabelSelector = "how=" + how }))
	informer := factory.Coordination().V1().Leases().Informer()
	var updates, deletions atomic.Int32
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		UpdateFunc: func(_, _ any) { updates.Add(1) },
		DeleteFunc: func(any) { deletions.Add(1) },
	})
	check(err)
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		check(fmt.Errorf("the informer did not synchronise"))
	}
	say("%s informer has %v", how, keys(informer))
	lease, err := leases.Get(ctx, how+"-1", metav1.GetOptions{})
	check(err)
	holder, now := "me", metav1.NewMicroTime(time.Unix(1700000000, 123456000))
	lease.Spec.HolderIdentity, lease.Spec.RenewTime = &holder, &now
	_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
	check(err)
	check(leases.Delete(ctx, how+"-2", metav1.DeleteOptions{}))
	until(ctx, "both changes", func() bool { return updates.Load() == 1 && deletions.Load() == 1 })
	held, _, err := informer.GetStore().GetByKey(all.namespace + "/" + how + "-1")
	check(err)
	say("%s informer has %v, renewed %s", how, keys(informer), held.(*coordinationv1.Lease).Spec.RenewTime.UTC())
}

func informed(ctx context.Context, all clients) {
	observe(ctx, all, "json", all.typed)
	observe(ctx, all, "protobuf", all.protobuf)
}

func keys(informer cache.SharedIndexInformer) []string {
	found := informer.GetStore().ListKeys()
	for at, key := range found {
		_, found[at], _ = cache.SplitMetaNamespaceKey(key)
	}
	sort.Strings(found)
	return found
}

func until(ctx context.Context, what string, holds func() bool) {
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, patience, true, func(context.Context) (bool, error) { return holds(), nil })
	if err != nil {
		check(fmt.Errorf("waited for %s: %w", what, err))
	}
}

// election has one candidate win, leave, and another follow.
func election(ctx context.Context, all clients) {
	for _, name := range []string{"first", "second"} {
		lock := &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Name: "leader", Namespace: all.namespace},
			Client:     all.typed.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: name},
		}
		term, resign := context.WithCancel(ctx)
		leaderelection.RunOrDie(term, leaderelection.LeaderElectionConfig{
			Lock: lock, LeaseDuration: 4 * time.Second, RenewDeadline: 3 * time.Second, RetryPeriod: time.Second, ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { say("%s leads", name); resign() },
				OnStoppedLeading: func() { say("%s has resigned", name) },
			},
		})
	}
	lease, err := all.typed.CoordinationV1().Leases(all.namespace).Get(ctx, "leader", metav1.GetOptions{})
	check(err)
	say("transitions %d", *lease.Spec.LeaseTransitions)
}

// discovered is what the server says it serves, as far as this program uses it.
func discovered(ctx context.Context, all clients) {
	groups, lists, err := all.typed.Discovery().ServerGroupsAndResources()
	check(err)
	names := []string{}
	for _, group := range groups {
		if group.Name == "apps" || group.Name == "autoscaling" || group.Name == "" {
			names = append(names, group.Name+"="+group.PreferredVersion.Version)
		}
	}
	sort.Strings(names)
	say("groups %v", names)
	for _, list := range lists {
		if list.GroupVersion == "apps/v1" {
			for _, each := range list.APIResources {
				say("apps/v1 %s %s namespaced=%t %v", each.Name, each.Kind, each.Namespaced, each.Verbs)
			}
		}
	}
	namespaces, err := all.protobuf.CoreV1().Namespaces().List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + all.namespace})
	check(err)
	say("namespace %s", namespaces.Items[0].Status.Phase)
}

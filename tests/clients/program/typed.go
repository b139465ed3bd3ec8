package main

import (
	"context"
	"encoding/json"
	"sort"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func labels() map[string]string { return map[string]string{"app": "demo"} }

func template() corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels()},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyAlways,
			Containers: []corev1.Container{{
				Name:  "main",
				Image: "registry.example.com/demo:1",
				Ports: []corev1.ContainerPort{{ContainerPort: 8080}},
				Env:   []corev1.EnvVar{{Name: "A", Value: "b"}},
				Resources: corev1.ResourceRequirements{
					Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1024Mi")},
				},
				ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{
					HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromString("http")},
				}},
			}},
			Volumes: []corev1.Volume{{Name: "scratch"}},
		},
	}
}

func deployment(name string) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels()},
		Spec:       appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: labels()}, Template: template()},
	}
}

// shown is an object's spec as JSON, which Go writes in one way only.
func shown(value any) string {
	text, err := json.Marshal(value)
	check(err)
	return string(text)
}

// typed creates, reads, lists, updates, patches and deletes, in JSON and in protobuf.
func typed(ctx context.Context, all clients) {
	for _, how := range []string{"json", "protobuf"} {
		client := all.typed
		if how == "protobuf" {
			client = all.protobuf
		}
		deployments := client.AppsV1().Deployments(all.namespace)
		made, err := deployments.Create(ctx, deployment("typed-"+how), metav1.CreateOptions{FieldManager: "judge"})
		check(err)
		say("%s created %s generation=%d", how, shown(made.Spec), made.Generation)
		for _, entry := range made.ManagedFields {
			var fields any
			check(json.Unmarshal(entry.FieldsV1.Raw, &fields))
			say("%s manager %s %s %s", how, entry.Manager, entry.Operation, shown(fields))
		}
		made.Spec.Replicas = new(int32)
		made, err = deployments.Update(ctx, made, metav1.UpdateOptions{})
		check(err)
		say("%s updated replicas=%d generation=%d", how, *made.Spec.Replicas, made.Generation)
		patch := []byte(`{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"other"}]}}}}`)
		made, err = deployments.Patch(ctx, made.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
		check(err)
		say("%s patched %s", how, shown(made.Spec.Template.Spec.Containers))
		made.Status.Replicas = 3
		made, err = deployments.UpdateStatus(ctx, made, metav1.UpdateOptions{})
		check(err)
		say("%s status %s generation=%d", how, shown(made.Status), made.Generation)
		list, err := deployments.List(ctx, metav1.ListOptions{LabelSelector: "app=demo"})
		check(err)
		for _, item := range list.Items {
			say("%s listed %s kind=%q", how, item.Name, item.Kind)
		}
		check(deployments.Delete(ctx, made.Name, metav1.DeleteOptions{}))
		more(ctx, all, how)
	}
}

// more writes kinds whose fields are of unusual types on the wire.
func more(ctx context.Context, all clients, how string) {
	client := all.typed
	if how == "protobuf" {
		client = all.protobuf
	}
	secret, err := client.CoreV1().Secrets(all.namespace).Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "more-" + how}, StringData: map[string]string{"a": "text"}, Data: map[string][]byte{"b": {0, 255}},
	}, metav1.CreateOptions{})
	check(err)
	say("%s secret %s %s", how, shown(secret.Data), secret.Type)
	service, err := client.CoreV1().Services(all.namespace).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "more-" + how},
		Spec:       corev1.ServiceSpec{Selector: labels(), Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromString("http")}}},
	}, metav1.CreateOptions{})
	check(err)
	service.Spec.ClusterIP, service.Spec.ClusterIPs = "", nil
	say("%s service %s", how, shown(service.Spec))
	cron, err := client.BatchV1().CronJobs(all.namespace).Create(ctx, &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Name: "more-" + how},
		Spec: batchv1.CronJobSpec{Schedule: "@daily", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{
			Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "c", Image: "i"}}},
		}}}},
	}, metav1.CreateOptions{})
	check(err)
	say("%s cronjob %s", how, shown(cron.Spec))
	scalers := client.AutoscalingV1().HorizontalPodAutoscalers(all.namespace)
	_, err = scalers.Create(ctx, &autoscalingv1.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "more-" + how},
		Spec: autoscalingv1.HorizontalPodAutoscalerSpec{
			MaxReplicas: 4, ScaleTargetRef: autoscalingv1.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "d"},
		},
	}, metav1.CreateOptions{})
	check(err)
	newer, err := client.AutoscalingV2().HorizontalPodAutoscalers(all.namespace).Get(ctx, "more-"+how, metav1.GetOptions{})
	check(err)
	say("%s autoscaler %s", how, shown(newer.Spec))
	newer.Spec.Metrics = append(newer.Spec.Metrics, autoscalingv2.MetricSpec{Type: autoscalingv2.PodsMetricSourceType, Pods: &autoscalingv2.PodsMetricSource{
		Metric: autoscalingv2.MetricIdentifier{Name: "m"},
		Target: autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: resource.NewQuantity(2048, resource.BinarySI)},
	}})
	_, err = client.AutoscalingV2().HorizontalPodAutoscalers(all.namespace).Update(ctx, newer, metav1.UpdateOptions{})
	check(err)
	older, err := scalers.Get(ctx, "more-"+how, metav1.GetOptions{})
	check(err)
	say("%s autoscaler of old %s %s", how, shown(older.Spec), older.Annotations["autoscaling.alpha.kubernetes.io/metrics"])
}

// failures are what the server says where it says no.
func failures(ctx context.Context, all clients) {
	_, err := all.typed.CoreV1().ConfigMaps(all.namespace).Get(ctx, "none", metav1.GetOptions{})
	report("json get", err)
	maps := all.protobuf.CoreV1().ConfigMaps(all.namespace)
	_, err = maps.Get(ctx, "none", metav1.GetOptions{})
	report("protobuf get", err)
	_, err = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "Not A Name"}}, metav1.CreateOptions{})
	report("protobuf create", err)
	made, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "twice"}}, metav1.CreateOptions{})
	check(err)
	_, err = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "twice"}}, metav1.CreateOptions{})
	report("protobuf create again", err)
	made.ResourceVersion = "1"
	_, err = maps.Update(ctx, made, metav1.UpdateOptions{})
	report("protobuf update", err)
	_, err = maps.List(ctx, metav1.ListOptions{LabelSelector: "a b"})
	report("protobuf list", err)
	_, err = all.protobuf.AppsV1().Deployments(all.namespace).Create(ctx, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "empty"}}, metav1.CreateOptions{})
	report("protobuf invalid", err)
}

func report(what string, err error) {
	status, ok := err.(apierrors.APIStatus)
	if !ok {
		say("%s: not a status: %v", what, err)
		return
	}
	told := status.Status()
	causes := []string{}
	if told.Details != nil {
		for _, cause := range told.Details.Causes {
			causes = append(causes, cause.Field)
		}
	}
	sort.Strings(causes)
	say("%s: %d %s %q", what, told.Code, told.Reason, strings.Join(causes, " "))
}

// subresources scales, and asks about rights.
func subresources(ctx context.Context, all clients) {
	deployments := all.protobuf.AppsV1().Deployments(all.namespace)
	_, err := deployments.Create(ctx, deployment("scaled"), metav1.CreateOptions{})
	check(err)
	scale, err := deployments.GetScale(ctx, "scaled", metav1.GetOptions{})
	check(err)
	say("scale %d %q", scale.Spec.Replicas, scale.Status.Selector)
	scale.Spec.Replicas = 5
	scale, err = deployments.UpdateScale(ctx, "scaled", scale, metav1.UpdateOptions{})
	check(err)
	say("scaled %d", scale.Spec.Replicas)
}

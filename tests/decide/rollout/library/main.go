// Program library asks OCM's own rollout library, a question per line, and prints its answers.
//
// It is a judge of the decisions made in Python: groups go in as PlacementDecisions, so that reading those
// is judged as well. Time stands still at the moment that a question names.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	testingclock "k8s.io/utils/clock/testing"
	clusterv1alpha1 "open-cluster-management.io/api/cluster/v1alpha1"
	clusterv1beta1 "open-cluster-management.io/api/cluster/v1beta1"
	rollout "open-cluster-management.io/sdk-go/pkg/apis/cluster/v1alpha1"
	placements "open-cluster-management.io/sdk-go/pkg/apis/cluster/v1beta1"
)

type state struct {
	Cluster string     `json:"cluster"`
	State   string     `json:"state"`
	Since   *time.Time `json:"since,omitempty"`
}

type question struct {
	Now       time.Time                           `json:"now"`
	Strategy  clusterv1alpha1.RolloutStrategy     `json:"strategy"`
	Decisions []*clusterv1beta1.PlacementDecision `json:"decisions"`
	States    []state                             `json:"states"`
}

type answer struct {
	RollOut  []state  `json:"roll_out"`
	TimedOut []state  `json:"timed_out"`
	Removed  []state  `json:"removed"`
	Breach   bool     `json:"breach"`
	Recheck  *float64 `json:"recheck"`
	Error    string   `json:"error,omitempty"`
}

var names = map[string]rollout.RolloutStatus{
	"ToApply": rollout.ToApply, "Progressing": rollout.Progressing, "Succeeded": rollout.Succeeded,
	"Failed": rollout.Failed, "TimeOut": rollout.TimeOut, "Skip": rollout.Skip,
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		if err := encoder.Encode(ask(lines.Bytes())); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ask(line []byte) answer {
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return answer{Error: err.Error()}
	}
	rollout.RolloutClock = testingclock.NewFakeClock(q.Now)
	placement := &clusterv1beta1.Placement{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "n"}}
	tracker := placements.NewPlacementDecisionClustersTracker(placement, held(q.Decisions), nil)
	if err := tracker.Refresh(); err != nil {
		return answer{Error: err.Error()}
	}
	handler, err := rollout.NewRolloutHandler[string](tracker, nil)
	if err != nil {
		return answer{Error: err.Error()}
	}
	_, result, err := handler.GetRolloutCluster(q.Strategy, known(q.States))
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{
		told(result.ClustersToRollout), told(result.ClustersTimeOut), told(result.ClustersRemoved),
		result.MaxFailureBreach, seconds(result.RecheckAfter), "",
	}
}

func seconds(after *time.Duration) *float64 {
	if after == nil {
		return nil
	}
	value := after.Seconds()
	return &value
}

func known(states []state) []rollout.ClusterRolloutStatus {
	found := make([]rollout.ClusterRolloutStatus, 0, len(states))
	for _, s := range states {
		status := rollout.ClusterRolloutStatus{ClusterName: s.Cluster, Status: names[s.State]}
		if s.Since != nil {
			status.LastTransitionTime = &metav1.Time{Time: *s.Since}
		}
		found = append(found, status)
	}
	return found
}

func told(statuses []rollout.ClusterRolloutStatus) []state {
	found := []state{}
	for _, s := range statuses {
		for name, status := range names {
			if status == s.Status {
				found = append(found, state{Cluster: s.ClusterName, State: name})
			}
		}
	}
	return found
}

// held is a lister over the decisions of a question.
type held []*clusterv1beta1.PlacementDecision

func (h held) List(_ labels.Selector, _ string) ([]*clusterv1beta1.PlacementDecision, error) {
	return h, nil
}

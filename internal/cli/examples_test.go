package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestKubernetesExample: the fields of the Job that make it work are there, shares and
// completions agree, and the program takes the arguments. (Kubernetes' own types would
// bring more code than they check.)
func TestKubernetesExample(t *testing.T) {
	text, err := os.ReadFile("../../examples/kubernetes/segment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type mounted struct {
		Name      string
		MountPath string `yaml:"mountPath"`
	}
	var job struct {
		Kind string
		API  string `yaml:"apiVersion"`
		Spec struct {
			Mode        string `yaml:"completionMode"`
			Completions int
			Template    struct {
				Spec struct {
					Restart    string `yaml:"restartPolicy"`
					Containers []struct {
						Args   []string
						Mounts []mounted `yaml:"volumeMounts"`
					}
					Volumes []struct{ Name string }
				}
			}
		}
	}
	if err := yaml.Unmarshal(text, &job); err != nil {
		t.Fatal(err)
	}
	pod := job.Spec.Template.Spec
	if job.Kind != "Job" || job.API != "batch/v1" || job.Spec.Mode != "Indexed" || pod.Restart != "Never" || len(pod.Containers) != 1 {
		t.Fatalf("%+v", job)
	}
	for _, m := range pod.Containers[0].Mounts {
		if !slices.ContainsFunc(pod.Volumes, func(v struct{ Name string }) bool { return v.Name == m.Name }) {
			t.Errorf("no volume %s", m.Name)
		}
	}
	list, labels, dir := manyPhotos(t, 5), filepath.Join(t.TempDir(), "labels.txt"), t.TempDir()
	if err := os.WriteFile(labels, []byte("cat\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{"--model", model}
	for _, a := range pod.Containers[0].Args {
		a = strings.NewReplacer("/lists/photos.txt", list, "/lists/labels.txt", labels, "/masks", dir, "$(JOB_COMPLETION_INDEX)", "3").Replace(a)
		args = append(args, a)
		if share, ok := strings.CutPrefix(a, "--shard=3/"); ok && share != "16" || job.Spec.Completions != 16 {
			t.Errorf("%d completions, share %s", job.Spec.Completions, a)
		}
	}
	args = append(args[2:], args[:2]...)
	if r := runProgram(t, nil, args...); r.code != exitDone || !strings.Contains(r.errors, "1 photo done") {
		t.Errorf("%+v", r)
	}
}

// TestSlurmExample: the tasks of an array together do what one run does.
func TestSlurmExample(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	list, labels, dir := manyPhotos(t, 7), filepath.Join(t.TempDir(), "labels.txt"), t.TempDir()
	if err := os.WriteFile(labels, []byte("cat\ndog\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	// The script names no model: a wrapper does.
	wrapper := filepath.Join(t.TempDir(), "groupvit")
	if err := os.WriteFile(wrapper, []byte("#!/bin/bash\nexec '"+program+"' \"$@\" --model '"+model+"'\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	whole, array := filepath.Join(dir, "whole"), filepath.Join(dir, "array")
	task := func(i, n, out string) {
		cmd := exec.Command(bash, "../../examples/slurm/segment.sbatch", list, labels, out)
		cmd.Env = append(os.Environ(), "GROUPVIT="+wrapper, "SLURM_ARRAY_TASK_ID="+i, "SLURM_ARRAY_TASK_COUNT="+n, "SLURM_CPUS_PER_TASK=1")
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, b)
		}
	}
	task("0", "1", whole)
	for _, i := range []string{"0", "1", "2"} {
		task(i, "3", array)
	}
	sameFiles(t, contents(t, array), contents(t, whole))
	if b, err := exec.Command(bash, "../../examples/slurm/segment.sbatch").CombinedOutput(); err == nil || !strings.Contains(string(b), "usage") {
		t.Errorf("%v\n%s", err, b)
	}
}

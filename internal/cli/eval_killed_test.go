package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// A measurement by the real program, killed several times and continued, ends with
// the report of one that was not.
func TestEvalKilled(t *testing.T) {
	root := t.TempDir()
	const photos = 60
	list := ""
	for i := range photos {
		id := fmt.Sprintf("p%02d", i)
		list += id + "\n"
		writePhoto(t, root, "JPEGImages/"+id+".png")
		values := make([]uint8, 60*45)
		for k := range values {
			values[k] = []uint8{0, 8, 12, 255}[(k/(5+i)+i)%4]
		}
		writeBytes(t, root, "SegmentationClass/"+id+".png", maskPNG(t, 60, values))
	}
	writeBytes(t, root, "ImageSets/Segmentation/val.txt", []byte(list))
	args := func(out string) []string {
		return []string{"eval", "segmentation", "--dataset", "voc12", "--root", root, "--model", model, "--workers", "1", "--pictures", "1", "--output", out}
	}
	report := func(out string) map[string]any {
		text, err := os.ReadFile(filepath.Join(out, "report.json"))
		if err != nil {
			t.Fatal(err)
		}
		var r map[string]any
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"seconds", "images_per_second", "resumed", "command"} {
			delete(r, key)
		}
		return r
	}
	whole, broken := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "broken")
	if r := runProgram(t, nil, args(whole)...); r.code != exitDone {
		t.Fatalf("%+v", r)
	}
	done := filepath.Join(broken, "done.jsonl")
	kills := 0
	for _, until := range []int{10, 25, 40} {
		c := exec.Command(program, args(broken)...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if text, err := os.ReadFile(done); err == nil && bytes.Count(text, []byte("\n")) > until {
				break
			}
		}
		if c.Process.Kill() == nil {
			kills++
		}
		_ = c.Wait()
	}
	r := runProgram(t, nil, args(broken)...)
	if r.code != exitDone || kills == 0 || !strings.Contains(r.out, "were measured before") {
		t.Fatalf("%d kills, %+v", kills, r)
	}
	if a, b := report(whole), report(broken); !reflect.DeepEqual(a, b) {
		t.Errorf("another report:\n%v\n%v", a, b)
	}
}

// Package cgroup reads how much of the machine a control group of Linux leaves to this
// process: containers, batch systems and systemd set such limits. Both versions of
// control groups are read. Elsewhere there are none.
package cgroup

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// Limits are those of the process's group and of the groups above it.
type Limits struct {
	// Memory is in bytes; 0 where there is no limit.
	Memory int64
	// CPUs is the share of processor time, in processors, as 1.5; 0 where there is no
	// limit.
	CPUs float64
}

// Read reads the limits of this process.
func Read() Limits { return read(os.DirFS("/")) }

// smallest returns the smaller of two limits, where 0 is none.
func smallest[N int64 | float64](a, b N) N {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// unlimited is from where on version 1 means that there is no limit: it writes the
// largest number of whole pages.
const unlimited = 1 << 60

// read reads the limits below a root.
func read(root fs.FS) Limits {
	var l Limits
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return l
	}
	// A line is NUMBER:CONTROLLERS:PATH; version 2 is number 0, without controllers.
	for line := range strings.Lines(string(groups)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, ok := strings.Cut(rest, ":")
		if !ok {
			continue
		}
		for _, dir := range above(group) {
			switch {
			case controllers == "":
				in := path.Join("sys/fs/cgroup", dir)
				l.Memory = smallest(l.Memory, number(root, in+"/memory.max"))
				l.CPUs = smallest(l.CPUs, quota(words(root, in+"/cpu.max")))
			case strings.Contains(","+controllers+",", ",memory,"):
				if n := number(root, path.Join("sys/fs/cgroup/memory", dir)+"/memory.limit_in_bytes"); n < unlimited {
					l.Memory = smallest(l.Memory, n)
				}
			case strings.Contains(","+controllers+",", ",cpu,"):
				in := path.Join("sys/fs/cgroup/cpu", dir)
				l.CPUs = smallest(l.CPUs, quota(append(words(root, in+"/cpu.cfs_quota_us"), words(root, in+"/cpu.cfs_period_us")...)))
			}
		}
	}
	return l
}

// above are a group and those above it, up to the root: "a/b", "a", "". A container
// often sees its own group as the root, whatever its path says.
func above(group string) []string {
	dirs := []string{}
	for dir := path.Clean("/" + group)[1:]; dir != ""; dir = strings.TrimPrefix(path.Dir("/"+dir), "/") {
		dirs = append(dirs, dir)
	}
	return append(dirs, "")
}

// words are those of a small file; none where it cannot be read.
func words(root fs.FS, name string) []string {
	b, err := fs.ReadFile(root, name)
	if err != nil || len(b) > 256 {
		return nil
	}
	return strings.Fields(string(bytes.TrimSpace(b)))
}

// number is that in a file; 0 for "max", and where there is none.
func number(root fs.FS, name string) int64 {
	w := words(root, name)
	if len(w) != 1 {
		return 0
	}
	n, err := strconv.ParseInt(w[0], 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// quota is that of processor time, given as the time and the period that it is for.
func quota(w []string) float64 {
	if len(w) != 2 {
		return 0
	}
	time, err1 := strconv.ParseFloat(w[0], 64)
	period, err2 := strconv.ParseFloat(w[1], 64)
	if err1 != nil || err2 != nil || !(time > 0 && period > 0) { // "max", or -1 in version 1
		return 0
	}
	return time / period
}

package cli

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/cgroup"
)

func TestBuiltVersion(t *testing.T) {
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	revision := setting("vcs.revision", "0123456789abcdef0123")
	for _, c := range []struct {
		main     string
		settings []debug.BuildSetting
		want     string
	}{
		{"v1.2.3", nil, "v1.2.3"},
		{"(devel)", nil, "(devel)"},
		{"(devel)", []debug.BuildSetting{revision, setting("vcs.modified", "false")}, "devel-0123456789ab"},
		{"", []debug.BuildSetting{revision, setting("vcs.modified", "true")}, "devel-0123456789ab+dirty"},
	} {
		if got := builtVersion(&debug.BuildInfo{Main: debug.Module{Version: c.main}, Settings: c.settings}); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestMachineLimits(t *testing.T) {
	if got := machineLimits(cgroup.Limits{}); !strings.Contains(got, "no limit of memory") {
		t.Error(got)
	}
	if got := machineLimits(cgroup.Limits{Memory: 2 << 30, CPUs: 1.5}); !strings.Contains(got, "2.0 GiB") || !strings.Contains(got, "1.5 processors") {
		t.Error(got)
	}
}

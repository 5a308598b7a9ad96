package level

import "testing"

func TestForceAndSetting(t *testing.T) {
	before := Current()
	undo := Force(Off)
	if Current() != Off {
		t.Errorf("Force(Off) leaves %v", Current())
	}
	undo()
	if Current() != before {
		t.Errorf("undone, the level is %v, not %v", Current(), before)
	}
	for setting, want := range map[string]Level{"off": Off, "avx2": min(AVX2, Best()), "avx512": min(AVX512, Best()), "avx512vnni": min(AVX512VNNI, Best()), "avx512bf16": Best(), "": Best(), "neon": Best()} {
		if got := FromEnvironment(setting); got != want {
			t.Errorf("GROUPVIT_SIMD=%s gives %v, not %v", setting, got, want)
		}
	}
	t.Logf("tested paths: off to %v", Best())
}

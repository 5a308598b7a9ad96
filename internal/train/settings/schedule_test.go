package settings

import (
	"math"
	"testing"
)

// Values of the official schedule for GCC+YFCC: 6,997 steps a pass, batch 4096.
func TestOfficialSchedule(t *testing.T) {
	s := Default()
	p := s.Plan(30*6997, 6997)
	if p.warmup != 13994 || p.total != 209910 {
		t.Fatalf("warm-up %d, total %d", p.warmup, p.total)
	}
	for _, c := range []struct {
		update int
		want   float64
	}{
		{0, 4e-6}, {1, 4e-6}, // the schedule is one update late
		{2, 4e-6 + 1.596e-3/13994},
		{6998, 8.02e-4},
		{13994, 4e-6 + 13993*1.596e-3/13994},
		{13995, 1.58296e-3}, // the cosine is not shifted: a small step down
		{209911, 4e-5}, {300000, 4e-5},
	} {
		if got := p.Rate(c.update); math.Abs(got-c.want) > 1e-8 {
			t.Errorf("update %d: %.9g, want %.9g", c.update, got, c.want)
		}
	}
}

func TestScheduleScaling(t *testing.T) {
	s := Default()
	s.Batch = 64
	p := s.Plan(1000, 100)
	if math.Abs(p.peak-2.5e-5) > 1e-12 || math.Abs(p.final-6.25e-7) > 1e-12 || p.warmup != 200 {
		t.Errorf("%+v", p)
	}
	s.Schedule = Schedule{WarmupShare: 0.04, FinalRate: 1e-5}
	p = s.Plan(1000, 100)
	if p.warmup != 40 || p.peak != 1.6e-3 || p.Rate(0) != 0 || p.Rate(1000) != 1e-5 {
		t.Errorf("%+v", p)
	}
}

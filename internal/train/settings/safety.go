package settings

import "fmt"

// Safety says which steps are broken, what happens then, and when a model is
// reported as collapsed.
type Safety struct {
	// Spike is the number of deviations above the median of the last Window good
	// losses from which a loss is broken; see guard.limit. 0 turns it off.
	Spike float64
	// Window is the number of losses that are compared with.
	Window int
	// RollBackAfter so many broken steps in a row, the run goes back to its last
	// good checkpoint; 0 never does.
	RollBackAfter int
	// MaxRollBacks ends the run at the next one.
	MaxRollBacks int
	// CollapseWindow is the number of steps over which signs of collapse are
	// averaged; 0 looks for none.
	CollapseWindow int
}

func DefaultSafety() Safety {
	return Safety{Spike: 10, Window: 64, RollBackAfter: 3, MaxRollBacks: 5, CollapseWindow: 500}
}

func (s Safety) validate() error {
	switch {
	case !(s.Spike >= 0 && s.Spike <= 1e6):
		return fmt.Errorf("spike %g: it must be 0 (off) to 1e6 deviations", s.Spike)
	case s.Window < 8 || s.Window > 4096:
		return fmt.Errorf("window %d: it must be 8 to 4096 losses", s.Window)
	case s.RollBackAfter < 0 || s.MaxRollBacks < 0:
		return fmt.Errorf("roll_back_after %d and max_roll_backs %d must not be negative", s.RollBackAfter, s.MaxRollBacks)
	case s.CollapseWindow < 0:
		return fmt.Errorf("collapse_window %d: it must not be negative", s.CollapseWindow)
	}
	return nil
}

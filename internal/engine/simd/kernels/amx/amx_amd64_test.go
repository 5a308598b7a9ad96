package amx

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/groupvit/groupvit/internal/engine/simd/kernels/kerneltest"
)

// The generated microkernels of tiles run here in the interpreter of package kerneltest, from the bytes of their
// instructions: so their addresses and loops are tested where no CPU has tiles. That the bytes are the instructions
// which their comments name is held against a disassembler beside the generator.

// interpreted runs the generated microkernels in the interpreter.
func interpreted(t *testing.T, all map[string]*kerneltest.Routine) Runner {
	return func(kind Kind, x *Call) {
		r := all[kind.String()]
		if r == nil {
			t.Fatalf("%s is missing", kind.String())
		}
		kerneltest.RunRoutine(t, r, unsafe.Pointer(x))
	}
}

// The generated microkernels compute what the model says.
func TestAMXMicrokernels(t *testing.T) {
	run := interpreted(t, kerneltest.RoutinesOf(t, "amx_linux_amd64.s"))
	if !soundPairs(run) || !soundBytes(run) {
		t.Fatal("the generated microkernels differ from the model")
	}
}

// A microkernel with one wrong operand, whichever multiplication, load or store it is in, is refused by the check that
// every machine makes before it uses tiles.
func TestAMXCheckSeesWrongOperands(t *testing.T) {
	wrong := 0
	for _, kind := range []Kind{Kernel2x2, Kernel1x4, Kernel1x2, Bytes2x2, Bytes1x2} {
		name := kind.String()
		for i, line := range kerneltest.RoutinesOf(t, "amx_linux_amd64.s")[name].Code {
			if line[0] != "BYTE" {
				continue
			}
			text := strings.Join(line[1:], " ")
			var changed []string
			switch {
			case strings.Contains(text, "BYTE $0x5c; "): // exchange B's tiles 6 and 7
				for _, p := range [][2]string{{"$0x4a", "$0x42"}, {"$0x42", "$0x4a"}} {
					if s := strings.Replace(text, p[0]+"; BYTE $0x5c", p[1]+"; BYTE $0x5c", 1); s != text {
						changed = append(changed, s)
					}
				}
			case strings.Contains(text, "BYTE $0x5e; "): // the same, and other signs
				for _, p := range [][2]string{{"$0x49", "$0x41"}, {"$0x41", "$0x49"}, {"$0x49", "$0x4b"}, {"$0x49", "$0x4a"}, {"$0x49", "$0x48"},
					{"$0x41", "$0x43"}, {"$0x41", "$0x42"}, {"$0x41", "$0x40"}} {
					if s := strings.Replace(text, p[0]+"; BYTE $0x5e", p[1]+"; BYTE $0x5e", 1); s != text {
						changed = append(changed, s)
					}
				}
			case strings.HasSuffix(text, "BYTE $0x40"): // a neighbour's columns
				changed = append(changed, strings.TrimSuffix(text, "BYTE $0x40")+"BYTE $0x20")
			}
			for _, c := range changed {
				all := kerneltest.RoutinesOf(t, "amx_linux_amd64.s")
				all[name].Code[i] = []string{"BYTE", c}
				if wrong++; soundPairs(interpreted(t, all)) && soundBytes(interpreted(t, all)) {
					t.Errorf("%s, instruction %d: the check accepts %s", name, i, c)
				}
			}
		}
	}
	if wrong < 40 {
		t.Errorf("only %d wrong microkernels were tried", wrong)
	}
}

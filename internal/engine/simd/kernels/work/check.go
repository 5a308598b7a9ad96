package work

// CheckLen panics when a slice is too short for the shape it came with.
func CheckLen(function, slice string, have, want int) {
	if have < want || want < 0 {
		panic("kernels." + function + ": " + slice + " is shorter than its shape")
	}
}

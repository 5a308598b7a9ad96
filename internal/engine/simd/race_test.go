//go:build race

package simd_test

func init() { raceDetector = true }

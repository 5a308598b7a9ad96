//go:build race

package kerneltest

func init() { RaceDetector = true }

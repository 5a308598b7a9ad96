// Package speed measures how fast the engines run the network: milliseconds,
// arithmetic a second, and what share that is of the fastest this machine can
// multiply matrices.
//
// Engines that are compared take turns within one run, so that whatever else the
// machine does hits all of them. Weights are drawn: their values change no time.
package speed

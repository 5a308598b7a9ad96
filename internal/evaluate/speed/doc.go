// Package speed measures how fast the engines run the network: milliseconds,
// arithmetic a second, and what share that is of the fastest this machine can
// multiply matrices.
package speed

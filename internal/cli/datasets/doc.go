// Package datasets has the commands below "data": synth, pack, validate, stats, convert,
// speed, vocabulary and label.
package datasets

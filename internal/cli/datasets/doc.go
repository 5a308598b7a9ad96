// Package datasets has the commands below "data": synth, pack, validate, stats, convert,
// speed, vocabulary, label and masks.
package datasets

// Package vocab holds words: the prompt templates that turn a name into a text,
// the class lists of the benchmarks, words for background, and the reading of
// labels that a user gives.
package vocab

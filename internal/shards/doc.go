// Package shards finds and reads files of many photos: which files a text with
// braces, stars and "::" names, what is inside tar shards (compressed or not), and
// which members are one sample. It is the one grammar of shards for training,
// benchmarks and batches.
//
// Whatever is not used is counted in a [LeftOut], by what it is.
//
// Read in this order: sources (which files), tar (what is in one), group (which
// members belong together), files (reading a part later), leftout.
package shards

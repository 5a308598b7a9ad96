// Package pairs turns shards of image–caption samples into batches, one stage a
// file: sources (which files), shards (which samples are in them, without
// reading the pictures), samples (picture, captions, tags of one), order (which
// sample comes when), augment (crop, flip, colours), prompts (captions and
// nouns), loader (batches, made ahead in the background).
//
// Every random choice follows from the seed and the place in the stream, never
// from what was drawn before or from which goroutine was faster: batch n is the
// same for any number of workers, and whether it was reached by reading the n
// batches before it or by [Loader.Seek].
//
// A sample that cannot be used (a broken picture, no caption, a shard cut in
// the middle) never stops the stream: another takes its place, and
// [Loader.Report] counts it with the reason.
package pairs

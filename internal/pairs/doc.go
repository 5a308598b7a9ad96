// Package pairs turns shards, Parquet files, folders and tables of image–caption
// samples into batches.
//
// Read in this order: shards (what of the sources is a sample; which files they name
// and what is in a tar is package shards'), table and parquet (samples that are rows),
// samples (picture, captions, tags of one) with captions (what JSON says) and labels
// (label maps), order (which sample comes when), augment (crop, flip, colours),
// prompts (captions and nouns), rows (targets), build and loader (batches, built ahead
// in the background). Beside it: check, stats, speed and pack, which serve the
// commands about data.
//
// Every random choice follows from the seed and the index in the stream, never
// from what was drawn before or from which goroutine was faster: batch n is the
// same for any number of workers, and whether it was reached by reading the n
// batches before it or by [Loader.Seek].
//
// A sample that cannot be used (a broken picture, no caption, a shard cut in
// the middle) never stops the stream: another replaces it, and
// [Loader.Report] counts it with the reason.
package pairs

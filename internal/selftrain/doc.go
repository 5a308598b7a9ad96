// Package selftrain makes pseudo masks: label maps of photos from what a model sees
// and what is known to be in them. In training a caption says which words a photo
// shows; the model's map restricted to these words, and to words for ground and
// scenery, is far better than its map among all words, and a student that is
// trained on such maps learns where things are (docs/training.md).
//
// One stage a file: settings, named (what captions and tags name), teacher (models
// to logits), rule (logits to a mask), balance (a bonus for each word), run (all
// photos of some sources into shards), record (what made a folder of shards),
// summary (what the masks hold).
package selftrain

// Package tune adapts a model to photos of one's own: it learns from a few photos with
// masks, and from unlabelled ones with captions, and measures on masks set aside what
// that brought.
//
// Everything lies in one folder:
//
//	OUTPUT/start/             the model that it starts from
//	OUTPUT/data/train/        the photos to learn from, as shards
//	OUTPUT/data/held-out/     the photos set aside, in package bench's layout "folder"
//	OUTPUT/run/               the training, as package train leaves it
//	OUTPUT/final/             the tuned model, or that of start where nothing was gained
//	OUTPUT/tune.json          what made it, and what was measured
//
// Read in this order: tune (the way), data (what is set aside), words (the classes'
// words among the model's), settings (how it learns), record (what a run in the same
// folder must have in common).
package tune

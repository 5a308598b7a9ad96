// Package train trains GroupViT from captioned photos: the run around the training
// step, with what it leaves on disk and what keeps it alive.
//
// The package is three rooms, and imports point down:
//
//	train           the run: loop, checkpoints, log, measurements, guards
//	train/stepper   one training step on an engine: graph, gradients, AdamW
//	train/settings  what a recipe may say: fields, defaults, checks, flags, schedule
//
// settings knows neither an engine nor a file of a run, stepper knows nothing of
// time, files or progress. Read in this order: run.go (the loop), prepare.go (what
// a run begins with), feed.go (batches made ahead), checkpoint.go, guard.go and
// recover.go (steps that are broken), monitor.go (signs of collapse), measure.go
// and pictures.go (the model so far), log.go, course.go and words.go.
//
// A run can be stopped at any moment and continued: what a step computes depends
// on the settings, the weights and the step's number alone, so a continued run
// has the same losses, to the bit, as one that was never stopped (same binary,
// same engine, same number of threads).
package train

// Package train trains GroupViT from shards of captioned pictures: settings and
// recipes (settings, recipe), the learning rate (schedule), AdamW (optimizer),
// one compiled training step (step), what a run leaves on disk (checkpoint, log)
// and the loop that ties them together (run).
//
// A run can be stopped at any moment and continued: what a step computes depends
// on the settings, the weights and the step's number alone, so a continued run
// has the same losses, to the bit, as one that was never stopped (same binary,
// same engine, same number of threads).
package train

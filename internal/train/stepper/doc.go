// Package stepper makes training steps on an engine: the network's losses, their
// gradients, clipping and AdamW, compiled once and fed batch by batch.
//
// Read in this order: step.go (the weights and a step), step_whole.go (a batch as one
// graph), update.go and optimizer.go (AdamW), targets.go (what the losses want),
// ready.go and inputs.go (numbers on their way to the device), random.go, devices.go;
// then steps in parts, whose batch never is in memory as a whole: parts.go and
// step_parts.go (towers), heads.go and step_heads.go (heads over the whole batch),
// step_losses.go (losses in blocks of rows). learner.go minimises any other loss of
// named tensors with the same optimizer.
package stepper

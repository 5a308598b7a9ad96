// Package evaluate measures models: mean intersection over union of
// segmentations, zero-shot classification, retrieval of captions and pictures.
package evaluate

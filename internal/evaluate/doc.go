// Package evaluate measures models: mean intersection over union of
// segmentations, retrieval of captions and pictures.
package evaluate

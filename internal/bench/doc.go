// Package bench reads segmentation benchmarks in their own layouts: which
// photos, which masks, which classes their values stand for.
package bench

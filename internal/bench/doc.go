// Package bench reads benchmarks in their own layouts: which photos, which masks,
// which classes their values stand for; and photos in a folder a class.
package bench

// Package passes trains a recipe of several passes: a model from captions, then
// students that learn from pseudo masks which the model before them makes
// (package selftrain), each from where that one ended.
//
// Everything lies in one folder:
//
//	OUTPUT/1-captions/         the run of the first pass, as package train leaves it
//	OUTPUT/2-student/masks/    the pseudo masks: an ordinary source of training
//	OUTPUT/2-student/          the run that learns from them
//	OUTPUT/final/              the last pass's model
//
// A run that was stopped anywhere goes on there, with the same bits.
package passes

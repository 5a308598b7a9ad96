// Package synth draws small synthetic pictures with captions and exact masks:
// one of four grounds with one to four objects of eight kinds on it.
//
// Training on them takes minutes on a CPU and shows whether a network learns to
// group and to name, because the truth is known for every pixel. Colours do not
// tell the classes apart, only shapes and textures do.
//
// A scene depends on nothing but the seed, its number and the options: the same
// scenes come out on every platform and in any order.
package synth

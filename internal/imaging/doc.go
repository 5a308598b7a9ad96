// Package imaging turns encoded photos into RGB pixels within the caps of
// package limits, brings them upright, resizes them exactly as the tools the
// model was trained and measured with (Pillow, OpenCV, PyTorch), and
// normalises them to the network's input.
//
// [Decode] is the only door for bytes from outside; it reads the header first
// and checks every cap before a pixel is allocated.
package imaging

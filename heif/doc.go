// Package heif makes [github.com/groupvit/groupvit.Decode] read HEIC and AVIF, the
// photos of phones. A program imports it for that alone:
//
//	import _ "github.com/groupvit/groupvit/heif"
//
// The command does so. It is a package of its own for its size, some 4 MB, and for its
// licences: the decoders (libheif and libde265, LGPL-3.0; libavif and aom, BSD) run as
// WebAssembly in github.com/tetratelabs/wazero (Apache-2.0), through
// github.com/gen2brain/heic and …/avif (MIT). Their memory is their own, and one photo is
// decoded at a time.
//
// Those modules look for the system's libraries first, which needs the system's linker:
// a program without cgo would not be static any more. There the package does nothing
// unless it is built with the tag nodynamic, which leaves that out (go build -tags
// nodynamic). Nor does it anything where a library of the system was found: that would
// read a stranger's file outside of the sandbox.
package heif

// Package simd is a GoMLX compute backend with vector kernels: the engine `simd`.
//
// GoMLX builds a graph by calling methods of [Function]. Each call is recorded as a node, and repeated on a shadow
// function of the plain Go backend, which checks it and infers the shapes (function.go, ops_*.go). Compile then
//
//   - puts one operation in place of what differentiation writes out, where there is a kernel for it (fuse.go),
//   - leaves out what no output needs (live.go),
//   - groups elementwise operations of one shape that can run as one pass (cluster.go),
//   - lowers nodes in order (compile.go, lower_*.go): transposes, slices, broadcasts and reshapes become views of the
//     memory they look at (view.go), the rest becomes steps that call package kernels; steps on constants alone run
//     at once, and constant weights are packed once for all executables of the backend (share.go),
//   - hands every node that has no lowering to the plain Go backend, runs of them as one executable (island.go),
//   - gives every intermediate result a place in one arena by its lifetime (plan.go).
//
// An execution (execute.go) borrows an arena, runs the steps one after the other, each split over the threads of the
// backend's pool, and returns buffers of its own. Executions may run side by side.
//
// Results do not depend on the number of threads.
package simd

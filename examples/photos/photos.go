// Package photos holds the example photos, which the web demo offers to begin with.
// NOTICE.md says where they come from.
package photos

import "embed"

// Files are the photos, JPEGs of at most some hundred kilobytes.
//
//go:embed *.jpg
var Files embed.FS

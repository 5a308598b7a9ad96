// Package models has the commands below "model": list, pull, rm, show, convert and
// export.
package models

// Package output is the one table of the forms in which an answer about a photo can be
// had: the files that the command writes and the formats that the server sends.
//
// A new format is an entry of the table in table.go.
package output

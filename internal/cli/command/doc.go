// Package command is what the rooms of the command line share: the environment of a
// call (where it reads and writes, flags of all commands, opening models), errors of
// wrong usage, flags for labels and techniques, reading photos, writing files whole,
// progress, and suggestions for what is misspelt.
package command

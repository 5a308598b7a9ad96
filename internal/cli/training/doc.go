// Package training has the commands train and config, and the flags of training's
// settings.
package training

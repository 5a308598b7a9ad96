// Package labelstudio is what a Label Studio ML backend says and hears, without HTTP:
// the labelling interface of a project becomes labels to look for ([ParseConfig]), a
// task's photo comes from the one Label Studio that the server was started for
// ([Backend.Predict]), and what was found becomes regions as its editor takes them.
//
// Read in this order: backend.go (what is asked and answered), config.go (a project's
// labels), regions.go, brush.go and bitmask.go (what was found), fetch.go and token.go (where
// photos come from).
package labelstudio

// Package photos has the commands that work on photos: segment, with its runs over
// folders, lists and shards (segment_*.go), explain, groups, classify, embed, video and
// join.
package photos

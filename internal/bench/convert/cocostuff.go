package convert

import "context"

// COCO-Stuff's pixel maps (stuffthingmaps_trainval2017) hold COCO's category
// numbers less one: 0 to 90 are things, of which 80 are used, 91 to 181 stuff, 255
// is not labelled.

// unusedThings are the values of things that COCO never published.
var unusedThings = map[int]bool{11: true, 25: true, 28: true, 29: true, 44: true, 65: true, 67: true, 68: true, 70: true, 82: true, 90: true}

const (
	firstStuff  = 91
	lastStuff   = 181
	notLabelled = 255
)

// The ends of the masks' names, by which package bench finds them.
const (
	objectEnd = "_instanceTrainIds.png"
	stuffEnd  = "_labelTrainIds.png"
)

// thingRanks gives each used value of a thing its rank from 0, others −1.
func thingRanks() *table {
	t := newTable(-1)
	rank := 0
	for v := range firstStuff {
		if !unusedThings[v] {
			t[v] = rank
			rank++
		}
	}
	return t
}

// objectTable is COCO-Object's: 0 is background (stuff, and what is not labelled),
// things are 1 to 80.
func objectTable() *table {
	t := thingRanks()
	for v, rank := range t {
		switch {
		case rank >= 0:
			t[v] = rank + 1
		case v >= firstStuff && v <= lastStuff || v == notLabelled:
			t[v] = 0
		}
	}
	return t
}

// stuffTable is COCO-Stuff 164k's: things are 0 to 79, stuff 80 to 170.
func stuffTable() *table {
	t := thingRanks()
	things := 80
	for v := firstStuff; v <= lastStuff; v++ {
		t[v] = things + v - firstStuff
	}
	t[notLabelled] = notLabelled
	return t
}

func cocoObject(ctx context.Context, o Options) (*Result, error) {
	return relabelTree(ctx, o, "annotations", ".png", objectEnd, []string{objectEnd, stuffEnd}, objectTable())
}

func cocoStuff(ctx context.Context, o Options) (*Result, error) {
	return relabelTree(ctx, o, "annotations", ".png", stuffEnd, []string{objectEnd, stuffEnd}, stuffTable())
}

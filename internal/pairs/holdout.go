package pairs

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
)

// HoldOut takes a share of the samples, 0 to 1, out of an index and returns them. Which
// ones follows from their keys alone, so that the same photos are set aside wherever
// they come again: in another pass, in shards with label maps, after more were added.
func (x *Index) HoldOut(share float64) (aside *Index) {
	aside = &Index{files: x.files, inline: x.inline, tables: x.tables, pages: x.pages}
	rest, held := x.part(share, false), x.part(share, true)
	aside.entries, aside.starts, aside.parts, aside.firsts = held.entries, held.starts, held.parts, held.firsts
	x.entries, x.starts, x.parts, x.firsts = rest.entries, rest.starts, rest.parts, rest.firsts
	return aside
}

// part lists the samples that are set aside, or the others.
func (x *Index) part(share float64, aside bool) *Index {
	y := &Index{}
	places := map[int32]int32{} // of a sample's first entry, here by there
	for s, first := range x.starts {
		end := len(x.entries)
		if s+1 < len(x.starts) {
			end = x.starts[s+1]
		}
		y.starts, y.parts = append(y.starts, len(y.entries)), append(y.parts, x.parts[s])
		for i := first; i < end; i++ {
			if isHeldOut(x.entries[i].key, share) != aside {
				continue
			}
			at := int32(x.first(i))
			if _, again := places[at]; !again {
				places[at] = int32(len(y.entries))
			}
			if x.firsts != nil {
				y.firsts = append(y.firsts, places[at])
			}
			y.entries = append(y.entries, x.entries[i])
		}
	}
	return y
}

// isHeldOut reports whether the sample of a key is among a share that is set aside. The
// key counts as it is in shards, where it may be written otherwise.
func isHeldOut(key string, share float64) bool {
	sum := sha256.Sum256([]byte(shardKey(key)))
	return float64(binary.LittleEndian.Uint64(sum[:])) < share*math.MaxUint64
}

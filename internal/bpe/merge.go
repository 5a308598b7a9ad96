package bpe

import "container/heap"

// scanLength is up to how many symbols a word is merged by scanning it for the
// best pair again and again; beyond, a heap keeps the cost at n·log n.
const scanLength = 48

// mergeAll joins adjacent symbols, the pair with the lowest rank first and of
// equal pairs the leftmost, until no pair is left that the list names. It
// works in place.
func (t *Tokenizer) mergeAll(symbols []int32) []int32 {
	if len(symbols) > scanLength {
		return t.mergeHeap(symbols)
	}
	for len(symbols) > 1 {
		best, at := merge{rank: -1}, 0
		for i := range len(symbols) - 1 {
			m, ok := t.ranks[pair{symbols[i], symbols[i+1]}]
			if ok && (best.rank < 0 || m.rank < best.rank) {
				best, at = m, i
			}
		}
		if best.rank < 0 {
			break
		}
		symbols[at] = best.id
		symbols = append(symbols[:at+1], symbols[at+2:]...)
	}
	return symbols
}

// candidate is a pair that may be merged: symbols at positions at and next.
type candidate struct {
	merge
	at, next    int32
	left, right int32 // what stood there when the candidate was made
}

type candidates []candidate

func (c candidates) Len() int { return len(c) }
func (c candidates) Less(i, j int) bool {
	return c[i].rank < c[j].rank || c[i].rank == c[j].rank && c[i].at < c[j].at
}
func (c candidates) Swap(i, j int) { c[i], c[j] = c[j], c[i] }
func (c *candidates) Push(x any)   { *c = append(*c, x.(candidate)) }
func (c *candidates) Pop() any {
	old := *c
	last := old[len(old)-1]
	*c = old[:len(old)-1]
	return last
}

// mergeHeap does what mergeAll says over a linked list of symbols.
func (t *Tokenizer) mergeHeap(symbols []int32) []int32 {
	n := int32(len(symbols))
	next, previous := make([]int32, n), make([]int32, n)
	for i := range n {
		next[i], previous[i] = i+1, i-1
	}
	var queue candidates
	consider := func(at, to int32) {
		if at < 0 || to >= n {
			return
		}
		if m, ok := t.ranks[pair{symbols[at], symbols[to]}]; ok {
			heap.Push(&queue, candidate{m, at, to, symbols[at], symbols[to]})
		}
	}
	for i := range n - 1 {
		consider(i, i+1)
	}
	const gone = -1
	for queue.Len() > 0 {
		c := heap.Pop(&queue).(candidate)
		if symbols[c.at] != c.left || next[c.at] != c.next || symbols[c.next] != c.right {
			continue // one of the two has been merged since
		}
		symbols[c.at], symbols[c.next] = c.id, gone
		next[c.at] = next[c.next]
		if next[c.at] < n {
			previous[next[c.at]] = c.at
		}
		consider(previous[c.at], c.at)
		consider(c.at, next[c.at])
	}
	left := symbols[:0]
	for _, id := range symbols {
		if id != gone {
			left = append(left, id)
		}
	}
	return left
}

package simd

import (
	"container/heap"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// unit is what is lowered at once: one node, or several elementwise ones of the same shape and sums of what they compute.
type unit struct {
	nodes  []*node // in order of recording
	merged *unit   // the unit that took this one in, or nil
	mark   int     // of the last search that came by
}

func (u *unit) root() *unit {
	for u.merged != nil {
		u = u.merged
	}
	return u
}

// clusters is the graph of units.
type clusters struct {
	of     map[*node]*unit
	search int
	// exact searches every path. Without it a search ends at units that begin after its goal, which is quicker and
	// nearly always right: only a path that goes on from there to a unit that reaches back is missed.
	exact bool
}

// cluster groups elementwise nodes. From the last node to the first, each joins the units that use it if they have
// its shape and nothing else stands between: so what only the backward pass needs is computed there, and what the
// forward pass has computed already is not kept for it.
func cluster(nodes []*node) []*unit {
	if units, ok := clusterBy(nodes, false); ok {
		return units
	}
	units, _ := clusterBy(nodes, true)
	return units
}

// clusterBy says false if units wait for each other, which an exact search excludes.
func clusterBy(nodes []*node, exact bool) (units []*unit, ok bool) {
	c := &clusters{of: map[*node]*unit{}, exact: exact}
	for _, n := range nodes {
		c.of[n] = &unit{nodes: []*node{n}}
	}
	for i := len(nodes) - 1; i >= 0; i-- {
		n := nodes[i]
		if !elementwise(n) {
			continue
		}
		for _, user := range n.values[0].users {
			u := c.of[user].root()
			if elementwise(user) && slices.Equal(user.values[0].dims(), n.values[0].dims()) || sumsRows(user) {
				c.join(c.of[n].root(), u)
			}
		}
	}
	return c.sort(nodes)
}

// sumsRows reports whether a node adds up rows, all axes but the last, which a program can do as it goes.
func sumsRows(n *node) bool {
	if n.op != compute.OpTypeReduceSum {
		return false
	}
	in := n.inputs[0]
	axes := slices.Sorted(slices.Values(n.attr.(reduceAttr)))
	last := in.shape.Rank() - 1
	return in.dtype() == dtypes.Float32 && last > 0 && slices.Equal(axes, seq(last)) &&
		in.dims()[last] >= leastRow && in.dims()[last] <= longestRow && in.size() > 0
}

// leastRow and longestRow are the lengths of rows that programs add up.
const leastRow, longestRow = 8, 400

// join makes one unit of two if no other unit stands between them.
func (c *clusters) join(a, b *unit) {
	if a == b || c.between(a, b) || c.between(b, a) {
		return
	}
	if len(a.nodes) < len(b.nodes) {
		a, b = b, a
	}
	a.nodes = append(a.nodes, b.nodes...)
	b.merged, b.nodes = a, nil
}

// between reports whether a path leads from a to b over a third unit.
func (c *clusters) between(a, b *unit) bool {
	limit := 0 // nodes after b's last cannot lead to b, but units that begin there may
	for _, n := range b.nodes {
		limit = max(limit, n.index)
	}
	c.search++
	var visit func(u *unit, first bool) bool
	visit = func(u *unit, first bool) bool {
		for _, n := range u.nodes {
			for _, v := range n.values {
				for _, user := range v.users {
					next := c.of[user].root()
					if next == b {
						if !first {
							return true
						}
						continue
					}
					if next == u || next.mark == c.search || (!c.exact && next.first() > limit) {
						continue
					}
					next.mark = c.search
					if visit(next, false) {
						return true
					}
				}
			}
		}
		return false
	}
	return visit(a, true)
}

// first is the smallest index of the unit's nodes.
func (u *unit) first() int {
	i := u.nodes[0].index
	for _, n := range u.nodes[1:] {
		i = min(i, n.index)
	}
	return i
}

// sort orders units by dependency, and where that leaves a choice by the last node's place in the recording. It says
// false if some wait for each other.
func (c *clusters) sort(nodes []*node) (order []*unit, ok bool) {
	waits := map[*unit]int{} // inputs from other units that are not there yet
	for _, n := range nodes {
		u := c.of[n].root()
		if _, ok := waits[u]; !ok {
			waits[u] = 0
		}
		for _, v := range n.inputs {
			if v != nil && c.of[v.node].root() != u {
				waits[u]++
			}
		}
	}
	ready := &queue{}
	for u, n := range waits {
		slices.SortFunc(u.nodes, func(a, b *node) int { return a.index - b.index })
		if n == 0 {
			heap.Push(ready, u)
		}
	}
	for ready.Len() > 0 {
		u := heap.Pop(ready).(*unit)
		order = append(order, u)
		for _, n := range u.nodes {
			for _, v := range n.values {
				for _, user := range v.users {
					next := c.of[user].root()
					if next == u {
						continue
					}
					if waits[next]--; waits[next] == 0 {
						heap.Push(ready, next)
					}
				}
			}
		}
	}
	return order, len(order) == len(waits)
}

// queue is a heap of units, the one whose last node comes first on top.
type queue []*unit

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].last() < q[j].last() }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(*unit)) }
func (q *queue) Pop() any {
	old := *q
	u := old[len(old)-1]
	*q = old[:len(old)-1]
	return u
}

func (u *unit) last() int { return u.nodes[len(u.nodes)-1].index }

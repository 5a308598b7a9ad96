package simd

// live marks the nodes that the outputs need, and fills in the users of their values. It returns them in order of
// recording, which is an order of dependency.
func live(f *Function) []*node {
	needed := make([]bool, len(f.nodes))
	for _, v := range f.outputs {
		needed[v.node.index] = true
	}
	for i := len(f.nodes) - 1; i >= 0; i-- {
		if !needed[i] {
			continue
		}
		for _, v := range f.nodes[i].inputs {
			if v != nil {
				needed[v.node.index] = true
			}
		}
	}
	var nodes []*node
	for i, n := range f.nodes {
		if !needed[i] {
			continue
		}
		nodes = append(nodes, n)
		for _, v := range n.inputs {
			if v != nil {
				v.users = append(v.users, n)
			}
		}
	}
	return nodes
}

package network

import . "github.com/gomlx/gomlx/core/graph"

// Cut lists the features through which the losses see a picture, each [B, …]. A
// large batch is cut here: the towers compute its parts, the losses all of it
// (see [LossConfig.OfFeatures]). A loss that looks at more belongs in the list.
func (f ImageFeatures) Cut(c Config) []*Node {
	var nodes []*Node
	for _, place := range f.cut(c) {
		nodes = append(nodes, *place)
	}
	return nodes
}

// FeaturesFromCut is the inverse of [ImageFeatures.Cut]: features of which only
// what the losses look at is set.
func FeaturesFromCut(c Config, nodes []*Node) ImageFeatures {
	var f ImageFeatures
	for i, place := range f.cut(c) {
		*place = nodes[i]
	}
	return f
}

// cut names the places of the features in the list.
func (f *ImageFeatures) cut(c Config) []**Node {
	v := c.Variant
	var places []**Node
	add := func(wanted bool, place **Node) {
		if wanted {
			places = append(places, place)
		}
	}
	add(!v.AreaWeighted && !v.PatchPooled, &f.Pooled)
	add(c.projectsGroups(), &f.Groups)
	add(c.projectsGroups(), &f.Areas)
	add(c.teaches(), &f.Assignment)
	add(v.PatchEmbeddings != "", &f.Patches)
	add(c.namesGlobally(), &f.Global)
	return places
}

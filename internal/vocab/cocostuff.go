package vocab

import "slices"

// cocoStuff is in the order of the train ids of COCO-Stuff 164k (171 classes, 255
// ignored): COCO's 80 things, then 91 kinds of stuff. Names are those of the data
// set.
var cocoStuff = slices.Concat(cocoThings(), cocoStuffOnly)

// cocoThings are the things of COCO-Object, less the words that are stuff here.
func cocoThings() []Class {
	things := slices.Clone(cocoObject[1:])
	for i, c := range things {
		things[i].Synonyms = slices.DeleteFunc(slices.Clone(c.Synonyms), func(s string) bool {
			return slices.ContainsFunc(cocoStuffOnly, func(other Class) bool { return slices.Contains(other.Names(), s) })
		})
	}
	return things
}

var cocoStuffOnly = []Class{
	{Name: "banner"},
	{Name: "blanket"},
	{Name: "branch"},
	{Name: "bridge"},
	{Name: "building-other", Synonyms: []string{"building"}},
	{Name: "bush"},
	{Name: "cabinet"},
	{Name: "cage"},
	{Name: "cardboard"},
	{Name: "carpet"},
	{Name: "ceiling-other", Synonyms: []string{"ceiling"}},
	{Name: "ceiling-tile", Synonyms: []string{"ceiling tile"}},
	{Name: "cloth"},
	{Name: "clothes"},
	{Name: "clouds", Synonyms: []string{"cloud"}},
	{Name: "counter"},
	{Name: "cupboard"},
	{Name: "curtain"},
	{Name: "desk-stuff", Synonyms: []string{"desk"}},
	{Name: "dirt"},
	{Name: "door-stuff", Synonyms: []string{"door"}},
	{Name: "fence"},
	{Name: "floor-marble", Synonyms: []string{"marble floor"}},
	{Name: "floor-other", Synonyms: []string{"floor"}},
	{Name: "floor-stone", Synonyms: []string{"stone floor"}},
	{Name: "floor-tile", Synonyms: []string{"tile floor"}},
	{Name: "floor-wood", Synonyms: []string{"wooden floor"}},
	{Name: "flower"},
	{Name: "fog"},
	{Name: "food-other", Synonyms: []string{"food"}},
	{Name: "fruit"},
	{Name: "furniture-other", Synonyms: []string{"furniture"}},
	{Name: "grass"},
	{Name: "gravel"},
	{Name: "ground-other", Synonyms: []string{"ground"}},
	{Name: "hill"},
	{Name: "house"},
	{Name: "leaves"},
	{Name: "light"},
	{Name: "mat"},
	{Name: "metal"},
	{Name: "mirror-stuff", Synonyms: []string{"mirror"}},
	{Name: "moss"},
	{Name: "mountain"},
	{Name: "mud"},
	{Name: "napkin"},
	{Name: "net"},
	{Name: "paper"},
	{Name: "pavement"},
	{Name: "pillow"},
	{Name: "plant-other", Synonyms: []string{"plant"}},
	{Name: "plastic"},
	{Name: "platform"},
	{Name: "playingfield", Synonyms: []string{"playing field"}},
	{Name: "railing"},
	{Name: "railroad"},
	{Name: "river"},
	{Name: "road"},
	{Name: "rock"},
	{Name: "roof"},
	{Name: "rug"},
	{Name: "salad"},
	{Name: "sand"},
	{Name: "sea"},
	{Name: "shelf"},
	{Name: "sky-other", Synonyms: []string{"sky"}},
	{Name: "skyscraper"},
	{Name: "snow"},
	{Name: "solid-other", Synonyms: []string{"solid"}},
	{Name: "stairs"},
	{Name: "stone"},
	{Name: "straw"},
	{Name: "structural-other", Synonyms: []string{"structure"}},
	{Name: "table"},
	{Name: "tent"},
	{Name: "textile-other", Synonyms: []string{"textile"}},
	{Name: "towel"},
	{Name: "tree"},
	{Name: "vegetable"},
	{Name: "wall-brick", Synonyms: []string{"brick wall"}},
	{Name: "wall-concrete", Synonyms: []string{"concrete wall"}},
	{Name: "wall-other", Synonyms: []string{"wall"}},
	{Name: "wall-panel", Synonyms: []string{"panel wall"}},
	{Name: "wall-stone", Synonyms: []string{"stone wall"}},
	{Name: "wall-tile", Synonyms: []string{"tile wall"}},
	{Name: "wall-wood", Synonyms: []string{"wooden wall"}},
	{Name: "water-other", Synonyms: []string{"water"}},
	{Name: "waterdrops", Synonyms: []string{"water drops"}},
	{Name: "window-blind", Synonyms: []string{"window blind"}},
	{Name: "window-other", Synonyms: []string{"window"}},
	{Name: "wood"},
}

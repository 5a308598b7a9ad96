package vocab

// cityscapes is in the order of the train ids of Cityscapes (19 classes, 255
// ignored).
var cityscapes = []Class{
	{Name: "road"},
	{Name: "sidewalk", Synonyms: []string{"pavement"}},
	{Name: "building"},
	{Name: "wall"},
	{Name: "fence"},
	{Name: "pole"},
	{Name: "traffic light"},
	{Name: "traffic sign"},
	{Name: "vegetation", Synonyms: []string{"trees", "tree", "bush"}},
	{Name: "terrain", Synonyms: []string{"grass", "soil"}},
	{Name: "sky"},
	{Name: "person", Synonyms: []string{"people", "pedestrian"}},
	{Name: "rider", Synonyms: []string{"cyclist", "motorcyclist"}},
	{Name: "car", Synonyms: []string{"automobile"}},
	{Name: "truck", Synonyms: []string{"lorry"}},
	{Name: "bus"},
	{Name: "train", Synonyms: []string{"tram"}},
	{Name: "motorcycle", Synonyms: []string{"motorbike"}},
	{Name: "bicycle", Synonyms: []string{"bike"}},
}

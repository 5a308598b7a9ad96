package vocab

// camvid is in the order of the mask values of the 11-class CamVid masks.
var camvid = []Class{
	{Name: "sky"},
	{Name: "building", Synonyms: []string{"house"}},
	{Name: "pole"},
	{Name: "road"},
	{Name: "pavement", Synonyms: []string{"sidewalk"}},
	{Name: "tree"},
	{Name: "sign", Synonyms: []string{"traffic sign"}},
	{Name: "fence"},
	{Name: "car"},
	{Name: "pedestrian", Synonyms: []string{"person"}},
	{Name: "bicyclist", Synonyms: []string{"cyclist"}},
}

package pairs

import "testing"

func TestTemplated(t *testing.T) {
	for _, c := range []struct {
		name     string
		captions []string
		tags     []string
		want     bool
	}{
		{"no tags", []string{"a photo of a cow"}, nil, false},
		{"no captions", nil, []string{"cow"}, false},
		{"one class", []string{"a photo of a cow"}, []string{"cow"}, true},
		{"two classes", []string{"a photo of a cow, an ox"}, []string{"cow", "ox"}, true},
		{"keywords in a sentence", []string{"a photo of mountain, river, valley and water"}, []string{"mountain", "river", "valley", "water"}, true},
		{"the tag is part of a sentence", []string{"A brown cow standing in a field."}, []string{"cow"}, false},
		{"the tag is not named", []string{"A man jumping in the air."}, []string{"person", "skateboard"}, false},
		{"template words alone name nothing", []string{"a photo"}, []string{"cow"}, false},
		{"plural", []string{"a photo of many cows"}, []string{"cow"}, true},
		{"plural tag", []string{"a photo of the plant"}, []string{"plants"}, true},
		{"phrase before its part", []string{"a photo of a fire engine"}, []string{"fire", "fire engine"}, true},
		{"part of a phrase", []string{"a photo of a fire engine"}, []string{"engine"}, false},
		{"capitals and marks", []string{"A photo of a Kerry-blue terrier."}, []string{"Kerry blue terrier"}, true},
		{"one form has a place", []string{"a photo of a tree", "a tree", "a tree in the desert"}, []string{"tree"}, true},
		{"most captions say more", []string{"a dog", "A dog runs over the grass.", "Two dogs play with a ball."}, []string{"dog"}, false},
		{"half is not most", []string{"a dog", "A dog runs over the grass."}, []string{"dog"}, false},
		{"what changes the thing", []string{"a toy cow"}, []string{"cow"}, false},
		{"CLIP's", []string{"a black and white photo of the cow."}, []string{"cow"}, true},
		{"tags without letters", []string{"a photo of a cow"}, []string{"!", ""}, false},
		{"rooms", []string{"a photo of tv, cabinet, remote control and bed"}, []string{"tv", "cabinet", "remote control", "bed"}, true},
	} {
		s := &Sample{Captions: c.captions, Tags: c.tags}
		if got := s.Templated(); got != c.want {
			t.Errorf("%s: %v for %q with tags %q", c.name, got, c.captions, c.tags)
		}
	}
}

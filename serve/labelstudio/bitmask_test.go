package labelstudio

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"strings"
	"testing"

	"github.com/groupvit/groupvit"
)

// A bitmask has the photo's size, is black with full alpha where the segment is, and
// transparent elsewhere, as the editor draws and reads it.
func TestBitmask(t *testing.T) {
	config, err := ParseConfig(`<View>` + imageTag + `<BitmaskLabels name="b" toName="img"><Label value="Cat" alias="c"/></BitmaskLabels></View>`)
	if err != nil {
		t.Fatal(err)
	}
	for i, size := range [][2]int{{1, 1}, {7, 5}, {300, 200}} {
		m := blobs(t, size[0], size[1], uint64(i))
		regions := config.Regions(&groupvit.Segmentation{Map: m, Segments: []groupvit.Segment{{ID: 1, Label: "Cat"}}})
		if len(regions) != 1 || regions[0].Type != "bitmasklabels" || regions[0].Value["bitmasklabels"].([]string)[0] != "c" {
			t.Fatalf("%v: regions %v", size, regions)
		}
		text, ok := strings.CutPrefix(regions[0].Value["imageDataURL"].(string), "data:image/png;base64,")
		b, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil {
			t.Fatalf("%v: no data: address of a PNG: %.40s, %v", size, text, err)
		}
		drawn, err := png.Decode(bytes.NewReader(b))
		if err != nil || drawn.Bounds().Dx() != m.Width || drawn.Bounds().Dy() != m.Height {
			t.Fatalf("%v: %v, %v", size, drawn, err)
		}
		for k, l := range m.Labels {
			r, g, bl, a := drawn.At(k%m.Width, k/m.Width).RGBA()
			want := uint32(0)
			if l == 1 {
				want = 0xffff
			}
			if r != 0 || g != 0 || bl != 0 || a != want {
				t.Fatalf("%v: pixel %d of label %d is %d %d %d with alpha %d, want black with %d", size, k, l, r, g, bl, a, want)
			}
		}
	}
}

package speed

import (
	"math"
	"testing"

	"github.com/groupvit/groupvit/internal/network"
)

// TestPublishedCost compares with counts made by hand for the published
// network, in 10⁹ multiply-adds.
func TestPublishedCost(t *testing.T) {
	c := network.Default()
	for _, test := range []struct {
		name string
		got  int64
		want float64
	}{
		{"image at 224×224", ImageCost(c, 224, 224), 3.968},
		{"image at 448×448", ImageCost(c, 448, 448), 13.791},
		{"image at 112×112", ImageCost(c, 112, 112), 2.010},
		{"image at 448×597", ImageCost(c, 448, 597), 18.976},
		{"image at 448×672", ImageCost(c, 448, 672), 22.110},
		{"patch embedding at 224", embedCost(c, 224, 224), 0.058},
		{"patch embedding at 448", embedCost(c, 448, 448), 0.231},
		{"first grouping at 224", groupingCost(c, 196, 64, 64), 0.333},
		{"first grouping at 448", groupingCost(c, 784, 64, 64), 0.738},
		{"second grouping", groupingCost(c, 64, 8, 8), 0.063},
		{"text", TextCost(c, 77), 0.763},
		{"image head, a row", headCost(c, c.Width), 0.0026},
		{"text head", TextHeadCost(c), 0.0021},
	} {
		got := float64(test.got) / 1e9
		digits := 1e3
		if test.want < 0.01 {
			digits = 1e4
		}
		if math.Round(got*digits)/digits != test.want {
			t.Errorf("%s costs %.5f G, want %v", test.name, got, test.want)
		}
	}
	// One sample with three nouns: 7.03 G forward, about 21 with backward.
	if got := float64(TrainCost(c, 224, 1, 3, 77)) / 1e9; math.Abs(got-21.1) > 0.1 {
		t.Errorf("a training sample costs %.2f G, want about 21.1", got)
	}
}

// TestVariantCost compares with a count by hand of a small network with a
// convolutional stem and local values at 64 px.
func TestVariantCost(t *testing.T) {
	c := network.Config{
		ImageSize: 64, PatchSize: 8, Width: 64, Depths: []int{2}, Heads: []int{2}, GroupTokens: []int{12}, OutputGroups: []int{12},
		MLPRatio: 4, ProjectionWidth: 192, EmbedWidth: 96,
		Variant: network.Variant{
			Stem: network.Stem{Channels: []int{24, 48, 64}}, LocalMLP: 256, LocalValues: true, NoTokenMixer: true,
			NoGroupResidual: true, AreaWeighted: true, PatchEmbeddings: network.PatchesLocal,
		},
	}
	const stem = 32*32*27*24 + 16*16*9*24*48 + 8*8*9*48*64
	if got := embedCost(c, 64, 64); got != stem {
		t.Errorf("the stem costs %d, want %d", got, stem)
	}
	if got := float64(2*blockCost(76, 64, 4)) / 1e6; math.Abs(got-9.0) > 0.1 {
		t.Errorf("the trunk costs %.2f M, want 9.0", got)
	}
	if got := float64(groupingCost(c, 64, 12, 12)) / 1e6; math.Abs(got-2.1) > 0.2 {
		t.Errorf("grouping costs %.2f M, want 2.1", got)
	}
	if got := float64(ImageHeadCost(c, 64, 64)) / 1e6; math.Abs(got-2.3) > 0.1 {
		t.Errorf("the projectors cost %.2f M, want 2.3", got)
	}
}

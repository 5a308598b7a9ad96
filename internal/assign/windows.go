// Package assign turns what the network says about a photo into labels of its
// pixels: windows, maps of groups and patches, class scores, background. Plain
// slices in, plain slices out; no graph and no file.
//
// Letters in comments: C classes, G groups of the last stage, N image tokens of
// a window (row by row), P width of the shared embedding.
package assign

import "math"

// Rect is a window of the resized photo, in pixels.
type Rect struct{ X, Y, Width, Height int }

// Rule says at which size a photo is looked at.
type Rule struct {
	// ShortSide is what the photo's short side becomes, LongSide the most its
	// long side may become (0: no limit).
	ShortSide int `json:"short_side"`
	LongSide  int `json:"long_side,omitempty"`
	// Squash resizes to ShortSide × ShortSide, whatever the photo's shape.
	Squash bool `json:"squash,omitempty"`
	// Window and Stride are the side and the step of the sliding window; a
	// Window of 0 is the whole photo in one pass.
	Window int `json:"window,omitempty"`
	Stride int `json:"stride,omitempty"`
}

// PaperRule is the paper's rule for a model trained at imageSize: short side
// and window twice that, stride half a window, long side at most 2048 where
// imageSize is 224 and in proportion otherwise.
func PaperRule(imageSize int) Rule {
	s := 2 * imageSize
	return Rule{ShortSide: s, LongSide: 2048 * s / 448, Window: s, Stride: max(1, s/2)}
}

// Size returns the size at which a photo is looked at, sides rounded as OpenCV's
// callers do: ⌊side·f + 0.5⌋, at least 1.
func (r Rule) Size(width, height int) (int, int) {
	if r.Squash {
		return r.ShortSide, r.ShortSide
	}
	f := float64(r.ShortSide) / float64(min(width, height))
	if r.LongSide > 0 {
		f = min(f, float64(r.LongSide)/float64(max(width, height)))
	}
	side := func(v int) int { return max(1, int(math.Floor(float64(v)*f+0.5))) }
	return side(width), side(height)
}

// Windows returns the rule's windows of a photo of that (resized) size.
func (r Rule) Windows(width, height int) []Rect {
	if r.Window <= 0 || r.Squash {
		return []Rect{{0, 0, width, height}}
	}
	return Windows(height, width, r.Window, r.Stride)
}

// Count is the number of windows that [Rule.Windows] returns.
func (r Rule) Count(width, height int) int {
	if r.Window <= 0 || r.Squash {
		return 1
	}
	return steps(height, r.Window, r.Stride) * steps(width, r.Window, r.Stride)
}

// Windows covers a picture of h × w pixels with sliding windows, row by row. The
// last of a row or column is moved back inside; a picture smaller than a window
// is one smaller window.
func Windows(h, w, window, stride int) []Rect {
	ny, nx := steps(h, window, stride), steps(w, window, stride)
	list := make([]Rect, 0, nx*ny)
	for j := range ny {
		y2 := min(j*stride+window, h)
		y1 := max(y2-window, 0)
		for i := range nx {
			x2 := min(i*stride+window, w)
			x1 := max(x2-window, 0)
			list = append(list, Rect{x1, y1, x2 - x1, y2 - y1})
		}
	}
	return list
}

// steps is ⌊max(side − window + stride − 1, 0)/stride⌋ + 1.
func steps(side, window, stride int) int { return max(side-window+stride-1, 0)/stride + 1 }

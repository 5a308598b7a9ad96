package imaging

import "math"

// Float is the element type of a map of real numbers.
type Float interface{ ~float32 | ~float64 }

// BilinearMap resizes a map of real numbers src of h rows and w columns
// (row-major) to height rows and width columns as PyTorch's
// interpolate(mode="bilinear", align_corners=False) does: the source
// coordinate is max((i+0.5)·in/out − 0.5, 0), there is no antialiasing, also
// when shrinking.
//
// It panics if src has not h·w elements or a side is below 1: the sizes are
// the caller's own, never read from a file.
func BilinearMap[T Float](src []T, h, w, height, width int) []T {
	dst := make([]T, height*width)
	BilinearMapInto(dst, src, h, w, height, width)
	return dst
}

// BilinearMapInto is [BilinearMap] into dst, which has height·width elements.
func BilinearMapInto[T Float](dst, src []T, h, w, height, width int) {
	checkMap(len(src), h, w)
	checkMap(len(dst), height, width)
	across, down := bilinearTaps[T](w, width), bilinearTaps[T](h, height)
	interpolate(dst, src, w, width, across, down, 2)
}

// BicubicMap resizes a map of real numbers src of h rows and w columns
// (row-major) to height rows and width columns as PyTorch's
// interpolate(mode="bicubic", align_corners=False) does: the source coordinate
// (i+0.5)·in/out − 0.5 is not clamped, the four taps around it are, the kernel
// has a = −0.75, there is no antialiasing. Position embeddings are resized
// this way.
//
// It panics as [BilinearMap] does.
func BicubicMap[T Float](src []T, h, w, height, width int) []T {
	checkMap(len(src), h, w)
	dst := make([]T, height*width)
	checkMap(len(dst), height, width)
	across, down := bicubicTaps[T](w, width), bicubicTaps[T](h, height)
	interpolate(dst, src, w, width, across, down, 4)
	return dst
}

func checkMap(n, h, w int) {
	if h < 1 || w < 1 || n != h*w {
		panic("imaging: a map's length is not its height times its width")
	}
}

// A tap is a source index and its weight. An output element has a fixed number
// of consecutive taps.
type tap[T Float] struct {
	index  int
	weight T
}

func bilinearTaps[T Float](in, out int) []tap[T] {
	taps := make([]tap[T], 0, 2*out)
	scale := float64(in) / float64(out)
	for i := range out {
		s := max((float64(i)+0.5)*scale-0.5, 0)
		first := min(int(s), in-1)
		t := T(s - float64(first))
		taps = append(taps, tap[T]{first, 1 - t}, tap[T]{min(first+1, in-1), t})
	}
	return taps
}

func bicubicTaps[T Float](in, out int) []tap[T] {
	const a = -0.75 // PyTorch's kernel; PIL has −0.5
	taps := make([]tap[T], 0, 4*out)
	scale := float64(in) / float64(out)
	for i := range out {
		s := (float64(i)+0.5)*scale - 0.5
		floor := math.Floor(s)
		for k := -1; k <= 2; k++ {
			index := min(max(int(floor)+k, 0), in-1)
			taps = append(taps, tap[T]{index, T(cubic(s-floor-float64(k), a))})
		}
	}
	return taps
}

// cubic is Keys' convolution kernel with parameter a.
func cubic(x, a float64) float64 {
	x = math.Abs(x)
	switch {
	case x <= 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return (((x-5)*x+8)*x - 4) * a
	}
	return 0
}

// interpolate resamples rows first, each source row once, then columns; n is
// the number of taps of an element.
func interpolate[T Float](dst, src []T, w, width int, across, down []tap[T], n int) {
	rows := make([]T, len(src)/w*width)
	for y := 0; y*w < len(src); y++ {
		from, to := src[y*w:(y+1)*w], rows[y*width:(y+1)*width]
		if n == 2 {
			for x := range to {
				t := across[2*x : 2*x+2]
				to[x] = from[t[0].index]*t[0].weight + from[t[1].index]*t[1].weight
			}
			continue
		}
		for x := range to {
			var sum T
			for _, t := range across[n*x : n*(x+1)] {
				sum += from[t.index] * t.weight
			}
			to[x] = sum
		}
	}
	for y := 0; y*width < len(dst); y++ {
		to := dst[y*width : (y+1)*width]
		for k, t := range down[n*y : n*(y+1)] {
			from := rows[t.index*width:][:len(to)]
			if k == 0 {
				for x, v := range from {
					to[x] = v * t.weight
				}
				continue
			}
			for x, v := range from {
				to[x] += v * t.weight
			}
		}
	}
}

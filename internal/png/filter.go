package png

// Filters of a row (PNG specification, 9.2).
const (
	none  = 0
	sub   = 1
	up    = 2
	paeth = 4
)

// Of a row, one stretch of sampled bytes in every sampledOf is looked at to choose its
// filter.
const (
	sampled   = 48
	sampledOf = 768
)

// filter writes a row with its filter before it: of the three that help photos, the one
// whose bytes are smallest on a part of the row.
func filter(to, now, before []byte, step int) {
	kinds := [3]byte{sub, up, paeth}
	var sums [3]int
	for begin := step; begin < len(now); begin += sampledOf {
		for i := begin; i < min(begin+sampled, len(now)); i++ {
			a, b, c := now[i-step], before[i], before[i-step]
			sums[0] += size(now[i] - a)
			sums[1] += size(now[i] - b)
			sums[2] += size(now[i] - predict(a, b, c))
		}
	}
	best := 0
	for k, s := range sums {
		if s < sums[best] {
			best = k
		}
	}
	to[0] = kinds[best]
	apply(to[1:], now, before, step, kinds[best])
}

func size(v byte) int {
	d := int(int8(v))
	return max(d, -d)
}

func apply(to, now, before []byte, step int, kind byte) {
	n := min(step, len(now))
	switch kind {
	case sub:
		copy(to, now[:n])
		a := now[:len(now)-n]
		for i, v := range now[n:] {
			to[n+i] = v - a[i]
		}
	case up:
		before = before[:len(now)]
		for i, v := range now {
			to[i] = v - before[i]
		}
	case paeth:
		for i := range n {
			to[i] = now[i] - before[i]
		}
		rest := now[n:]
		a, b, c := now[:len(rest)], before[n:][:len(rest)], before[:len(rest)]
		out := to[n:][:len(rest)]
		for i, v := range rest {
			out[i] = v - predict(a[i], b[i], c[i])
		}
	}
}

// predict is Paeth's: of left, above and upper left, the nearest to left + above − upper
// left.
func predict(a, b, c byte) byte {
	pa, pb := int(b)-int(c), int(a)-int(c)
	pc := pa + pb
	pa, pb, pc = max(pa, -pa), max(pb, -pb), max(pc, -pc)
	if pa <= pb && pa <= pc {
		return a
	}
	if pb <= pc {
		return b
	}
	return c
}

package selftrain

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/pairs"
)

// testWords are 4 things, 9 stuff words and 2 of the body.
func testWords(t *testing.T) *Words {
	t.Helper()
	var list []nouns.Word
	for _, part := range []struct {
		kind  nouns.Kind
		names []string
	}{
		{nouns.Stuff, []string{"grass", "sky", "water", "sand", "road", "wall", "floor", "snow", "hill"}},
		{nouns.Thing, []string{"cat", "person", "ball", "hot dog"}},
		{nouns.Body, []string{"hat", "shirt"}},
	} {
		for _, n := range part.names {
			list = append(list, nouns.Word{Name: n, Kind: part.kind})
		}
	}
	w, err := NewWords(list)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// plainMask is the rule as it is written down, one place and one word at a time, in
// float64 and without a vote.
func plainMask(s Settings, w *Words, scene Scene, logits [][]float64, bonuses []bonus) (pix []int, words []string) {
	g := s.Grid
	things := map[int][]float64{}
	stuff := map[int][]float64{}
	sum := make([]float64, g*g)
	value := func(word, at int) float64 {
		v := logits[word][at]
		if word == w.person && s.PersonParts {
			for _, p := range scene.Parts {
				v = max(v, logits[p][at])
			}
		}
		return v
	}
	for at := range g * g {
		var among, against, ground, shares float64
		for _, t := range scene.Things {
			among += math.Exp(value(t, at) + bonuses[t].among)
			against += math.Exp(value(t, at) + bonuses[t].against)
		}
		ofStuff := func(word int) (p, share float64) {
			p = math.Exp(logits[word][at])
			if slices.Contains(scene.Stuff, word) {
				p *= s.NamedStuff
				return p, p * math.Exp(bonuses[word].among)
			}
			return p, p
		}
		for i := range w.stuff {
			p, share := ofStuff(w.things + i)
			ground, shares = ground+p, shares+share
		}
		for _, t := range scene.Things {
			if things[t] == nil {
				things[t] = make([]float64, g*g)
			}
			things[t][at] = math.Exp(value(t, at)+bonuses[t].among) / among * against / (against + ground)
		}
		for i := range w.stuff {
			if stuff[w.things+i] == nil {
				stuff[w.things+i] = make([]float64, g*g)
			}
			_, share := ofStuff(w.things + i)
			stuff[w.things+i][at] = share / shares * ground / (against + ground)
		}
		sum[at] = ground / (against + ground)
	}
	kept := keptInPlain(w, scene, stuff)
	for _, t := range scene.Things {
		things[t] = plainSmooth(things[t], g)
	}
	for _, k := range kept {
		stuff[k] = plainSmooth(stuff[k], g)
	}
	sum = plainSmooth(sum, g)

	for _, t := range scene.Things {
		words = append(words, w.names[t])
	}
	code := map[int]int{}
	for _, k := range kept {
		if !s.NamedStuffOnly || slices.Contains(scene.Stuff, k) {
			words = append(words, w.names[k])
			code[k] = len(words)
		}
	}
	top := map[int]float64{}
	for _, t := range scene.Things {
		sorted := slices.Sorted(slices.Values(things[t]))
		n := max(len(sorted)/10, 1)
		for _, v := range sorted[len(sorted)-n:] {
			top[t] += v / float64(n)
		}
		top[t] = max(top[t], 1e-4)
	}
	for at := range g * g {
		best, bestScore := -1, math.Inf(-1)
		relative, largest := 0.0, 0.0
		for i, t := range scene.Things {
			p := things[t][at]
			if score := p / math.Pow(top[t], s.Evenness); score > bestScore {
				best, bestScore = i, score
			}
			relative, largest = max(relative, p/top[t]), max(largest, p)
		}
		if best >= 0 {
			t := scene.Things[best]
			if things[t][at]/top[t] >= s.High && (scene.Templated || things[t][at] >= s.Least) {
				pix = append(pix, best+1)
				continue
			}
		}
		if best >= 0 && relative >= s.Low && (scene.Templated || largest >= s.Faint) {
			pix = append(pix, pairs.LabelUnknown)
			continue
		}
		argmax := kept[0]
		for _, k := range kept {
			if stuff[k][at] > stuff[argmax][at] {
				argmax = k
			}
		}
		if stuff[argmax][at] > s.StuffConfidence*sum[at] {
			pix = append(pix, code[argmax])
		} else {
			pix = append(pix, pairs.LabelBackground)
		}
	}
	return pix, words
}

// keptInPlain are the named stuff words and the six most probable others.
func keptInPlain(w *Words, scene Scene, stuff map[int][]float64) []int {
	var others []int
	kept := slices.Clone(scene.Stuff)
	mean := func(k int) (sum float64) {
		for _, v := range stuff[k] {
			sum += v
		}
		return sum
	}
	for i := range w.stuff {
		if k := w.things + i; !slices.Contains(kept, k) {
			others = append(others, k)
		}
	}
	slices.SortFunc(others, func(a, b int) int {
		if mean(a) > mean(b) {
			return -1
		}
		return 1
	})
	kept = append(kept, others[:min(len(others), 6)]...)
	slices.Sort(kept)
	return kept
}

// plainSmooth enlarges a plane to twice its side bilinearly and takes means of 2×2.
func plainSmooth(x []float64, g int) []float64 {
	at := func(y, x2 float64) float64 {
		y, x2 = min(max(y, 0), float64(g-1)), min(max(x2, 0), float64(g-1))
		y0, x0 := int(y), int(x2)
		y1, x1 := min(y0+1, g-1), min(x0+1, g-1)
		fy, fx := y-float64(y0), x2-float64(x0)
		return (1-fy)*((1-fx)*x[y0*g+x0]+fx*x[y0*g+x1]) + fy*((1-fx)*x[y1*g+x0]+fx*x[y1*g+x1])
	}
	out := make([]float64, g*g)
	for i := range g {
		for j := range g {
			for _, dy := range []float64{-0.25, 0.25} {
				for _, dx := range []float64{-0.25, 0.25} {
					out[i*g+j] += at(float64(i)+dy, float64(j)+dx) / 4
				}
			}
		}
	}
	return out
}

// TestRuleIsTheWrittenOne: masks are those of the plain rule for random logits,
// scenes, bonuses and settings.
func TestRuleIsTheWrittenOne(t *testing.T) {
	w := testWords(t)
	r := rand.New(rand.NewPCG(1, 2))
	values := map[int]int{}
	for n := range 200 {
		s := Default()
		s.Grid = 4 + r.IntN(9)
		s.VoteSuperpixels = 0
		s.Evenness = []float64{0, 0.5, 1}[r.IntN(3)]
		s.NamedStuffOnly, s.PersonParts = r.IntN(3) > 0, r.IntN(2) > 0
		s.High, s.Low = 0.4+0.5*r.Float64(), 0.4*r.Float64()
		logits := make([][]float64, len(w.names))
		for i := range logits {
			logits[i] = make([]float64, s.Grid*s.Grid)
			tilt, shift := 3*r.NormFloat64(), 2*r.NormFloat64()
			for at := range logits[i] {
				logits[i][at] = float64(float32(shift + tilt*float64(at)/float64(len(logits[i])) + r.NormFloat64()))
			}
		}
		bonuses := make([]bonus, len(w.names))
		for i := range bonuses {
			b := 3 * r.Float64()
			bonuses[i] = bonus{b, min(b, 2)}
		}
		scene := Scene{Templated: r.IntN(2) > 0}
		for i := range w.names {
			if r.IntN(3) > 0 {
				continue
			}
			switch {
			case i < w.things:
				scene.Things = append(scene.Things, i)
			case i < w.things+w.stuff:
				scene.Stuff = append(scene.Stuff, i)
			default:
				scene.Parts = append(scene.Parts, i)
			}
		}
		read := func(word int) []float32 {
			out := make([]float32, len(logits[word]))
			for i, v := range logits[word] {
				out[i] = float32(v)
			}
			return out
		}
		p := s.posterior(w, scene, s.Grid, read, bonuses)
		p.smooth(nil)
		m := s.decide(w, scene, p)
		want, words := plainMask(s, w, scene, logits, bonuses)
		if !slices.Equal(m.Words, words) || m.Things != len(scene.Things) {
			t.Fatalf("%d: words %q, want %q", n, m.Words, words)
		}
		different := 0
		for at, v := range m.Pix {
			if int(v) != want[at] {
				different++
			}
			switch {
			case v == pairs.LabelUnknown:
				values[-1]++
			case v == pairs.LabelBackground:
				values[0]++
			case int(v) <= m.Things:
				values[1]++
			default:
				values[2]++
			}
		}
		if different > 0 { // rounding decides a place in thousands
			if different > 1 {
				t.Errorf("%d: %d of %d places differ", n, different, len(want))
			}
			t.Logf("%d: a place differs", n)
		}
	}
	for _, kind := range []int{-1, 0, 1, 2} {
		if values[kind] < 500 {
			t.Errorf("kind %d stands in %d places only: the test shows little", kind, values[kind])
		}
	}
}

// TestMends: each of the three mends does what it is for.
func TestMends(t *testing.T) {
	w := testWords(t)
	side := 10
	fill := func(base float64, f func(x, y int) float64) []float32 {
		out := make([]float32, side*side)
		for i := range out {
			out[i] = float32(base)
			if f != nil {
				out[i] += float32(f(i%side, i/side))
			}
		}
		return out
	}
	left := func(x, _ int) float64 {
		if x < side/2 {
			return 6
		}
		return 0
	}
	label := func(s Settings, scene Scene, planes map[string][]float32, bonuses map[string]bonus) map[string]int {
		s.Grid, s.VoteSuperpixels = side, 0
		list := make([]bonus, len(w.names))
		for name, b := range bonuses {
			list[w.index[name]] = b
		}
		p := s.posterior(w, scene, side, func(word int) []float32 {
			if x, ok := planes[w.names[word]]; ok {
				return slices.Clone(x)
			}
			return fill(0, nil)
		}, list)
		p.smooth(nil)
		m := s.decide(w, scene, p)
		counts := map[string]int{}
		for _, v := range m.Pix {
			switch v {
			case pairs.LabelUnknown:
				counts["?"]++
			case pairs.LabelBackground:
				counts["-"]++
			default:
				counts[m.Words[v-1]]++
			}
		}
		return counts
	}
	cat, ball := w.index["cat"], w.index["ball"]
	t.Run("stuff only where it is named", func(t *testing.T) {
		planes := map[string][]float32{"sky": fill(6, nil)}
		s := Default()
		scene := w.Scene([]string{"nothing but grass"}, nil)
		if c := label(s, scene, planes, nil); c["sky"] != 0 || c["-"] != side*side {
			t.Errorf("%v", c)
		}
		s.NamedStuffOnly = false
		if c := label(s, scene, planes, nil); c["sky"] != side*side {
			t.Errorf("without the mend: %v", c)
		}
		if c := label(Default(), w.Scene([]string{"the sky"}, nil), planes, nil); c["sky"] != side*side {
			t.Errorf("named: %v", c)
		}
	})
	t.Run("a thing that is hardly found is not background", func(t *testing.T) {
		// The ball is everywhere a little more probable where the cat is not.
		planes := map[string][]float32{"cat": fill(1, left), "ball": fill(-1, func(x, y int) float64 { return 2 - left(x, y)/3 })}
		s := Default()
		s.Faint = 0
		c := label(s, Scene{Things: []int{cat, ball}}, planes, nil)
		if c["cat"] < 40 || c["-"] > 10 {
			t.Errorf("%v", c)
		}
	})
	t.Run("a bonus lets a weak word win its places", func(t *testing.T) {
		planes := map[string][]float32{"cat": fill(5, nil), "ball": fill(1, left)}
		scene := Scene{Things: []int{cat, ball}}
		s := Default()
		s.Evenness = 0
		if c := label(s, scene, planes, map[string]bonus{"cat": {2, 2}}); c["ball"] > 0 {
			t.Errorf("without: %v", c)
		}
		if c := label(s, scene, planes, map[string]bonus{"ball": {3, 2}}); c["ball"] < 40 || c["cat"] < 40 {
			t.Errorf("with: %v", c)
		}
	})
}

// TestScene: what texts name, by kind.
func TestScene(t *testing.T) {
	w := testWords(t)
	names := func(list []int) (out []string) {
		for _, i := range list {
			out = append(out, w.names[i])
		}
		return out
	}
	for _, c := range []struct {
		captions, tags []string
		want           string
	}{
		{[]string{"A cat on grass.", "cats"}, nil, "[cat] [grass] [] false"},
		{[]string{"a person in a red shirt and a hat"}, nil, "[person] [] [hat shirt] false"},
		{[]string{"a hat on the grass"}, nil, "[] [grass] [] false"}, // parts mark a person alone
		{[]string{"a hot dog"}, nil, "[hot dog] [] [] false"},
		{[]string{"a photo of a cat"}, []string{"cat", "ball"}, "[cat ball] [] [] true"},
		{[]string{"The sky is blue"}, []string{"person"}, "[person] [sky] [] false"},
		{[]string{"nothing here"}, nil, "[] [] [] false"},
	} {
		s := w.Scene(c.captions, c.tags)
		s.limit(w, 6, make([]int, w.things))
		if got := fmt.Sprint(names(s.Things), names(s.Stuff), names(s.Parts), s.Templated); got != c.want {
			t.Errorf("%q %q: %s, want %s", c.captions, c.tags, got, c.want)
		}
	}
	// Of too many things those stay that most texts name, and then the rarest.
	s := w.Scene([]string{"a person, a cat, a ball", "a person with a hot dog"}, nil)
	photos := make([]int, w.things)
	for name, n := range map[string]int{"cat": 5, "person": 9, "ball": 7, "hot dog": 2} {
		photos[w.index[name]] = n
	}
	s.limit(w, 2, photos)
	if got := fmt.Sprint(names(s.Things)); got != "[person hot dog]" {
		t.Error(got)
	}
}

// TestSettings: mistakes are named by their key.
func TestSettings(t *testing.T) {
	for _, s := range []Settings{Default(), Later()} {
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
	}
	for key, change := range map[string]func(*Settings){
		"views":          func(s *Settings) { s.Views = nil },
		"grid":           func(s *Settings) { s.Grid = 1 << 20 },
		"high":           func(s *Settings) { s.High = math.NaN() },
		"low":            func(s *Settings) { s.Low = s.High + 0.1 },
		"balance":        func(s *Settings) { s.Balance = "more" },
		"balance_photos": func(s *Settings) { s.BalancePhotos = 0 },
		"evenness":       func(s *Settings) { s.Evenness = -1 },
		"things":         func(s *Settings) { s.Things = 0 },
	} {
		s := Default()
		change(&s)
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), key+" is") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

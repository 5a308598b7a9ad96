package selftrain

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/nouns"
	"github.com/groupvit/groupvit/internal/pairs"
	"github.com/groupvit/groupvit/internal/shards"
)

// Options say which photos [Run] labels, with what, and where masks go.
type Options struct {
	// Sources are shards, folders and tables, as pairs.Expand reads them; Table
	// says how tables are read.
	Sources string
	Table   pairs.TableOptions
	// Models are names as groupvit.Open takes them, at least one; the mean of
	// their logits counts. Compute says how they are opened; Threads of it are
	// how many photos are worked on side by side, 0 for one a CPU.
	Models  []string
	Compute groupvit.Options
	// Vocabulary is the words; nil is nouns.Builtin.
	Vocabulary []nouns.Word
	// Settings is the recipe.
	Settings Settings
	// Output is the folder of the shards: a new one, or one that a run with the
	// same settings began. Prefix begins their names, "" is "labelled"; ShardSize
	// is the samples of one, 0 is 1000.
	Output    string
	Prefix    string
	ShardSize int
	// Share takes a random share of the samples, 0 is all; Limit at most so many
	// of them, at random too, 0 is all. Seed decides which.
	Share float64
	Limit int
	Seed  uint64
	// Progress, if set, is called with the number of photos done and of all.
	Progress func(done, of int)
	// Stage, if set, is told what begins.
	Stage func(text string)
	// Skip, if set, is told which samples are left out.
	Skip func(pairs.Problem)
}

func (o Options) validate() error {
	if err := o.Settings.Validate(); err != nil {
		return err
	}
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrSettings, fmt.Sprintf(format, args...))
	}
	switch {
	case len(o.Models) == 0:
		return bad("no model")
	case len(o.Models) > 8:
		return bad("%d models, at most 8 are averaged", len(o.Models))
	case o.Output == "":
		return bad("no folder for the shards")
	case o.ShardSize < 0 || o.ShardSize > 1<<20:
		return bad("%d samples a shard: 1 to %d", o.ShardSize, 1<<20)
	case !(o.Share >= 0 && o.Share <= 1):
		return bad("share %g: 0 to 1", o.Share)
	case o.Limit < 0:
		return bad("limit %d: it must not be negative", o.Limit)
	}
	return nil
}

// Result is what [Run] has made.
type Result struct {
	Summary
	// Output is the folder, Shards its shards, Kept how many of them were there
	// before.
	Output string
	Shards []string
	Kept   int
	// Bonuses are what balance added to words: among things, and against stuff.
	Bonuses map[string][2]float64
	// LeftOut counts files that are no part of any sample, and what of samples and
	// tables is not used.
	LeftOut *shards.LeftOut
}

// run is a run on its way.
type run struct {
	Options
	words    *Words
	index    *pairs.Index
	chosen   []int   // places in the index
	scenes   []Scene // by chosen
	broken   []error // by chosen: why it cannot be used
	teachers []*teacher
	record   record
	bonuses  []bonus
	done     atomic.Int64
}

// Run labels the photos of some sources and writes them into shards: each with its
// picture and texts as they were, its labels and its mask. A photo that cannot be
// used is reported and left out. An interrupted run goes on where it was when it is
// started again; where another run wrote into the folder, it is refused.
//
// Errors wrap [ErrSettings], [ErrOutput], pairs.ErrSources, or those of opening a
// model.
func Run(ctx context.Context, o Options) (*Result, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	r := &run{Options: o}
	r.Prefix, r.ShardSize = cmp.Or(o.Prefix, "labelled"), cmp.Or(o.ShardSize, 1000)
	if r.Compute.Threads == 0 {
		r.Compute.Threads = runtime.GOMAXPROCS(0)
	}
	if r.Vocabulary == nil {
		r.Vocabulary = nouns.Builtin()
	}
	defer r.close()
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	finished, found, err := r.record.resume(r.Output)
	if err != nil {
		return nil, err
	}
	if err := r.name(ctx); err != nil {
		return nil, err
	}
	if err := r.openOthers(ctx); err != nil {
		return nil, err
	}
	if found {
		r.bonuses, err = r.record.bonuses(r.words)
	} else {
		err = r.begin(ctx)
	}
	if err != nil {
		return nil, err
	}
	return r.shards(ctx, finished)
}

func (r *run) stage(format string, args ...any) {
	if r.Stage != nil {
		r.Stage(fmt.Sprintf(format, args...))
	}
}

func (r *run) skip(p pairs.Problem) {
	if r.Skip != nil {
		r.Skip(p)
	}
}

func (r *run) close() {
	for _, t := range r.teachers {
		t.close()
	}
}

// open lists the samples, opens the first teacher and fills in the record.
func (r *run) open(ctx context.Context) error {
	var err error
	if r.words, err = NewWords(r.Vocabulary); err != nil {
		return err
	}
	r.stage("listing samples")
	if r.index, err = pairs.OpenIndexWith(ctx, r.Sources, r.Table); err != nil {
		return err
	}
	r.choose()
	one := r.Compute
	one.Threads = 1
	first, err := openTeacher(ctx, r.Models, one, r.Settings, r.words, nil)
	if err != nil {
		return err
	}
	r.teachers = append(r.teachers, first)
	vocabulary, err := json.Marshal(r.Vocabulary)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(vocabulary)
	r.record = record{
		Format: recordFormat, Models: first.info(), Precision: first.models[0].Engine(), Settings: r.Settings,
		Vocabulary: hex.EncodeToString(sum[:]), Sources: r.index.Fingerprint(), Samples: r.index.Len(),
		ShardSize: r.ShardSize, Share: r.Share, Limit: r.Limit, Seed: r.Seed,
	}
	return nil
}

// openOthers opens a teacher for each further worker.
func (r *run) openOthers(ctx context.Context) error {
	one := r.Compute
	one.Threads = 1
	batches := (len(r.chosen) + photosAtOnce - 1) / photosAtOnce
	for len(r.teachers) < min(r.Compute.Threads, batches) {
		t, err := openTeacher(ctx, r.Models, one, r.Settings, r.words, r.teachers[0])
		if err != nil {
			return err
		}
		r.teachers = append(r.teachers, t)
	}
	return nil
}

// choose takes a share of the samples, and of those at most the limit, at random; the
// order stays that of the sources.
func (r *run) choose() {
	n := r.index.Len()
	keep := n
	if r.Share > 0 {
		keep = int(math.Round(r.Share * float64(n)))
	}
	if r.Limit > 0 {
		keep = min(keep, r.Limit)
	}
	r.chosen = make([]int, n)
	for i := range r.chosen {
		r.chosen[i] = i
	}
	if keep < n {
		slices.SortStableFunc(r.chosen, func(a, b int) int { return cmp.Compare(r.luck(a), r.luck(b)) })
		r.chosen = r.chosen[:keep]
		slices.Sort(r.chosen)
	}
}

// luck is a random number that belongs to a sample.
func (r *run) luck(i int) uint64 {
	h := fnv.New64a()
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], r.Seed)
	binary.LittleEndian.PutUint64(b[8:], uint64(i))
	h.Write(b[:])
	h.Write([]byte(r.index.Key(i)))
	sum := h.Sum64()
	sum ^= sum >> 31 // FNV's high bits hardly know the last bytes
	sum *= 0x94d049bb133111eb
	return sum ^ sum>>29
}

// name finds what every chosen sample names.
func (r *run) name(ctx context.Context) error {
	r.stage("reading captions")
	n := len(r.chosen)
	r.scenes, r.broken = make([]Scene, n), make([]error, n)
	counts := make([]int, len(r.words.names))
	var mutex sync.Mutex
	err := sideBySide(ctx, n, r.Compute.Threads, func(k int) {
		s, err := r.index.Text(r.chosen[k])
		if err != nil {
			r.broken[k] = err
			return
		}
		scene := r.words.Scene(s.Captions, s.Tags)
		r.scenes[k] = scene
		mutex.Lock()
		defer mutex.Unlock()
		for _, t := range scene.Things {
			counts[t]++
		}
	})
	if err != nil {
		return err
	}
	for k := range r.scenes { // only now it is known which words are rare
		r.scenes[k].limit(r.words, r.Settings.Things, counts)
	}
	return nil
}

// begin fits the balance and writes the record of a new folder.
func (r *run) begin(ctx context.Context) error {
	r.bonuses = make([]bonus, len(r.words.names))
	if r.Settings.Balance != BalanceNone {
		if err := r.balance(ctx); err != nil {
			return err
		}
		r.record.setBonuses(r.words, r.bonuses)
	}
	if err := os.MkdirAll(r.Output, 0o777); err != nil {
		return err
	}
	return r.record.write(r.Output)
}

// balance fits bonuses on photos that name each thing.
func (r *run) balance(ctx context.Context) error {
	sample, err := r.balanceSample(ctx)
	if err != nil {
		return err
	}
	r.bonuses, err = r.Settings.fit(ctx, r.words, sample, r.Compute.Threads)
	return err
}

// balanceSample collects what balance is fitted on: of each thing and stuff word, random
// photos that name it.
func (r *run) balanceSample(ctx context.Context) ([]evidence, error) {
	naming := make([][]int, r.words.things+r.words.stuff)
	for k, s := range r.scenes {
		for _, word := range append(slices.Clip(s.Things), s.Stuff...) {
			naming[word] = append(naming[word], k)
		}
	}
	taken := map[int]bool{}
	for _, list := range naming {
		slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(r.luck(r.chosen[a]), r.luck(r.chosen[b])) })
		for _, k := range list[:min(len(list), r.Settings.BalancePhotos)] {
			taken[k] = true
		}
	}
	sample := slices.Sorted(maps.Keys(taken))
	r.stage("balancing words on %d photos", len(sample))
	var all []evidence
	batches := slices.Collect(slices.Chunk(sample, photosAtOnce))
	err := inOrder(ctx, len(batches), r.teachers, func(ctx context.Context, t *teacher, b int) ([]evidence, error) {
		items, sight, err := r.look(ctx, t, batches[b])
		if err != nil {
			return nil, err
		}
		var list []evidence
		for i, item := range items {
			list = append(list, r.Settings.evidence(r.words, r.scenes[item.number], sight.logits(i, balanceGrid)))
		}
		return list, nil
	}, func(_ int, list []evidence) error {
		all = append(all, list...)
		return nil
	})
	return all, err
}

// item is a photo on its way.
type item struct {
	number int // among the chosen
	sample *pairs.Sample
	kind   string
	photo  *imaging.Image
	mask   *Mask
	err    error
}

// look reads photos that name something and sees those that can be read.
func (r *run) look(ctx context.Context, t *teacher, numbers []int) ([]item, *sight, error) {
	var items []item
	var photos []*imaging.Image
	for _, k := range numbers {
		it := r.read(k)
		if it.err == nil && !r.scenes[k].Empty() {
			items, photos = append(items, it), append(photos, it.photo)
		}
	}
	if len(items) == 0 {
		return nil, nil, ctx.Err()
	}
	s, err := t.look(ctx, photos)
	return items, s, err
}

func (r *run) read(k int) item {
	it := item{number: k, err: r.broken[k]}
	if it.err == nil {
		it.sample, it.err = r.index.Sample(r.chosen[k])
	}
	if it.err == nil {
		it.sample, it.kind, it.photo, it.err = it.sample.Stored()
	}
	return it
}

// label makes the masks of a batch.
func (r *run) label(ctx context.Context, t *teacher, numbers []int) ([]item, error) {
	items := make([]item, len(numbers))
	var seen []int
	var photos []*imaging.Image
	for i, k := range numbers {
		items[i] = r.read(k)
		if items[i].err == nil && !r.scenes[k].Empty() {
			seen, photos = append(seen, i), append(photos, items[i].photo)
		}
	}
	if len(seen) == 0 {
		return items, ctx.Err()
	}
	s, err := t.look(ctx, photos)
	if err != nil {
		return nil, err
	}
	for n, i := range seen {
		items[i].mask, items[i].err = r.mask(r.scenes[numbers[i]], s, n, photos[n])
	}
	return items, nil
}

// mask makes that of one photo.
func (r *run) mask(scene Scene, s *sight, n int, photo *imaging.Image) (*Mask, error) {
	side := r.Settings.Grid
	p := r.Settings.posterior(r.words, scene, side, s.logits(n, side), r.bonuses)
	small, err := imaging.ResizePIL(photo, 2*side, 2*side, imaging.Bilinear)
	if err != nil {
		return nil, err
	}
	p.smooth(r.Settings.regions(small))
	return r.Settings.decide(r.words, scene, p), nil
}

// shards makes those that are not finished.
func (r *run) shards(ctx context.Context, finished map[int]done) (*Result, error) {
	result := &Result{Output: r.Output, Bonuses: r.record.Bonuses, LeftOut: r.index.LeftOut()}
	for _, p := range r.index.Problems() {
		r.skip(p)
		result.merge(Summary{Broken: map[string]int{p.Reason(): 1}})
	}
	r.stage("labelling %d photos", len(r.chosen))
	count := (len(r.chosen) + r.ShardSize - 1) / r.ShardSize
	for k := range count {
		numbers := make([]int, 0, r.ShardSize)
		for i := k * r.ShardSize; i < min((k+1)*r.ShardSize, len(r.chosen)); i++ {
			numbers = append(numbers, i)
		}
		d, ok := finished[k]
		if ok {
			result.Kept++
			r.progress(len(numbers))
		} else {
			var err error
			if d, err = r.shard(ctx, k, numbers); err != nil {
				return nil, err
			}
		}
		if d.File != "" {
			result.Shards = append(result.Shards, filepath.Join(r.Output, d.File))
		}
		result.merge(d.Summary)
	}
	if result.Photos == 0 {
		return nil, fmt.Errorf("%w: %s: nothing is written", pairs.ErrNoSamples, r.Sources)
	}
	return result, nil
}

func (r *run) progress(n int) {
	total := r.done.Add(int64(n))
	if r.Progress != nil {
		r.Progress(int(total), len(r.chosen))
	}
}

// shard makes one.
func (r *run) shard(ctx context.Context, number int, numbers []int) (done, error) {
	d := done{Shard: number, Summary: Summary{Broken: map[string]int{}}}
	w, err := pairs.NewShardWriter(r.Output, r.Prefix, len(numbers))
	if err != nil {
		return d, err
	}
	w.From(number)
	defer w.Abort()
	batches := slices.Collect(slices.Chunk(numbers, photosAtOnce))
	err = inOrder(ctx, len(batches), r.teachers, func(ctx context.Context, t *teacher, b int) ([]item, error) {
		return r.label(ctx, t, batches[b])
	}, func(_ int, items []item) error {
		for _, it := range items {
			if err := r.add(w, &d.Summary, it); err != nil {
				return err
			}
		}
		r.progress(len(items))
		return nil
	})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return d, err
	}
	if list := w.Shards(); len(list) > 0 {
		info, err := os.Stat(list[0])
		if err != nil {
			return d, err
		}
		d.File, d.Bytes = filepath.Base(list[0]), info.Size()
	}
	return d, d.finish(r.Output)
}

// add writes a photo and counts it.
func (r *run) add(w *pairs.ShardWriter, s *Summary, it item) error {
	if it.err != nil {
		at := r.chosen[it.number]
		p := pairs.Problem{Key: r.index.Key(at), Source: r.index.Source(at), Err: it.err}
		s.Broken[p.Reason()]++
		r.skip(p)
		return nil
	}
	s.add(it.mask)
	var labels *pairs.LabelMap
	if it.mask != nil {
		labels = &it.mask.LabelMap
	}
	if err := it.sample.SetLabelMap(labels); err != nil {
		return err
	}
	return w.Add(it.sample, it.kind, it.photo.Width, it.photo.Height)
}

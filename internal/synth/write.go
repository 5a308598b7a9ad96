package synth

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// DataOptions say what dataset to write.
type DataOptions struct {
	// Scenes is how many to draw, 1 to 10 million; files number them from 0.
	Scenes int
	// Seed decides them.
	Seed uint64
	// First is the number of the first scene: sets of one seed whose numbers do
	// not overlap have no scene in common.
	First uint64
	// Scene says how each looks.
	Scene Options
	// Shards asks for webdataset shards, scenes-000000.tar and on, of
	// ShardSize scenes (0 is 1,000): KEY.png and KEY.json with the caption.
	Shards    bool
	ShardSize int
	// Labels adds the exact masks to the shards, as label maps that training reads:
	// KEY.labels.png, whose value i ≥ 1 is the i-th of the JSON's "labels".
	Labels bool
	// VOC asks for the layout of PASCAL VOC: JPEGImages/KEY.png (PNG, because
	// JPEG would blur the noise), SegmentationClass/KEY.png (indexed, value =
	// class), ImageSets/Segmentation/val.txt, and classes.txt with one class
	// word a line in the order of the values.
	VOC bool
	// Progress, if set, is called with the number of scenes written.
	Progress func(done int)
}

// Validate checks the options; the error says which one to mend.
func (o DataOptions) Validate() error {
	switch {
	case o.Scenes < 1 || o.Scenes > 10_000_000:
		return fmt.Errorf("%w: %d scenes: it must be 1 to 10,000,000", ErrOptions, o.Scenes)
	case o.ShardSize < 0 || o.ShardSize > 1_000_000:
		return fmt.Errorf("%w: %d scenes a shard: it must be 1 to 1,000,000", ErrOptions, o.ShardSize)
	case o.Labels && !o.Shards:
		return fmt.Errorf("%w: label maps are for shards", ErrOptions)
	case !o.Shards && !o.VOC:
		return fmt.Errorf("%w: neither shards nor the VOC layout is asked for", ErrOptions)
	}
	return o.Scene.Validate()
}

// Write draws a dataset into the folder dir, which must not exist or be empty.
// It is written beside and renamed when it is complete, so a folder of that name
// is always whole.
func Write(ctx context.Context, dir string, o DataOptions) (err error) {
	if err := o.Validate(); err != nil {
		return err
	}
	if o.ShardSize == 0 {
		o.ShardSize = 1000
	}
	dir = filepath.Clean(dir)
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("folder %s is not empty: name a new one or remove it", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("output: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	temporary, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+".partial-")
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	defer func() {
		if err != nil {
			os.RemoveAll(temporary)
		}
	}()
	w := &writer{dir: temporary, options: o}
	if err := w.run(ctx); err != nil {
		return fmt.Errorf("writing %s: %w", dir, err)
	}
	if err := os.Chmod(temporary, 0o755); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	// Renaming onto an empty folder is an error on some systems.
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("output: %w", err)
	}
	if err := os.Rename(temporary, dir); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

// writer puts a dataset into a folder.
type writer struct {
	dir     string
	options DataOptions
	shard   *os.File
	tar     *tar.Writer
}

// encoded is one scene as files.
type encoded struct {
	key               string
	photo, mask, json []byte
	labels            []byte
	err               error
}

// run draws and encodes on all processors and writes in order.
func (w *writer) run(ctx context.Context) error {
	if err := w.prepare(); err != nil {
		return err
	}
	defer func() { // a shard is open here only after an error
		if w.shard != nil {
			w.shard.Close()
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	workers := runtime.GOMAXPROCS(0)
	// Each scene has its own channel; the queue of channels keeps the order
	// and bounds how far drawing runs ahead.
	type job struct {
		index int
		done  chan encoded
	}
	jobs, queue := make(chan job), make(chan chan encoded, 4*workers)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	for range workers {
		group.Go(func() {
			for j := range jobs {
				j.done <- w.encode(j.index)
			}
		})
	}
	group.Go(func() {
		defer close(jobs)
		defer close(queue)
		for i := range w.options.Scenes {
			done := make(chan encoded, 1)
			select {
			case queue <- done:
			case <-ctx.Done():
				return
			}
			jobs <- job{index: i, done: done}
		}
	})
	written := 0
	for done := range queue {
		if ctx.Err() != nil {
			break
		}
		e := <-done
		if e.err != nil {
			return e.err
		}
		if err := w.put(written, e); err != nil {
			return err
		}
		written++
		if w.options.Progress != nil {
			w.options.Progress(written)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return w.closeShard()
}

// prepare makes the folders and lists of the VOC layout.
func (w *writer) prepare() error {
	if !w.options.VOC {
		return nil
	}
	for _, folder := range []string{"JPEGImages", "SegmentationClass", "ImageSets/Segmentation"} {
		if err := os.MkdirAll(filepath.Join(w.dir, folder), 0o777); err != nil {
			return err
		}
	}
	var list strings.Builder
	for i := range w.options.Scenes {
		list.WriteString(key(i) + "\n")
	}
	if err := w.file("ImageSets/Segmentation/val.txt", []byte(list.String())); err != nil {
		return err
	}
	return w.file("classes.txt", []byte(strings.Join(words[:], "\n")+"\n"))
}

func key(index int) string { return fmt.Sprintf("scene-%07d", index) }

func (w *writer) file(name string, content []byte) error {
	return os.WriteFile(filepath.Join(w.dir, filepath.FromSlash(name)), content, 0o666)
}

// encode draws one scene and encodes what was asked for.
func (w *writer) encode(index int) encoded {
	s := Draw(w.options.Seed, w.options.First+uint64(index), w.options.Scene)
	e := encoded{key: key(index)}
	e.photo, e.err = encodePNG(s.Image())
	if w.options.VOC && e.err == nil {
		e.mask, e.err = encodePNG(s.MaskImage())
	}
	if w.options.Shards && e.err == nil {
		e.json, e.err = json.Marshal(struct {
			Captions []string `json:"captions"`
			Width    int      `json:"width"`
			Height   int      `json:"height"`
			Labels   []string `json:"labels,omitempty"`
		}{[]string{s.Caption}, s.Size, s.Size, w.labels()})
	}
	if w.options.Labels && e.err == nil {
		e.labels, e.err = encodePNG(s.labelImage())
	}
	return e
}

// put writes one scene to where it was asked for.
func (w *writer) put(index int, e encoded) error {
	if w.options.VOC {
		if err := w.file("JPEGImages/"+e.key+".png", e.photo); err != nil {
			return err
		}
		if err := w.file("SegmentationClass/"+e.key+".png", e.mask); err != nil {
			return err
		}
	}
	if !w.options.Shards {
		return nil
	}
	if index%w.options.ShardSize == 0 {
		if err := w.nextShard(index / w.options.ShardSize); err != nil {
			return err
		}
	}
	if err := w.member(e.key+".png", e.photo); err != nil {
		return err
	}
	if err := w.member(e.key+".json", e.json); err != nil || e.labels == nil {
		return err
	}
	return w.member(e.key+".labels.png", e.labels)
}

// labels are the words of the label maps' values, from 1 on.
func (w *writer) labels() []string {
	if !w.options.Labels {
		return nil
	}
	return words[:]
}

func (w *writer) nextShard(number int) error {
	if err := w.closeShard(); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(w.dir, fmt.Sprintf("scenes-%06d.tar", number)))
	if err != nil {
		return err
	}
	w.shard, w.tar = f, tar.NewWriter(f)
	return nil
}

func (w *writer) closeShard() error {
	if w.shard == nil {
		return nil
	}
	err := errors.Join(w.tar.Close(), w.shard.Close())
	w.shard, w.tar = nil, nil
	return err
}

// member adds a file to the shard; no time and no owner, so that the same
// scenes give the same bytes.
func (w *writer) member(name string, content []byte) error {
	header := tar.Header{
		Name: name, Size: int64(len(content)), Mode: 0o644, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR,
	}
	if err := w.tar.WriteHeader(&header); err != nil {
		return err
	}
	_, err := io.Copy(w.tar, bytes.NewReader(content))
	return err
}

// Image returns the picture.
func (s Scene) Image() image.Image {
	im := image.NewNRGBA(image.Rect(0, 0, s.Size, s.Size))
	for i := range s.Mask {
		copy(im.Pix[4*i:], s.RGB[3*i:3*i+3])
		im.Pix[4*i+3] = 255
	}
	return im
}

// labelImage is the mask as a label map: class plus 1, since 0 would say that only
// background is known.
func (s Scene) labelImage() *image.Gray {
	im := image.NewGray(image.Rect(0, 0, s.Size, s.Size))
	for i, class := range s.Mask {
		im.Pix[i] = class + 1
	}
	return im
}

// MaskImage returns the mask as an indexed image: index = class.
func (s Scene) MaskImage() *image.Paletted {
	return &image.Paletted{Pix: s.Mask, Stride: s.Size, Rect: image.Rect(0, 0, s.Size, s.Size), Palette: maskPalette}
}

// maskPalette has bright colours for objects and dark ones for grounds.
var maskPalette = color.Palette{
	color.RGBA{230, 50, 50, 255}, color.RGBA{60, 200, 60, 255}, color.RGBA{60, 90, 255, 255},
	color.RGBA{250, 220, 40, 255}, color.RGBA{230, 60, 230, 255}, color.RGBA{50, 220, 220, 255},
	color.RGBA{255, 140, 30, 255}, color.RGBA{150, 80, 255, 255}, color.RGBA{20, 90, 20, 255},
	color.RGBA{140, 120, 60, 255}, color.RGBA{20, 40, 100, 255}, color.RGBA{100, 40, 20, 255},
}

// encodePNG encodes with little effort: noise hardly shrinks with more.
func encodePNG(im image.Image) ([]byte, error) {
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: &buffers}
	err := encoder.Encode(&b, im)
	return b.Bytes(), err
}

// buffers keeps encoders' tables between pictures.
var buffers pngBuffers

type pngBuffers struct{ pool sync.Pool }

func (p *pngBuffers) Get() *png.EncoderBuffer {
	b, _ := p.pool.Get().(*png.EncoderBuffer)
	return b
}

func (p *pngBuffers) Put(b *png.EncoderBuffer) { p.pool.Put(b) }

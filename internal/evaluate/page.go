package evaluate

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/bench"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/render"
	"github.com/groupvit/groupvit/mask"
)

// Names in the folder of a measurement.
const (
	pageName    = "index.html"
	picturesDir = "pictures"
)

// pictureSide is the longer side of a picture of the page, in pixels.
const pictureSide = 320

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// pagePhoto is one photo of the page.
type pagePhoto struct {
	ID      string
	Mean    string
	Classes []pageClass
	// Pictures are addresses from the page: photo, truth, prediction, error.
	Pictures []pagePicture
}

type pagePicture struct{ Title, Address string }

type pageClass struct {
	Name, IoU string
	Color     template.CSS
}

// pageContent is what the page says.
type pageContent struct {
	Report   *Report
	Numbers  string
	Photos   []pagePhoto
	Legend   []pageClass
	Selected string
}

// WritePage writes a page of pictures into the folder of a measurement: the photos
// with the smallest mean IoU, at most so many, worst first, each beside its truth,
// what was predicted and where that is wrong.
func (r *Report) WritePage(ctx context.Context, d *bench.Dataset, folder string, most int) error {
	p := pageContent{Report: r}
	var numbers bytes.Buffer
	if err := r.WriteText(&numbers); err != nil {
		return err
	}
	p.Numbers = numbers.String()
	order := r.worstFirst()
	p.Selected = fmt.Sprintf("The %d photos of %d with the smallest mean IoU, worst first.", min(most, len(order)), len(order))
	used := map[int]bool{}
	for _, i := range order[:min(most, len(order))] {
		if err := ctx.Err(); err != nil {
			return err
		}
		photo, err := r.pagePhoto(d, folder, i)
		if err != nil {
			return fmt.Errorf("picture of %s: %w", r.PerImage[i].ID, err)
		}
		p.Photos = append(p.Photos, photo)
		for _, c := range r.PerImage[i].Classes {
			used[int(c[0])] = true
		}
	}
	for c, name := range r.Classes {
		if used[c] {
			p.Legend = append(p.Legend, pageClass{Name: name, Color: cssColor(classColor(c, d.Background)), IoU: number(r.PerClass[name])})
		}
	}
	var text bytes.Buffer
	if err := pageTemplate.Execute(&text, p); err != nil {
		return err
	}
	return writeWhole(filepath.Join(folder, pageName), text.Bytes())
}

// worstFirst are the photos in the order of their mean IoU; those where nothing
// counts are left out.
func (r *Report) worstFirst() []int {
	var order []int
	means := make([]float64, len(r.PerImage))
	for i, im := range r.PerImage {
		if means[i] = im.Classes.mean(); !math.IsNaN(means[i]) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case means[a] < means[b]:
			return -1
		case means[a] > means[b]:
			return 1
		}
		return 0
	})
	return order
}

// pagePhoto writes the pictures of photo i.
func (r *Report) pagePhoto(d *bench.Dataset, folder string, i int) (pagePhoto, error) {
	im := r.PerImage[i]
	p := pagePhoto{ID: im.ID, Mean: fmt.Sprintf("%.1f", 100*im.Classes.mean())}
	for _, c := range im.Classes {
		p.Classes = append(p.Classes, pageClass{
			Name: r.Classes[c[0]], IoU: fmt.Sprintf("%.0f", 100*Areas{c[1], c[2], c[3]}.IoU()), Color: cssColor(classColor(int(c[0]), d.Background)),
		})
	}
	photo, truth, err := d.Load(i)
	if err != nil {
		return p, err
	}
	predicted, err := readMap(predictionPath(folder, im.ID), truth)
	if err != nil {
		return p, err
	}
	pictures, err := newPanels(photo, truth, predicted, d.Background)
	if err != nil {
		return p, err
	}
	for _, panel := range pictures {
		var b bytes.Buffer
		if err := png.Encode(&b, panel.picture); err != nil {
			return p, err
		}
		name := path.Join(picturesDir, im.ID+"."+panel.title+".png")
		if err := writeWhole(filepath.Join(folder, filepath.FromSlash(name)), b.Bytes()); err != nil {
			return p, err
		}
		address := (&url.URL{Path: "./" + name}).String()
		p.Pictures = append(p.Pictures, pagePicture{panel.title, address})
	}
	return p, nil
}

// readMap reads a predicted map and checks that it is of this photo.
func readMap(path string, truth *bench.Truth) ([]uint8, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := mask.DecodePNG(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := m.Fits(truth.Width, truth.Height); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	labels := make([]uint8, len(m.Labels))
	for i, l := range m.Labels {
		labels[i] = uint8(l)
	}
	return labels, nil
}

// panel is one picture of a photo.
type panel struct {
	title   string
	picture image.Image
}

// The colours of ignored, wrong and right pixels.
var (
	ignoredColor = color.RGBA{245, 245, 245, 255}
	wrongColor   = color.RGBA{214, 40, 40, 255}
	rightColor   = color.RGBA{40, 120, 60, 255}
)

// newPanels makes the pictures: photo, truth, prediction, error.
func newPanels(photo image.Image, truth *bench.Truth, predicted []uint8, background int) ([]panel, error) {
	full, err := imaging.FromImage(photo)
	if err != nil {
		return nil, err
	}
	scale := min(1, float64(pictureSide)/float64(max(full.Width, full.Height)))
	w, h := max(1, int(float64(full.Width)*scale+0.5)), max(1, int(float64(full.Height)*scale+0.5))
	small, err := imaging.ResizePIL(full, w, h, imaging.Bilinear)
	if err != nil {
		return nil, err
	}
	const ignored, right, wrong = 1 << 10, 1, 2
	labels := func(of func(at int) uint16) *mask.Map {
		m := &mask.Map{Width: w, Height: h, Labels: make([]uint16, w*h)}
		for y := range h {
			for x := range w {
				// The nearest pixel of the full size.
				at := min(int((float64(y)+0.5)/scale), full.Height-1)*full.Width + min(int((float64(x)+0.5)/scale), full.Width-1)
				m.Labels[y*w+x] = of(at)
			}
		}
		return m
	}
	label := func(c uint8) uint16 {
		switch {
		case c == bench.Ignore:
			return ignored
		case int(c) == background:
			return 0
		}
		return uint16(c) + 1
	}
	classColors := func(l int) color.RGBA {
		if l == ignored {
			return ignoredColor
		}
		return classColor(l-1, background)
	}
	out := []panel{{"photo", small}}
	for _, p := range []struct {
		title  string
		labels *mask.Map
		color  func(int) color.RGBA
	}{
		{"truth", labels(func(at int) uint16 { return label(truth.Labels[at]) }), classColors},
		{"prediction", labels(func(at int) uint16 { return label(predicted[at]) }), classColors},
		{"error", labels(func(at int) uint16 {
			switch truth.Labels[at] {
			case bench.Ignore:
				return ignored
			case predicted[at]:
				return right
			}
			return wrong
		}), func(l int) color.RGBA {
			return map[int]color.RGBA{ignored: ignoredColor, right: rightColor, wrong: wrongColor}[l]
		}},
	} {
		picture, err := render.Regions(small, p.labels, &render.Options{Opacity: 0.6, NoOutline: true, Exact: true, Color: p.color})
		if err != nil {
			return nil, err
		}
		out = append(out, panel{p.title, picture})
	}
	return out, nil
}

// classColor is the colour of a class; background has none.
func classColor(class, background int) color.RGBA {
	if class == background {
		return color.RGBA{}
	}
	return render.Color(class + 1)
}

func cssColor(c color.RGBA) template.CSS {
	if c.A == 0 {
		return "transparent"
	}
	return template.CSS(fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B))
}

// MIoU is the report's, for its heading.
func (p pageContent) MIoU() string { return number(p.Report.MIoU) }

// Title is the page's.
func (p pageContent) Title() string {
	return strings.Join([]string{p.Report.Dataset, p.Report.Protocol, p.Report.Model.Name}, ", ")
}

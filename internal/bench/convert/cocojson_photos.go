package convert

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/mask"
)

// placed is an image with the names of its files.
type placed struct {
	cocoImage
	width, height int
	// name is that of its photo below the folder of photos, with slashes.
	name string
	// orientation turns what was annotated on the pixels as stored into the upright
	// image; 1 leaves it.
	orientation int
}

// Why an image is left out.
var (
	errNoPhoto  = errors.New("its photo is not there")
	errSizes    = errors.New("its photo has another size")
	errBadImage = errors.New("its name or size is none")
)

// cleanName makes a path with slashes, below nowhere, of a name as any system and
// program writes it: "C:\data\1.jpg", "/data/1.jpg", "images/1.jpg".
func cleanName(name string) (clean string, absolute bool) {
	name = strings.ReplaceAll(name, `\`, "/")
	if len(name) > 2 && name[1] == ':' && name[2] == '/' {
		name = name[2:]
	}
	absolute = strings.HasPrefix(name, "/")
	if name = strings.TrimLeft(path.Clean(name), "/"); name == "." {
		return "", absolute
	}
	return name, absolute
}

// commonFolder is the deepest folder, ended by a slash, of all absolute names; names
// below it need no more.
func commonFolder(images []cocoImage) string {
	common, first := "", true
	for _, im := range images {
		name, absolute := cleanName(im.FileName)
		if !absolute {
			continue
		}
		dir := name[:strings.LastIndexByte(name, '/')+1]
		if first {
			common, first = dir, false
		}
		for !strings.HasPrefix(dir, common) {
			common = common[:strings.LastIndexByte(strings.TrimSuffix(common, "/"), '/')+1]
		}
	}
	return common
}

// place finds the photo of an image and its size. photos is their folder, "" where it
// is not known.
func place(im cocoImage, photos, common string) (p placed, err error) {
	p = placed{cocoImage: im, width: im.Width.pixels(), height: im.Height.pixels(), orientation: 1}
	clean, absolute := cleanName(im.FileName)
	if !filepath.IsLocal(filepath.FromSlash(clean)) || strings.ContainsRune(clean, 0) || len(clean) > limits.PathBytes {
		return p, fmt.Errorf("%w: file name %.80q", errBadImage, im.FileName)
	}
	p.name = clean
	if absolute {
		p.name = strings.TrimPrefix(clean, common)
	}
	if photos != "" {
		if err := p.find(photos, clean); err != nil {
			return p, err
		}
	}
	if p.width <= 0 || p.height <= 0 || p.width > limits.ImageSide || p.height > limits.ImageSide || p.width*p.height > limits.ImagePixels {
		return p, fmt.Errorf("%w: %d×%d pixels", errBadImage, p.width, p.height)
	}
	return p, nil
}

// find looks for the photo below a folder, under as much of its name as is there, and
// compares its size.
func (p *placed) find(photos, clean string) error {
	for rest, more := clean, true; ; {
		for _, name := range sameStem(rest) {
			full := filepath.Join(photos, filepath.FromSlash(name))
			if info, err := os.Stat(full); err == nil && info.Mode().IsRegular() {
				p.name = name
				return p.compare(full, info.Size())
			}
		}
		if _, rest, more = strings.Cut(rest, "/"); !more {
			return fmt.Errorf("%w: %s", errNoPhoto, filepath.Join(photos, filepath.FromSlash(clean)))
		}
	}
}

// sameStem are the names that a photo may have: its own, or another extension, as
// photos are saved anew.
func sameStem(name string) []string {
	names := []string{name}
	for _, ending := range imaging.Extensions() {
		names = append(names, strings.TrimSuffix(name, path.Ext(name))+ending)
	}
	return names
}

// compare compares the annotated size with the photo's: that of the upright image, or
// of the pixels as they are stored, which EXIF turns.
func (p *placed) compare(full string, size int64) error {
	if err := limits.Check("its size in bytes", full, size, limits.ImageBytes, "save it smaller"); err != nil {
		return fmt.Errorf("%w: %w", errBadImage, err)
	}
	b, err := os.ReadFile(full)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoPhoto, err)
	}
	info, err := imaging.Probe(b, full)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoPhoto, err)
	}
	switch {
	case p.width <= 0 || p.height <= 0:
		p.width, p.height = info.Width, info.Height
	case p.width == info.Width && p.height == info.Height:
	case info.Orientation >= 5 && p.width == info.Height && p.height == info.Width:
		p.orientation = info.Orientation
	default:
		return fmt.Errorf("%w: %d×%d, the annotations are of %d×%d pixels", errSizes, info.Width, info.Height, p.width, p.height)
	}
	return nil
}

// turned is a map of the pixels as stored, turned upright by an EXIF orientation of 5
// to 8.
func turned(m *mask.Map, orientation int) (*mask.Map, error) {
	out, err := mask.New(m.Height, m.Width)
	if err != nil {
		return nil, err
	}
	for y := range out.Height {
		for x := range out.Width {
			column, row := y, x // 5: rows become columns
			if orientation == 7 || orientation == 8 {
				column = m.Width - 1 - y
			}
			if orientation == 6 || orientation == 7 {
				row = m.Height - 1 - x
			}
			out.Labels[y*out.Width+x] = m.Labels[row*m.Width+column]
		}
	}
	return out, nil
}

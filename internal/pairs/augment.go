package pairs

import "math"

// rectangle is a part of a picture, in pixels.
type rectangle struct{ x, y, width, height int }

// side is a part of a picture's height and width, each in (0, 1].
type side struct{ height, width float64 }

// squarest is the least ratio of the sides of a "batch" crop; less is square.
const squarest = 0.66

// batchCrop draws the size of the crop "batch".
func (a Augment) batchCrop(d *rng) side {
	s := side{d.between(a.Side[0], a.Side[1]), d.between(a.Side[0], a.Side[1])}
	if min(s.height, s.width) < squarest*max(s.height, s.width) {
		s.width = s.height
	}
	return s
}

// crop says which part of a picture of some size is taken.
func (a Augment) crop(d *rng, width, height int, batch side) rectangle {
	whole := rectangle{0, 0, width, height}
	switch a.Crop {
	case CropCenter:
		s := min(width, height)
		return rectangle{(width - s) / 2, (height - s) / 2, s, s}
	case CropBatch:
		w := max(1, int(math.Round(batch.width*float64(width))))
		h := max(1, int(math.Round(batch.height*float64(height))))
		return rectangle{d.intn(width - w + 1), d.intn(height - h + 1), w, h}
	case CropResized:
		return a.resizedCrop(d, width, height)
	}
	return whole
}

// resizedCrop is torchvision's and timm's RandomResizedCrop: up to ten tries of
// a random area and aspect, else the largest middle part within the range of
// aspects.
func (a Augment) resizedCrop(d *rng, width, height int) rectangle {
	for range 10 {
		area := d.between(a.Area[0], a.Area[1]) * float64(width) * float64(height)
		aspect := d.logBetween(a.Aspect[0], a.Aspect[1])
		w := int(math.RoundToEven(math.Sqrt(area * aspect)))
		h := int(math.RoundToEven(math.Sqrt(area / aspect)))
		if w >= 1 && w <= width && h >= 1 && h <= height {
			return rectangle{d.intn(width - w + 1), d.intn(height - h + 1), w, h}
		}
	}
	w, h := width, height
	switch aspect := float64(width) / float64(height); {
	case aspect < a.Aspect[0]:
		h = max(1, int(math.RoundToEven(float64(w)/a.Aspect[0])))
	case aspect > a.Aspect[1]:
		w = max(1, int(math.RoundToEven(float64(h)*a.Aspect[1])))
	}
	return rectangle{(width - w) / 2, (height - h) / 2, w, h}
}

// cut returns a part of a picture; the whole is not copied.
func cut(im *Image, r rectangle) *Image {
	if r == (rectangle{0, 0, im.Width, im.Height}) {
		return im
	}
	part := &Image{Width: r.width, Height: r.height, Pix: make([]uint8, 3*r.width*r.height)}
	for y := range r.height {
		from := 3 * ((r.y+y)*im.Width + r.x)
		copy(part.Pix[3*y*r.width:3*(y+1)*r.width], im.Pix[from:])
	}
	return part
}

// picture writes one augmented, normalised image [3, size, size] to pixels. It
// returns the sample's labels of the part of it that is seen, a value a cell of
// Options.LabelCell pixels, nil without labels.
func (l *Loader) picture(pixels []float32, size int, s *loaded, d *rng, batch side) ([]uint8, error) {
	a, stored := l.options.Augment, s.image
	part := a.crop(d, stored.Width, stored.Height, batch)
	im, err := a.reshape(d, stored, part, size)
	if err != nil {
		return nil, err
	}
	flip := a.Flip > 0 && d.float() < a.Flip
	var cells []uint8
	if s.labels != nil && len(s.labels.Pix) > 0 {
		cells = s.labels.grid(part, stored.Width, stored.Height, flip, size/l.options.LabelCell)
	}
	if a.Rand.Operations > 0 {
		if im == stored { // it may be in the cache
			im = im.Clone()
		}
		if flip { // operations that have a direction see the flipped picture
			mirror(im)
			flip = false
		}
		a.Rand.apply(d, im)
	}
	tables := l.colours(d)
	for c := range 3 {
		table := &tables[c]
		plane := pixels[c*size*size : (c+1)*size*size]
		for y := range size {
			row, out := im.Row(y), plane[y*size:(y+1)*size]
			if flip {
				for x := range out {
					out[size-1-x] = table[row[3*x+c]]
				}
			} else {
				for x := range out {
					out[x] = table[row[3*x+c]]
				}
			}
		}
	}
	if a.Erase > 0 && d.float() < a.Erase {
		a.erase(d, pixels, size)
	}
	return cells, nil
}

// softest is the smallest part of its side to which a softened picture is shrunk.
const softest = 0.45

// reshape resizes a part of a picture to size × size, at times by way of a smaller
// size. The result may be the picture itself.
func (a Augment) reshape(d *rng, im *Image, part rectangle, size int) (*Image, error) {
	im = cut(im, part)
	if a.Soften > 0 && d.float() < a.Soften {
		small := max(1, int(math.Round(d.between(softest, 1)*float64(size))))
		if small < im.Width && small < im.Height {
			var err error
			if im, err = a.resize(im, small, small); err != nil {
				return nil, err
			}
		}
	}
	if im.Width == size && im.Height == size {
		return im, nil
	}
	return a.resize(im, size, size)
}

// colours draws a picture's contrast, brightness and shift of each channel, and
// returns the normalised value of each level of each channel.
func (l *Loader) colours(d *rng) (tables [3][256]float32) {
	a := l.options.Augment
	contrast, brightness := 1.0, 0.0
	if a.Contrast > 0 {
		contrast = d.between(1-a.Contrast, 1+a.Contrast)
	}
	if a.Brightness > 0 {
		brightness = d.between(-a.Brightness, a.Brightness)
	}
	for c := range tables {
		shift := brightness
		if a.Channel > 0 {
			shift += d.between(-a.Channel, a.Channel)
		}
		mean, std := float64(l.options.Mean[c]), float64(l.options.Std[c])
		for v := range tables[c] {
			tables[c][v] = float32((float64(v)/255-mean)/std*contrast + shift)
		}
	}
	return tables
}

// mirror turns left to right in place.
func mirror(im *Image) {
	for y := range im.Height {
		row := im.Pix[3*y*im.Width : 3*(y+1)*im.Width]
		for l, r := 0, im.Width-1; l < r; l, r = l+1, r-1 {
			for c := range 3 {
				row[3*l+c], row[3*r+c] = row[3*r+c], row[3*l+c]
			}
		}
	}
}

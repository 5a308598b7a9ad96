package serve

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/vocab"
)

// upload is a photo's file, as it came.
type upload struct {
	Name string `json:"name"`
	Data file   `json:"data"`
}

// file is the bytes of a photo's file. In JSON they are base64, perhaps as a data:
// address, which is what a browser makes of a file.
type file []byte

// UnmarshalJSON implements json.Unmarshaler.
func (f *file) UnmarshalJSON(data []byte) error {
	var text *string
	if err := json.Unmarshal(data, &text); err != nil {
		return errors.New("a photo in JSON is a text: base64, or a data: address")
	}
	if text == nil {
		*f = nil
		return nil
	}
	b, err := decodeText(*text)
	*f = b
	return err
}

// decodeText decodes base64 or a data: address that has it. No other address is
// fetched.
func decodeText(text string) ([]byte, error) {
	if rest, ok := cutScheme(text, "data:"); ok {
		head, coded, ok := strings.Cut(rest, ",")
		if !ok || !strings.HasSuffix(strings.ToLower(strings.TrimSpace(head)), ";base64") {
			return nil, errors.New("a data: address of a photo must be in base64, as data:image/jpeg;base64,…")
		}
		text = coded
	} else if i := strings.Index(text, "://"); i > 0 && i < 10 {
		return nil, errors.New("addresses are not fetched: send the photo itself, as base64 or a data: address")
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("a photo in JSON must be base64: %w", err)
	}
	return b, nil
}

// cutScheme cuts an address's scheme, in any case.
func cutScheme(text, scheme string) (string, bool) {
	if len(text) < len(scheme) || !strings.EqualFold(text[:len(scheme)], scheme) {
		return text, false
	}
	return text[len(scheme):], true
}

// ask is what a request asks, the same whether it came as JSON, as a form, or as
// a photo with its options in the address.
type ask struct {
	// Image is a single photo, Images several with names.
	Image  file     `json:"image"`
	Images []upload `json:"images"`
	// Labels are words; "auto" alone leaves them to the model.
	Labels []string `json:"labels"`
	// Top and Least bound the words that the model proposes.
	Top   int     `json:"top"`
	Least float64 `json:"least"`
	// Text and Texts are for embeddings.
	Text       *string    `json:"text"`
	Texts      []string   `json:"texts"`
	Protocol   string     `json:"protocol"`
	Background background `json:"background"`
	Templates  string     `json:"templates"`
	Quality    string     `json:"quality"`
	ShortSide  int        `json:"short_side"`
	ResultSide int        `json:"result_side"`
	MinArea    minArea    `json:"min_area"`
	Instances  bool       `json:"instances"`
	Formats    []string   `json:"formats"`

	// lists are those of labels that a form or an address has, as they came.
	lists []string
	// given are the fields that have their one value.
	given map[string]bool
}

// background is a word or a number.
type background string

// UnmarshalJSON implements json.Unmarshaler.
func (b *background) UnmarshalJSON(data []byte) error {
	var word string
	if json.Unmarshal(data, &word) == nil {
		*b = background(word)
		return nil
	}
	var number float64
	if err := json.Unmarshal(data, &number); err != nil {
		return errors.New(`background is "auto", "off" or a number from 0 to 1`)
	}
	*b = background(strconv.FormatFloat(number, 'g', -1, 64))
	return nil
}

// minArea is a number of pixels, a share below 1, or a text as "0.1%".
type minArea string

// UnmarshalJSON implements json.Unmarshaler.
func (m *minArea) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*m = minArea(text)
		return nil
	}
	var number float64
	if err := json.Unmarshal(data, &number); err != nil {
		return errors.New(`min_area is a number of pixels, a share of the photo below 1, or a text as "0.1%"`)
	}
	*m = minArea(strconv.FormatFloat(number, 'g', -1, 64))
	return nil
}

// readAsk reads a request of any of the types. The caps on its parts hold
// whatever the type.
func (s *Server) readAsk(r *http.Request, b *body) (*ask, error) {
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, kindMedia.because("Content-Type %q: %v", r.Header.Get("Content-Type"), err)
	}
	a := &ask{}
	switch {
	case r.Header.Get("Content-Encoding") != "":
		return nil, kindMedia.because("Content-Encoding %q: bodies are not decompressed", r.Header.Get("Content-Encoding"))
	case kind == "application/json" && r.URL.RawQuery == "":
		err = a.readJSON(b)
	case r.URL.RawQuery != "" && (kind == "application/json" || kind == "multipart/form-data"):
		return nil, kindRequest.because("the address has fields (?%.80s), which a request with a body of type %s has in its body", r.URL.RawQuery, kind)
	case kind == "multipart/form-data":
		err = a.readForm(multipart.NewReader(b, parameters["boundary"]), s.o)
	case strings.HasPrefix(kind, "image/"), kind == "application/octet-stream":
		err = a.readPhoto(r, b, s.o)
	default:
		return nil, kindMedia.because("Content-Type %q", kind)
	}
	if err != nil {
		return nil, asRequest(err)
	}
	b.arrived()
	if err := a.readLabels(); err != nil {
		return nil, err
	}
	if a.Image != nil {
		a.Images = append([]upload{{Data: a.Image}}, a.Images...)
	}
	return a, a.check(s.o)
}

// readLabels reads the lists of labels as the command line does.
func (a *ask) readLabels() error {
	if !slices.ContainsFunc(a.lists, func(l string) bool { return strings.TrimSpace(l) != "" }) {
		return nil
	}
	labels, err := vocab.ParseLabels(a.lists...)
	if err != nil {
		return err
	}
	for _, l := range labels {
		a.Labels = append(a.Labels, strings.Join(l.Names(), "|"))
	}
	return nil
}

// asRequest makes a bad request of errors that are no problem of their own.
func asRequest(err error) error {
	if p := toProblem(err); p.Status != http.StatusInternalServerError {
		return p
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return kindRequest.because("the body ends before it is complete: %v", err)
	}
	return kindRequest.because("%v", err)
}

// readJSON reads one object with known keys.
func (a *ask) readJSON(r io.Reader) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(a); err != nil {
		return fmt.Errorf("JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return kindRequest.because("JSON: there is more after the object")
	}
	return nil
}

// readForm reads a form: files named image, everything else by [ask.set].
func (a *ask) readForm(form *multipart.Reader, o Options) error {
	fields := 0
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("form: %w", err)
		}
		name := part.FormName()
		if name == "image" || name == "images" {
			if len(a.Images) == o.Images {
				return limits.Check("number of photos", "request", int64(o.Images)+1, int64(o.Images), "send fewer at once")
			}
			data, err := readPart(part, o.ImageBytes)
			if err != nil {
				return err
			}
			a.Images = append(a.Images, upload{part.FileName(), data})
			continue
		}
		if fields++; fields > limits.ServeFields {
			return limits.Check("number of fields", "form", int64(fields), limits.ServeFields, "send fewer")
		}
		value, err := readUpTo(part, limits.ServeFieldBytes, "field "+name)
		if err != nil {
			return err
		}
		if err := a.set(name, string(value)); err != nil {
			return err
		}
	}
}

// readPart reads a photo of a form: a file, or a field with a data: address.
func readPart(part *multipart.Part, most int64) ([]byte, error) {
	name := part.FileName()
	if name != "" {
		return readUpTo(part, most, name)
	}
	data, err := readUpTo(part, most*4/3+dataHead, name)
	if err != nil {
		return nil, err
	}
	if _, ok := cutScheme(string(data[:min(len(data), len("data:"))]), "data:"); ok {
		return decodeText(strings.TrimSpace(string(data)))
	}
	return data, limits.Check("size in bytes", "photo", int64(len(data)), most, "make it smaller")
}

// dataHead is room for what stands before the photo in a data: address.
const dataHead = 1024

// readPhoto takes the body for a photo and the rest from the address.
func (a *ask) readPhoto(r *http.Request, b *body, o Options) error {
	query := r.URL.Query()
	name := query.Get("name")
	query.Del("name")
	for key, values := range query {
		for _, v := range values {
			if err := a.set(key, v); err != nil {
				return err
			}
		}
	}
	data, err := readUpTo(b, o.ImageBytes, name)
	a.Images = []upload{{name, data}}
	return err
}

// readUpTo reads all of r if that is no more than most.
func readUpTo(r io.Reader, most int64, name string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = "photo"
	}
	return data, limits.Check("size in bytes", name, int64(len(data)), most, "make it smaller")
}

// set gives a field of a form or an address its value.
func (a *ask) set(name, value string) error {
	number := func(to *int) error {
		n, err := strconv.Atoi(value)
		if err != nil {
			return kindRequest.because("%s is %.40q: give a whole number", name, value)
		}
		*to = n
		return nil
	}
	if several := name == "labels" || name == "text" || name == "formats"; !several && a.given[name] {
		return kindRequest.because("the field %.40q is given twice", name)
	}
	if a.given == nil {
		a.given = map[string]bool{}
	}
	a.given[name] = true
	switch name {
	case "labels":
		a.lists = append(a.lists, value)
	case "text":
		a.Texts = append(a.Texts, value)
	case "protocol":
		a.Protocol = value
	case "background":
		a.Background = background(value)
	case "quality":
		a.Quality = value
	case "templates":
		a.Templates = value
	case "formats":
		a.Formats = append(a.Formats, splitList(value)...)
	case "min_area":
		a.MinArea = minArea(value)
	case "instances":
		on, err := strconv.ParseBool(value)
		if err != nil {
			return kindRequest.because("instances is %.40q: give true or false", value)
		}
		a.Instances = on
	case "short_side":
		return number(&a.ShortSide)
	case "top":
		return number(&a.Top)
	case "least":
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return kindRequest.because("%s is %.40q: give a number from 0 to 1", name, value)
		}
		a.Least = v
	case "result_side":
		return number(&a.ResultSide)
	default:
		return kindRequest.because("there is no field %.40q", name)
	}
	return nil
}

// splitList reads "a, b" and ignores empty items.
func splitList(s string) []string {
	var list []string
	for _, v := range strings.Split(s, ",") {
		if v = strings.TrimSpace(v); v != "" {
			list = append(list, v)
		}
	}
	return list
}

// check holds a request to the server's caps.
func (a *ask) check(o Options) error {
	if err := limits.Check("number of photos", "request", int64(len(a.Images)), int64(o.Images), "send fewer at once"); err != nil {
		return err
	}
	if err := limits.Check("number of labels", "request", int64(len(a.Labels)), int64(o.Labels), "ask for fewer"); err != nil {
		return err
	}
	for i := range a.Images {
		im := &a.Images[i]
		if im.Name == "" {
			im.Name = fmt.Sprintf("image %d", i+1)
		}
		if err := limits.Check("size in bytes", im.Name, int64(len(im.Data)), o.ImageBytes, "make it smaller"); err != nil {
			return err
		}
		if _, err := imaging.Probe(im.Data, im.Name); err != nil {
			return err
		}
	}
	return nil
}

// options are those of the library.
func (a *ask) options() (groupvit.SegmentOptions, error) {
	o := groupvit.SegmentOptions{EncodeOptions: groupvit.EncodeOptions{ShortSide: a.ShortSide}, QueryOptions: groupvit.QueryOptions{Templates: a.Templates, ResultSide: a.ResultSide}}
	if a.ShortSide < 0 || a.ResultSide < 0 {
		return o, kindOption.because("short_side %d, result_side %d: give positive numbers, or 0 for the standard", a.ShortSide, a.ResultSide)
	}
	var err error
	if o.Protocol, err = groupvit.ParseProtocol(a.Protocol); err != nil {
		return o, err
	}
	if o.Quality, err = groupvit.ParseQuality(a.Quality); err != nil {
		return o, err
	}
	if o.MinArea, err = groupvit.ParseMinArea(string(a.MinArea)); err != nil {
		return o, err
	}
	o.Background, err = groupvit.ParseBackground(string(a.Background))
	return o, err
}

// need says whether there are photos, and labels where wanted.
func (a *ask) need(photos, labels bool) error {
	switch {
	case photos && len(a.Images) == 0:
		return kindRequest.because("there is no photo: send one named image")
	case !photos && len(a.Images) > 0:
		return kindRequest.because("this address takes no photo")
	case labels && len(a.Labels) == 0:
		return kindOption.because("%v: there are none: send some named labels, or auto", groupvit.ErrLabels)
	}
	return nil
}

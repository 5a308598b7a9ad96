package serve

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/output"
)

// segmented is the answer for one photo: the keys of the command's --json,
// and the formats asked for.
type segmented struct {
	groupvit.Record
	// Formats are by name; pictures and scores are bytes in base64.
	Formats map[string]any `json:"formats,omitempty"`
}

// question is a checked request for a segmentation.
type question struct {
	labels []string
	// proposed says that the model names what it sees, without labels.
	proposed *groupvit.ProposeOptions
	options  groupvit.SegmentOptions
	files    []output.Format
	// whole says that the answer is the one picture that was asked for.
	whole bool
	// instances asks for the labels' connected parts; keepSpecks says that the request
	// names a smallest area, so that pictures leave out nothing more.
	instances, keepSpecks bool
}

// question checks what a request asks, before anything is computed.
func (a *ask) question(r *http.Request) (*question, error) {
	q := &question{labels: a.Labels, instances: a.Instances, keepSpecks: a.MinArea != ""}
	if slices.Equal(a.Labels, []string{"auto"}) {
		q.labels, q.proposed = nil, &groupvit.ProposeOptions{Top: a.Top, Least: a.Least}
	} else if a.Top != 0 || a.Least != 0 {
		return nil, kindOption.because("top and least bound the words that the model proposes: send labels as auto")
	}
	var err error
	if q.options, err = a.options(); err != nil {
		return nil, err
	}
	if q.files, err = parseFormats(a.Formats); err != nil {
		return nil, err
	}
	q.options.Scores = slices.ContainsFunc(q.files, func(f output.Format) bool { return f.Scores })
	if kind := wholePicture(r.Header.Get("Accept")); kind != "" {
		if len(q.files) != 1 || q.files[0].Picture != kind || len(a.Images) > 1 {
			return nil, kindOption.because("Accept is %s: ask about one photo in one format that is such a picture: overlay or mask for image/png, overlay-jpeg for image/jpeg, overlay-webp for image/webp", kind)
		}
		q.whole = true
	}
	return q, nil
}

// wholePicture is the media type of a picture that an Accept header begins with; "" where
// it begins with another.
func wholePicture(accept string) string {
	for _, f := range output.Served() {
		if f.Picture != "" && strings.HasPrefix(accept, f.Picture) {
			return f.Picture
		}
	}
	return ""
}

// segment answers POST /v1/segment.
func (s *Server) segment(w http.ResponseWriter, r *http.Request) error {
	var q *question
	return s.answerJSON(w, r, func(a *ask) (err error) {
		if err = a.need(true, true); err != nil {
			return err
		}
		q, err = a.question(r)
		return err
	}, func(ctx context.Context, a *ask) (any, error) {
		results := make([]*segmented, len(a.Images))
		for i, u := range a.Images {
			err := s.decode(ctx, u, func(photo *imaging.Image) (err error) {
				begin := time.Now()
				if err := checkScores(q.most(), photo.Width, photo.Height, q.files); err != nil {
					return err
				}
				found, err := q.askPhoto(ctx, s.model, photo)
				if err != nil {
					return err
				}
				results[i], err = s.result(ctx, q, begin, &answer{name: u.Name, photo: photo, found: found}, photo.Width, photo.Height)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		return q.answer(results), nil
	})
}

// askPhoto asks about a photo that is not encoded yet.
func (q *question) askPhoto(ctx context.Context, m *groupvit.Model, photo *imaging.Image) (*groupvit.Segmentation, error) {
	if q.proposed != nil {
		return m.SegmentAuto(ctx, photo, q.proposed, &q.options)
	}
	return m.Segment(ctx, photo, q.labels, &q.options)
}

// ask asks about one that is.
func (q *question) ask(ctx context.Context, e *groupvit.Encoded) (*groupvit.Segmentation, error) {
	if q.proposed != nil {
		return e.SegmentAuto(ctx, q.proposed, &q.options.QueryOptions)
	}
	return e.Segment(ctx, q.labels, &q.options.QueryOptions)
}

// most is how many labels an answer may have.
func (q *question) most() int {
	if q.proposed != nil {
		return cmp.Or(q.proposed.Top, groupvit.DefaultTop)
	}
	return len(q.labels)
}

// answer is what is sent: all results, or the one picture.
func (q *question) answer(results []*segmented) any {
	if q.whole {
		return picture{results[0].Formats[q.files[0].Name].([]byte), q.files[0].Picture}
	}
	return map[string]any{"results": results}
}

// result makes the formats of an answer.
func (s *Server) result(ctx context.Context, q *question, begin time.Time, a *answer, width, height int) (*segmented, error) {
	found := a.found
	out := &segmented{Record: s.model.Record(a.name, width, height, found, math.Round(time.Since(begin).Seconds()*1e4)/1e4)}
	var parts *groupvit.Instances
	if q.instances {
		var err error
		if parts, err = found.Instances(ctx); err != nil {
			return nil, err
		}
		out.Instances = parts.List
	}
	for _, f := range q.files {
		v, err := f.Value(ctx, &output.Answer{Photo: a.photo, Found: found, Record: out.Record, KeepSpecks: q.keepSpecks, Parts: parts})
		if err != nil {
			return nil, err
		}
		if out.Formats == nil {
			out.Formats = map[string]any{}
		}
		out.Formats[f.Name] = v
	}
	return out, nil
}

package serve

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/output"
)

// imageInfo describes a handle.
type imageInfo struct {
	ID     string `json:"id"`
	Photo  string `json:"photo"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	// Bytes is what keeping it costs.
	Bytes   int64     `json:"bytes"`
	Created time.Time `json:"created"`
}

func (h *handle) info() imageInfo {
	return imageInfo{ID: h.id, Photo: h.photo.Name, Width: h.width, Height: h.height, Bytes: h.bytes(), Created: h.created}
}

// createImage answers POST /v1/images: the model looks at a photo once.
func (s *Server) createImage(w http.ResponseWriter, r *http.Request) error {
	if err := s.room(r.Context()); err != nil {
		return err
	}
	b := s.body(w, r)
	defer b.release()
	a, err := s.readAsk(r, b)
	if err != nil {
		return err
	}
	if len(a.Images) != 1 {
		return kindRequest.because("%d photos: send one", len(a.Images))
	}
	options, err := a.options()
	if err != nil {
		return err
	}
	leave, err := s.enter(r.Context())
	if err != nil {
		return err
	}
	h := &handle{id: newID(), created: time.Now().UTC().Truncate(time.Second), photo: a.Images[0], options: options.EncodeOptions}
	err = s.decode(r.Context(), h.photo, func(photo *imaging.Image) (err error) {
		h.width, h.height = photo.Width, photo.Height
		h.encoded, err = s.model.Encode(r.Context(), photo, &h.options)
		return err
	})
	leave()
	if err != nil {
		return err
	}
	h.photo.Data = slices.Clip(h.photo.Data)
	if !s.handles.add(h) {
		return limits.Check("size of the encoded photo in bytes", h.photo.Name, h.bytes(), s.o.HandleBytes, "send a smaller photo")
	}
	w.Header().Set("Location", "/v1/images/"+h.id)
	return s.sendJSON(w, http.StatusCreated, h.info())
}

func (s *Server) sendJSON(w http.ResponseWriter, status int, v any) error {
	out, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.send(w, status, "application/json", append(out, '\n'))
}

// showImage answers GET /v1/images/{id}.
func (s *Server) showImage(w http.ResponseWriter, r *http.Request) error {
	h, err := s.handles.get(r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.sendJSON(w, http.StatusOK, h.info())
}

// deleteImage answers DELETE /v1/images/{id}.
func (s *Server) deleteImage(w http.ResponseWriter, r *http.Request) error {
	if err := s.handles.drop(r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// segmentImage answers POST /v1/images/{id}/segment: new words, no new look.
func (s *Server) segmentImage(w http.ResponseWriter, r *http.Request) error {
	h, err := s.handles.get(r.PathValue("id"))
	if err != nil {
		return err
	}
	var q *question
	return s.answerJSON(w, r, func(a *ask) (err error) {
		if err = a.need(false, true); err != nil {
			return err
		}
		if q, err = a.question(r); err != nil {
			return err
		}
		if err := h.sameEncoding(q.options.EncodeOptions); err != nil {
			return err
		}
		return checkScores(q.most(), h.width, h.height, q.files)
	}, func(ctx context.Context, a *ask) (any, error) {
		begin := time.Now()
		found, err := q.ask(ctx, h.encoded)
		if err != nil {
			return nil, err
		}
		out := &answer{name: h.photo.Name, found: found}
		var result *segmented
		finish := func(photo *imaging.Image) (err error) {
			out.photo = photo
			result, err = s.result(ctx, q, begin, out, h.width, h.height)
			return err
		}
		if slices.ContainsFunc(q.files, func(f output.Format) bool { return f.Photo }) {
			err = s.decode(ctx, h.photo, finish)
		} else {
			err = finish(nil)
		}
		if err != nil {
			return nil, err
		}
		return q.answer([]*segmented{result}), nil
	})
}

// sameEncoding refuses options with which the photograph was not encoded; those left
// out are the handle's.
func (h *handle) sameEncoding(o groupvit.EncodeOptions) error {
	if own := cmp.Or(h.options.Quality, groupvit.BestQuality); o.Quality != "" && o.Quality != own {
		return kindOption.because("quality %q, but the photograph was encoded for %q: leave it out, or create the image again", o.Quality, own)
	}
	if o.ShortSide != 0 && o.ShortSide != h.options.ShortSide {
		return kindOption.because("short_side %d, but the photograph was encoded with %d: leave it out, or create the image again", o.ShortSide, h.options.ShortSide)
	}
	if o.Protocol != "" && o.Protocol != h.encoded.Protocol() {
		return kindOption.because("protocol %q, but the photograph was encoded for %q: leave it out, or create the image again", o.Protocol, h.encoded.Protocol())
	}
	return nil
}

// groupsImage answers POST /v1/images/{id}/groups.
func (s *Server) groupsImage(w http.ResponseWriter, r *http.Request) error {
	h, err := s.handles.get(r.PathValue("id"))
	if err != nil {
		return err
	}
	leave, err := s.enter(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	result, err := s.groupsOf(r.Context(), h.photo)
	if err != nil {
		return err
	}
	return s.sendJSON(w, http.StatusOK, map[string]any{"results": []*grouped{result}})
}

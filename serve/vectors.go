package serve

import (
	"context"
	"math"
	"net/http"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/output"
)

// embed answers POST /v1/embed: unit vectors of photos and texts.
func (s *Server) embed(w http.ResponseWriter, r *http.Request) error {
	return s.answerJSON(w, r, func(a *ask) error {
		if a.Text != nil {
			a.Texts = append([]string{*a.Text}, a.Texts...)
		}
		if len(a.Images)+len(a.Texts) == 0 {
			return kindRequest.because("there is nothing to embed: send image or text")
		}
		return limits.Check("number of texts", "request", int64(len(a.Texts)), limits.ServeTexts, "send fewer at once")
	}, func(ctx context.Context, a *ask) (any, error) {
		images, texts := [][]float32{}, [][]float32{}
		for _, u := range a.Images {
			err := s.decode(ctx, u, func(photo *imaging.Image) error {
				v, err := s.model.EmbedImage(ctx, photo)
				images = append(images, v)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		for _, t := range a.Texts {
			v, err := s.model.EmbedText(ctx, t)
			if err != nil {
				return nil, err
			}
			texts = append(texts, v)
		}
		return map[string]any{"model": s.model.Info(), "images": images, "texts": texts}, nil
	})
}

// classified is the answer of classify for one photo.
type classified struct {
	Photo   string                    `json:"photo"`
	Classes []groupvit.Classification `json:"classes"`
}

// classify answers POST /v1/classify.
func (s *Server) classify(w http.ResponseWriter, r *http.Request) error {
	return s.answerJSON(w, r, func(a *ask) error { return a.need(true, true) }, func(ctx context.Context, a *ask) (any, error) {
		results := make([]classified, len(a.Images))
		for i, u := range a.Images {
			err := s.decode(ctx, u, func(photo *imaging.Image) (err error) {
				results[i].Photo = u.Name
				results[i].Classes, err = s.model.Classify(ctx, photo, a.Labels)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		return map[string]any{"model": s.model.Info(), "results": results}, nil
	})
}

// grouped is the answer of groups for one photo.
type grouped struct {
	Photo  string  `json:"photo"`
	Width  int     `json:"width"`
	Height int     `json:"height"`
	Stages []stage `json:"stages"`
}

// stage is what one grouping stage made of a photo.
type stage struct {
	// Groups is how many the stage has, Used how many have pixels.
	Groups int `json:"groups"`
	Used   int `json:"used"`
	// Mask is an indexed PNG of the groups, counted from 1, in base64; Planes are the
	// same as plain bytes.
	Mask   []byte         `json:"mask"`
	Planes *output.Planes `json:"planes"`
}

// groups answers POST /v1/groups.
func (s *Server) groups(w http.ResponseWriter, r *http.Request) error {
	return s.answerJSON(w, r, func(a *ask) error { return a.need(true, false) }, func(ctx context.Context, a *ask) (any, error) {
		results := make([]*grouped, len(a.Images))
		for i, u := range a.Images {
			var err error
			if results[i], err = s.groupsOf(ctx, u); err != nil {
				return nil, err
			}
		}
		return map[string]any{"results": results}, nil
	})
}

// groupsOf looks at a photo without words.
func (s *Server) groupsOf(ctx context.Context, u upload) (*grouped, error) {
	out := &grouped{Photo: u.Name, Stages: []stage{}}
	counts := s.model.Summary().Groups
	err := s.decode(ctx, u, func(photo *imaging.Image) error {
		out.Width, out.Height = photo.Width, photo.Height
		maps, err := s.model.Groups(ctx, photo)
		if err != nil {
			return err
		}
		for i, m := range maps {
			st := stage{Groups: counts[i]}
			for _, g := range m.Stats(counts[i])[1:] {
				if g.Pixels > 0 {
					st.Used++
				}
			}
			if st.Mask, err = encodePNG(m); err != nil {
				return err
			}
			if st.Planes, err = output.PackMap(m, nil, counts[i]); err != nil {
				return err
			}
			out.Stages = append(out.Stages, st)
		}
		return nil
	})
	return out, err
}

// models answers GET /v1/models: what this server runs.
func (s *Server) models(w http.ResponseWriter, _ *http.Request) error {
	type model struct {
		groupvit.Summary
		Engine string `json:"engine"`
	}
	return s.sendJSON(w, http.StatusOK, map[string]any{
		"models": []model{{s.model.Summary(), s.model.Engine()}},
		"limits": map[string]any{
			"image_bytes": s.o.ImageBytes, "image_pixels": s.o.ImagePixels, "images": s.o.Images,
			"labels": s.o.Labels, "seconds": math.Round(s.o.Timeout.Seconds()*1000) / 1000, "queue": s.o.Queue,
		},
	})
}

// alive answers GET /healthz: the program runs.
func (s *Server) alive(w http.ResponseWriter, _ *http.Request) error {
	return s.sendJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// ready answers GET /readyz: it is worth while to send requests.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) error {
	if s.draining.Load() {
		return kindEnded.because("the server is shutting down")
	}
	return s.sendJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

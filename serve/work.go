package serve

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/groupvit/groupvit/internal/imaging"
)

// work is what a request does between its arrival and its answer.
type work func(ctx context.Context, a *ask) (any, error)

// answerJSON reads a request, waits for a worker, works, and answers with JSON.
// The worker is free again before the answer is sent: slow clients hold none.
func (s *Server) answerJSON(w http.ResponseWriter, r *http.Request, check func(*ask) error, do work) error {
	if err := s.room(r.Context()); err != nil {
		return err
	}
	b := s.body(w, r)
	defer b.release()
	a, err := s.readAsk(r, b)
	if err != nil {
		return err
	}
	if err := check(a); err != nil {
		return err
	}
	out, kind, err := s.inTurn(r.Context(), a, do)
	if err != nil {
		return err
	}
	b.keep(len(out))
	return s.send(w, http.StatusOK, kind, out)
}

// picture is a work's result that is no JSON: its bytes, and their media type.
type picture struct {
	data []byte
	kind string
}

// inTurn works when a worker is free and returns the encoded answer.
func (s *Server) inTurn(ctx context.Context, a *ask, do work) (out []byte, kind string, err error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, "", err
	}
	defer leave()
	v, err := do(ctx, a)
	if err != nil {
		return nil, "", err
	}
	if p, ok := v.(picture); ok {
		return p.data, p.kind, nil
	}
	out, err = json.Marshal(v)
	return append(out, '\n'), "application/json", err
}

// send writes an answer within the time that a client may take.
func (s *Server) send(w http.ResponseWriter, status int, kind string, out []byte) error {
	allow(w, s.o.Stall, len(out))
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(out)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(out) // an error is a client that has left
	return nil
}

// decode makes pixels of a photo and calls use with them, while no more
// pixels are decoded over all requests than may be.
func (s *Server) decode(ctx context.Context, u upload, use func(*imaging.Image) error) error {
	info, err := imaging.Probe(u.Data, u.Name)
	if err != nil {
		return err
	}
	n := int64(info.Width) * int64(info.Height)
	if n <= s.o.ImagePixels { // else decoding refuses it, from the header
		if err := s.pixels.Acquire(ctx, n); err != nil {
			return err
		}
		defer s.pixels.Release(n)
	}
	photo, err := imaging.DecodeBytes(u.Data, imaging.Options{Name: u.Name, MaxBytes: s.o.ImageBytes, MaxPixels: s.o.ImagePixels})
	if err != nil {
		return err
	}
	s.metrics.photos.Inc()
	s.metrics.pixels.Add(float64(n))
	return use(photo)
}

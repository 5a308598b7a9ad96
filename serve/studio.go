package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/serve/labelstudio"
)

// newStudio makes the Label Studio backend of a server.
func (s *Server) newStudio() (*labelstudio.Backend, error) {
	return labelstudio.New(labelstudio.Options{
		Address: s.o.LabelStudio, Token: s.o.LabelStudioToken, Connections: s.o.Workers, PhotoBytes: s.o.ImageBytes,
		Segment: s.segmentTask, Version: s.version(), Log: s.o.Log,
		Describe: func(err error) string { return toProblem(err).Detail },
	})
}

// segmentTask segments a photo of a task when a worker is free.
func (s *Server) segmentTask(ctx context.Context, name string, photo []byte, labels []string) (found *groupvit.Segmentation, err error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	err = s.decode(ctx, upload{name, photo}, func(photo *imaging.Image) (err error) {
		found, err = s.model.Segment(ctx, photo, labels, &groupvit.SegmentOptions{})
		return err
	})
	return found, err
}

// studioPredict answers POST /predict: Label Studio's tasks become regions of the
// labels of its project.
func (s *Server) studioPredict(w http.ResponseWriter, r *http.Request) error {
	if err := s.room(r.Context()); err != nil {
		return err
	}
	b := s.body(w, r)
	defer b.release()
	var request labelstudio.Request
	if err := json.NewDecoder(b).Decode(&request); err != nil {
		return asRequest(fmt.Errorf("JSON: %w", err))
	}
	b.arrived()
	out, err := s.studio.Predict(r.Context(), request)
	if err != nil {
		return err
	}
	answer, err := json.Marshal(out)
	if err != nil {
		return err
	}
	b.keep(len(answer))
	return s.send(w, http.StatusOK, "application/json", answer)
}

// version names the model as Label Studio keeps it beside predictions.
func (s *Server) version() string {
	i := s.model.Info()
	return fmt.Sprintf("groupvit %s %.8s", i.Name, i.SHA256)
}

func (s *Server) studioHealth(w http.ResponseWriter, _ *http.Request) error {
	return s.sendJSON(w, http.StatusOK, map[string]string{"status": "UP", "model_class": "GroupViT"})
}

// studioSetup answers POST /setup: Label Studio sends the labelling interface of its
// project and asks for the model's version. Nothing of it is kept: every prediction
// brings it again. A new project has an empty one.
func (s *Server) studioSetup(w http.ResponseWriter, r *http.Request) error {
	var request struct {
		Schema string `json:"schema"`
	}
	if err := s.studioRead(w, r, &request); err != nil {
		return err
	}
	if !labelstudio.IsEmpty(request.Schema) {
		if _, err := labelstudio.ParseConfig(request.Schema); err != nil {
			return err
		}
	}
	return s.sendJSON(w, http.StatusOK, map[string]string{"model_version": s.version()})
}

// studioValidate answers POST /validate: whether the labels of a project can be
// predicted.
func (s *Server) studioValidate(w http.ResponseWriter, r *http.Request) error {
	var request struct {
		Config string `json:"config"`
	}
	if err := s.studioRead(w, r, &request); err != nil {
		return err
	}
	if _, err := labelstudio.ParseConfig(request.Config); err != nil {
		return err
	}
	return s.sendJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// studioVersions answers /versions.
func (s *Server) studioVersions(w http.ResponseWriter, _ *http.Request) error {
	return s.sendJSON(w, http.StatusOK, map[string]any{"versions": []string{s.version()}})
}

// studioWebhook answers POST /webhook: Label Studio sends what people have drawn.
// The model does not learn from it.
func (s *Server) studioWebhook(w http.ResponseWriter, r *http.Request) error {
	var event struct {
		Action string `json:"action"`
	}
	if err := s.studioRead(w, r, &event); err != nil {
		return err
	}
	return s.sendJSON(w, http.StatusOK, map[string]string{"status": "ignored", "action": event.Action})
}

// studioRead reads a small request; keys that are not known do not matter.
func (s *Server) studioRead(w http.ResponseWriter, r *http.Request, to any) error {
	b := s.body(w, r)
	defer b.release()
	if err := json.NewDecoder(b).Decode(to); err != nil {
		return asRequest(fmt.Errorf("JSON: %w", err))
	}
	b.arrived()
	return nil
}

package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
)

// studioTask is one photograph of Label Studio's, with whatever its project keeps
// beside it.
type studioTask struct {
	ID   any            `json:"id"`
	Data map[string]any `json:"data"`
}

// prediction is the answer for a task.
type prediction struct {
	Result  []studioRegion `json:"result"`
	Score   float64        `json:"score"`
	Version string         `json:"model_version"`
	// Error is why a task has no result; Label Studio shows none.
	Error string `json:"error,omitempty"`
}

// studioPredict answers POST /predict: Label Studio's tasks become regions of the
// labels of its project.
func (s *Server) studioPredict(w http.ResponseWriter, r *http.Request) error {
	if err := s.queue.full(r.Context()); err != nil {
		return err
	}
	b := s.body(w, r)
	defer b.release()
	var request struct {
		Tasks  []studioTask `json:"tasks"`
		Config string       `json:"label_config"`
	}
	if err := json.NewDecoder(b).Decode(&request); err != nil {
		return asRequest(fmt.Errorf("JSON: %w", err))
	}
	b.arrived()
	if err := limits.Check("number of tasks", "request", int64(len(request.Tasks)), limits.LabelStudioTasks, "send fewer at once"); err != nil {
		return err
	}
	config, err := parseLabelConfig(request.Config)
	if err != nil {
		return err
	}
	var out struct {
		Results []prediction `json:"results"`
	}
	var failed error
	for _, t := range request.Tasks {
		p, err := s.predictTask(r.Context(), config, t)
		if ctxErr := r.Context().Err(); ctxErr != nil {
			return ctxErr
		}
		if err != nil {
			failed = err
			p = prediction{Result: []studioRegion{}, Version: s.version(), Error: toProblem(err).Detail}
			s.o.Log.Warn("a task of Label Studio failed", "task", t.ID, "error", err)
		}
		out.Results = append(out.Results, p)
	}
	if len(request.Tasks) == 1 && failed != nil {
		return failed
	}
	answer, err := json.Marshal(out)
	if err != nil {
		return err
	}
	b.keep(len(answer))
	return s.send(w, http.StatusOK, "application/json", answer)
}

// predictTask fetches one photograph and segments it when a worker is free.
func (s *Server) predictTask(ctx context.Context, c *labelConfig, t studioTask) (prediction, error) {
	out := prediction{Result: []studioRegion{}, Version: s.version()}
	address, _ := t.Data[c.key].(string)
	if address == "" {
		return out, kindRequest.because("task %v has no photograph: its data has no text %q", t.ID, c.key)
	}
	data, err := s.studio.photo(ctx, address, s.o.ImageBytes)
	if err != nil {
		return out, err
	}
	leave, err := s.queue.enter(ctx)
	if err != nil {
		return out, err
	}
	defer leave()
	name := fmt.Sprintf("task %v", t.ID)
	err = s.decode(ctx, upload{name, data}, func(photo *imaging.Image) error {
		found, err := s.model.Segment(ctx, photo, c.asked, &groupvit.SegmentOptions{})
		if err != nil {
			return err
		}
		out.Result, out.Score = c.regions(found), meanScore(found)
		return nil
	})
	return out, err
}

// meanScore is the mean over all pixels that have a label.
func meanScore(found *groupvit.Segmentation) float64 {
	var sum float64
	pixels := 0
	for _, s := range found.Segments {
		sum += s.Score * float64(s.Pixels)
		pixels += s.Pixels
	}
	return sum / float64(max(pixels, 1))
}

// version names the model as Label Studio keeps it beside predictions.
func (s *Server) version() string {
	i := s.model.Info()
	return fmt.Sprintf("groupvit %s %.8s", i.Name, i.SHA256)
}

func (s *Server) studioHealth(w http.ResponseWriter, _ *http.Request) error {
	return s.sendJSON(w, http.StatusOK, map[string]string{"status": "UP", "model_class": "GroupViT"})
}

// studioSetup answers POST /setup: Label Studio tells the labels of its project and
// asks for the model's version. Nothing of it is kept: every prediction brings the
// labels with it.
func (s *Server) studioSetup(w http.ResponseWriter, r *http.Request) error {
	var request struct {
		Schema string `json:"schema"`
	}
	if err := s.studioRead(w, r, &request); err != nil {
		return err
	}
	if request.Schema != "" {
		if _, err := parseLabelConfig(request.Schema); err != nil {
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
	if _, err := parseLabelConfig(request.Config); err != nil {
		return err
	}
	return s.sendJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// studioVersions answers /versions.
func (s *Server) studioVersions(w http.ResponseWriter, _ *http.Request) error {
	return s.sendJSON(w, http.StatusOK, map[string]any{"versions": []string{s.version()}})
}

// studioWebhook answers POST /webhook: Label Studio tells what people have drawn.
// This model does not learn from it.
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

package labelstudio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/limits"
)

// Options of [New].
type Options struct {
	// Address is that of Label Studio, as "http://localhost:8080"; empty fetches
	// nothing.
	Address string
	// Token is the access token for it: a personal access token, which is exchanged
	// for a short-lived one, or a legacy token.
	Token string
	// Connections is how many photos are fetched at a time.
	Connections int
	// PhotoBytes is the largest photo.
	PhotoBytes int64
	// Segment looks for labels in an encoded photo.
	Segment func(ctx context.Context, name string, photo []byte, labels []string) (*groupvit.Segmentation, error)
	// Version names the model as Label Studio keeps it beside predictions.
	Version string
	// Describe puts an error into words for the person who sees a task's.
	Describe func(error) string
	Log      *slog.Logger
}

// Backend answers for one Label Studio. It is safe for concurrent use.
type Backend struct {
	o     Options
	fetch *fetcher
}

// New makes a backend. Errors wrap [groupvit.ErrOption].
func New(o Options) (*Backend, error) {
	f, err := newFetcher(o)
	return &Backend{o, f}, err
}

// Task is one photo of Label Studio's, with whatever its project keeps beside it.
type Task struct {
	ID   any            `json:"id"`
	Data map[string]any `json:"data"`
}

// Request is what /predict is asked.
type Request struct {
	Tasks  []Task `json:"tasks"`
	Config string `json:"label_config"`
}

// Prediction is the answer for a task.
type Prediction struct {
	Result  []Region `json:"result"`
	Score   float64  `json:"score"`
	Version string   `json:"model_version"`
	// Error is why a task has no result; Label Studio does not show it.
	Error string `json:"error,omitempty"`
}

// Response has a prediction for each task, in their order.
type Response struct {
	Results []Prediction `json:"results"`
	Version string       `json:"model_version"`
}

// ErrTask is wrapped by errors about tasks without a photo.
var ErrTask = errors.New("task has no photo")

// Predict makes regions of the labels of a project for each of its tasks. A task that
// fails has an error and no regions; where it is the only one, its error is the answer.
// Errors wrap [ErrTask], [ErrFetch], [ErrPhoto], those of [ParseConfig], or are the ones
// of Options.Segment or ctx.
func (b *Backend) Predict(ctx context.Context, r Request) (*Response, error) {
	if err := limits.Check("number of tasks", "request", int64(len(r.Tasks)), limits.LabelStudioTasks, "send fewer at once"); err != nil {
		return nil, err
	}
	out := &Response{Results: []Prediction{}, Version: b.o.Version}
	if len(r.Tasks) == 0 {
		return out, nil
	}
	config, err := ParseConfig(r.Config)
	if err != nil {
		return nil, err
	}
	for _, t := range r.Tasks {
		p, err := b.predict(ctx, config, t)
		if ctxErr := ctx.Err(); ctxErr != nil {
			return nil, ctxErr
		}
		if err != nil && len(r.Tasks) == 1 {
			return nil, err
		}
		if err != nil {
			p = Prediction{Result: []Region{}, Version: b.o.Version, Error: b.o.Describe(err)}
			b.o.Log.Warn("a Label Studio task failed", "task", t.ID, "error", err)
		}
		out.Results = append(out.Results, p)
	}
	return out, nil
}

// undefined is where Label Studio keeps the address of a photo that was imported before
// the project had a labelling interface.
const undefined = "$undefined$"

// predict is the prediction for one task.
func (b *Backend) predict(ctx context.Context, c *Config, t Task) (Prediction, error) {
	address, _ := t.Data[c.key].(string)
	if address == "" {
		address, _ = t.Data[undefined].(string)
	}
	if address == "" {
		return Prediction{}, fmt.Errorf("%w: the data of task %v has no text %q", ErrTask, t.ID, c.key)
	}
	photo, err := b.fetch.photo(ctx, address, t.ID)
	if err != nil {
		return Prediction{}, err
	}
	found, err := b.o.Segment(ctx, fmt.Sprintf("task %v", t.ID), photo, c.Labels())
	if err != nil {
		return Prediction{}, err
	}
	return Prediction{Result: c.Regions(found), Score: meanScore(found), Version: b.o.Version}, nil
}

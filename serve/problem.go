package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/imaging"
	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/serve/labelstudio"
)

// A problem is an error as RFC 9457 describes it to programs: what went wrong,
// which limit there is, and how to mend it.
type problem struct {
	// Type names the kind; following it on this server explains it.
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail is about this one request.
	Detail string `json:"detail"`
	Remedy string `json:"remedy"`
	// Limit is the number that was exceeded.
	Limit int64 `json:"limit,omitempty"`

	retry time.Duration
}

func (p *problem) Error() string { return p.Detail }

// kind is a kind of problem.
type kind struct {
	name   string
	status int
	title  string
	remedy string
}

// The kinds, by the last part of their type.
var (
	kindRequest  = kind{"bad-request", http.StatusBadRequest, "The request cannot be read", "Compare it with /openapi.yaml."}
	kindToken    = kind{"unauthorized", http.StatusUnauthorized, "A token is needed", "Send the server's token as Authorization: Bearer TOKEN."}
	kindOrigin   = kind{"cross-origin", http.StatusForbidden, "Requests from other sites are refused", "Use a program, or the page that this server serves; --allow-origin allows a site."}
	kindHost     = kind{"unknown-host", http.StatusForbidden, "The server is not known by this name", "Use localhost or 127.0.0.1; --allow-host allows another name."}
	kindNotFound = kind{"not-found", http.StatusNotFound, "Not found", "See /openapi.yaml for what there is."}
	kindHandle   = kind{"unknown-image", http.StatusNotFound, "There is no such image", "Encode the photo again with POST /v1/images: images that have not been used for long make room for new ones."}
	kindMethod   = kind{"method-not-allowed", http.StatusMethodNotAllowed, "Method not allowed", "Use one of those in the Allow header."}
	kindMedia    = kind{"unsupported-media-type", http.StatusUnsupportedMediaType, "Requests of this type are not read", "Send multipart/form-data, application/json, or the photo itself as image/…"}
	kindPhoto    = kind{"unreadable-photo", http.StatusUnprocessableEntity, "The photo cannot be read", "Send a JPEG, PNG, GIF, WebP, BMP or TIFF."}
	kindLarge    = kind{"too-large", http.StatusRequestEntityTooLarge, "The request exceeds a limit", "Make it smaller."}
	kindOption   = kind{"bad-option", http.StatusUnprocessableEntity, "An option or a label cannot be used", "Change what the detail names."}
	kindModel    = kind{"model-cannot", http.StatusUnprocessableEntity, "The model cannot do this", "See /v1/models for what it is; another model may."}
	kindBusy     = kind{"busy", http.StatusTooManyRequests, "The server is busy", "Try again after the time in the Retry-After header."}
	kindSlow     = kind{"too-slow", http.StatusRequestTimeout, "The request did not arrive in time", "Send it faster, or a smaller one."}
	kindTimeout  = kind{"timeout", http.StatusServiceUnavailable, "The answer took too long", "Ask for less at once, or try again later."}
	kindUpstream = kind{"unreachable-photo", http.StatusUnprocessableEntity, "The photo cannot be fetched", "Start the server with --label-studio ADDRESS and a token in LABEL_STUDIO_TOKEN, or put the photo into the task as a data: address."}
	kindFailed   = kind{"failed", http.StatusInternalServerError, "The server failed", "Report it, with what the server has logged."}
	kindEnded    = kind{"ended", http.StatusServiceUnavailable, "The server is shutting down", "Use another one, or try again later."}
	kinds        = []kind{kindRequest, kindToken, kindOrigin, kindHost, kindNotFound, kindHandle, kindMethod, kindMedia, kindPhoto, kindLarge, kindOption, kindModel, kindBusy, kindSlow, kindTimeout, kindUpstream, kindFailed, kindEnded}
)

const problemPath = "/problems/"

// because makes a problem of a kind.
func (k kind) because(format string, args ...any) *problem {
	return &problem{Type: problemPath + k.name, Title: k.title, Status: k.status, Detail: fmt.Sprintf(format, args...), Remedy: k.remedy}
}

// toProblem makes of an error what the client is told.
func toProblem(err error) *problem {
	var p *problem
	var large *limits.Error
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &large):
		p := kindLarge.because("%v", err)
		p.Limit, p.Remedy = large.Limit, sentence(large.Mend)
		return p
	case errors.As(err, &tooLong):
		p := kindLarge.because("the body is larger than %d bytes", tooLong.Limit)
		p.Limit = tooLong.Limit
		return p
	case errors.Is(err, os.ErrDeadlineExceeded):
		return kindSlow.because("nothing arrived for too long")
	case errors.Is(err, context.DeadlineExceeded):
		return kindTimeout.because("the answer took longer than a request may take")
	case errors.Is(err, groupvit.ErrClosed):
		return kindEnded.because("%v", err)
	case errors.Is(err, labelstudio.ErrFetch):
		return kindUpstream.because("%v", err)
	case errors.Is(err, labelstudio.ErrTask), errors.Is(err, labelstudio.ErrSyntax):
		return kindRequest.because("%v", err)
	case errors.Is(err, labelstudio.ErrConfig):
		return kindOption.because("%v", err)
	case errors.Is(err, imaging.ErrFormat), errors.Is(err, labelstudio.ErrPhoto):
		return kindPhoto.because("%v", err)
	case errors.Is(err, groupvit.ErrTooLarge):
		return kindLarge.because("%v", err)
	case errors.Is(err, groupvit.ErrLabels), errors.Is(err, groupvit.ErrOption):
		return kindOption.because("%v", err)
	case errors.Is(err, groupvit.ErrModel):
		return kindModel.because("%v", err)
	}
	return kindFailed.because("the reason is in the server's log, under the X-Request-Id of this answer")
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:] + "."
}

// write answers with the problem.
func (p *problem) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(p.retry.Seconds())))))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="groupvit"`)
	}
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}

// explain answers what a kind of problem is.
func explain(w http.ResponseWriter, r *http.Request) error {
	for _, k := range kinds {
		if k.name == r.PathValue("kind") {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, err := fmt.Fprintf(w, "%s (status %d)\n\n%s\n", k.title, k.status, k.remedy)
			return err
		}
	}
	return kindNotFound.because("there is no kind of problem %q", r.PathValue("kind"))
}

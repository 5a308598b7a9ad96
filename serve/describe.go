package serve

import (
	_ "embed"
	"net/http"
)

//go:embed openapi.yaml
var description []byte

// showDescription answers GET /openapi.yaml.
func showDescription(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, err := w.Write(description)
	return err
}

// Package serve is groupvit over HTTP: an API, a web demo, metrics, and
// the routes of a Label Studio ML backend, as one http.Handler that other programs
// can mount.
//
//	model, err := groupvit.Open(ctx, "default", nil)
//	…
//	server, err := serve.New(model, nil)
//	…
//	http.ListenAndServe("127.0.0.1:8080", server)
//
// /openapi.yaml describes the API; a [Server] answers nothing that is not in it
// but the page and Label Studio's routes. Every request is bounded in bytes,
// pixels, labels and time before anything is allocated for it; what cannot be
// answered in time is refused with status 429 and a Retry-After header; errors are
// problem details (RFC 9457). No address in a request is ever fetched, unless
// [Options] names the Label Studio that may send its own. No model is loaded over
// HTTP.
package serve

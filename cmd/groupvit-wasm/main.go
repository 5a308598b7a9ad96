//go:build js && wasm

// Command groupvit-wasm is groupvit in a browser: the handler of package serve, with
// the embedded model on the plain Go engine, answers the page's requests in a
// worker. tools/wasm/build puts it into a folder with the page, for any web server
// of files.
package main

import (
	"bytes"
	"context"
	"net/http"
	"syscall/js"
	"time"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/serve"
)

func main() {
	handler, err := open()
	if err != nil {
		js.Global().Call("groupvitStarted", err.Error())
		return
	}
	js.Global().Set("groupvitAsk", js.FuncOf(func(_ js.Value, args []js.Value) any {
		return promise(func() js.Value { return answer(handler, args) })
	}))
	js.Global().Call("groupvitStarted")
	select {} // the worker's messages call from now on
}

// open makes the server of the embedded model. There is no other client than the
// page, and a browser's machine may be slow.
func open() (http.Handler, error) {
	model, err := groupvit.Open(context.Background(), groupvit.DefaultModel, &groupvit.Options{Engine: "go"})
	if err != nil {
		return nil, err
	}
	return serve.New(model, &serve.Options{Timeout: 5 * time.Minute, Wait: time.Minute, HandleBytes: 64 << 20})
}

// promise runs work outside of JavaScript's own turn.
func promise(work func() js.Value) js.Value {
	var f js.Func
	f = js.FuncOf(func(_ js.Value, args []js.Value) any {
		f.Release()
		resolve := args[0]
		go func() { resolve.Invoke(work()) }()
		return nil
	})
	return js.Global().Get("Promise").New(f)
}

// answer hands a request (method, path, type, body) to the handler and returns
// {status, body}.
func answer(handler http.Handler, args []js.Value) js.Value {
	body := make([]byte, args[3].Get("length").Int())
	js.CopyBytesToGo(body, args[3])
	w := &recorder{header: http.Header{}}
	r, err := http.NewRequest(args[0].String(), "/"+args[1].String(), bytes.NewReader(body))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
	} else {
		r.Header.Set("Content-Type", args[2].String())
		handler.ServeHTTP(w, r)
	}
	out := js.Global().Get("Uint8Array").New(w.body.Len())
	js.CopyBytesToJS(out, w.body.Bytes())
	return js.ValueOf(map[string]any{"status": max(w.status, http.StatusOK), "body": out})
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

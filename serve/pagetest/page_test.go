// Package pagetest drives the page in a real browser.
package pagetest

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/serve"
)

// shots is a folder for screenshots, if somebody wants to look.
var shots = os.Getenv("GROUPVIT_SHOTS")

// open starts a headless browser with its complaints collected, and leaves out the
// test where there is none.
func open(t *testing.T) (context.Context, *complaints) {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium here: apt-get install chromium")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 860))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	c := &complaints{}
	chromedp.ListenTarget(ctx, c.hear)
	if err := chromedp.Run(ctx, log.Enable()); err != nil {
		t.Fatal(err)
	}
	return ctx, c
}

// complaints are what the browser's console says: errors, and breaches of the
// content security policy.
type complaints struct {
	mu   sync.Mutex
	list []string
}

func (c *complaints) hear(event any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError {
			c.list = append(c.list, e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		c.list = append(c.list, e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError {
			for _, a := range e.Args {
				c.list = append(c.list, string(a.Value)+a.Description)
			}
		}
	}
}

func (c *complaints) none(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.list {
		t.Errorf("the browser complains: %s", s)
	}
	c.list = nil
}

// counted is the server, with its requests by path counted.
func counted(t *testing.T, model string) (*httptest.Server, func(part string) int) {
	t.Helper()
	m, err := groupvit.Open(t.Context(), model, nil)
	if err != nil {
		t.Skipf("no model: %v", err)
	}
	t.Cleanup(func() { m.Close() })
	s, err := serve.New(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var paths []string
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		paths = append(paths, r.URL.Path)
		mu.Unlock()
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	return h, func(part string) (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, p := range paths {
			if strings.Contains(p, part) {
				n++
			}
		}
		return n
	}
}

const cat = "../../examples/photos/cat.jpg"

// choose gives the page a photo as its file field would.
func choose(path string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		abs, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		return chromedp.SetUploadFiles("#file", []string{abs}, chromedp.ByID).Do(ctx)
	})
}

// until waits for a condition in the page.
func until(condition string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		var ok bool
		for range 1200 {
			if err := chromedp.Evaluate("Boolean("+condition+")", &ok).Do(ctx); err != nil {
				return err
			}
			if ok {
				return nil
			}
			time.Sleep(50 * time.Millisecond)
		}
		var said string
		chromedp.Text("body", &said).Do(ctx)
		return fmt.Errorf("never true: %s; the page says %q", condition, said)
	})
}

// laidOut waits for a condition, and then until the page is drawn so: a click goes to
// where an element was when it was looked up.
func laidOut(condition string) chromedp.Action {
	const drawn = `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`
	wait := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	var ok bool
	return chromedp.Tasks{until(condition), chromedp.Evaluate(drawn, &ok, wait)}
}

// painted counts pixels of the overlay that have a colour.
const painted = `(() => { const c = document.getElementById("overlay"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n })()`

const foundText = `document.getElementById("found").innerText`

func shot(name string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		if shots == "" {
			return nil
		}
		var b []byte
		if err := chromedp.FullScreenshot(&b, 100).Do(ctx); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(shots, name+".png"), b, 0o644)
	})
}

func scheme(value string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}})
}

// TestPage: a photo, words, the overlay as they are typed, the threshold without a
// request, what lies under the pointer, one label alone, downloads.
func TestPage(t *testing.T) {
	ctx, complaints := open(t)
	h, requests := counted(t, groupvit.DefaultModel)
	var all, strict, loose, composed int
	var found, tip, label, where string
	downloads := t.TempDir()
	err := chromedp.Run(ctx,
		browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(downloads),
		scheme("light"), chromedp.Navigate(h.URL), until(`document.getElementById("viewlist").children.length`), shot("empty"),
		choose(cat), until(`document.activeElement.id === "words"`),
		chromedp.SendKeys("#words", "cat", chromedp.ByID), until(`document.querySelector("#found button")`),
		chromedp.SendKeys("#words", ",sofa,window,", chromedp.ByID), until(`document.querySelectorAll("#chips li").length === 3`),
		until(`document.querySelector("#chips li:nth-child(3)").style.getPropertyValue("--swatch").startsWith("#")`), // answered
		chromedp.Evaluate(foundText, &found),
		chromedp.Evaluate(painted, &all), shot("light"),
		chromedp.Evaluate(`document.getElementById("where").innerText`, &where),
	)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(found, "cat") || all < 1000 || where != "" {
		t.Errorf("found %q, %d pixels painted, where %q", found, all, where)
	}
	if n := requests("/v1/images"); requests("/segment") != n-1 {
		t.Errorf("the photo was encoded %d times", n-requests("/segment"))
	}

	before := requests("/")
	slide := func(v int) chromedp.Action {
		return chromedp.Evaluate(fmt.Sprintf(`(() => { const s = document.getElementById("threshold"); s.value = %d; s.dispatchEvent(new Event("input")) })()`, v), nil)
	}
	err = chromedp.Run(ctx,
		slide(0), chromedp.Evaluate(painted, &loose), slide(95), chromedp.Evaluate(painted, &strict), slide(10),
		chromedp.Focus("#overlay", chromedp.ByID), // the arrow keys move the cross
		chromedp.Evaluate(`document.getElementById("overlay").dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft"}))`, nil),
		chromedp.Evaluate(`document.getElementById("tip").textContent`, &tip),
		chromedp.Evaluate(`document.getElementById("overlay").getAttribute("aria-label")`, &label),
		chromedp.Click(`#found button`, chromedp.ByQuery), until(`document.querySelector("#found button[aria-pressed=true]")`), shot("alone"),
		chromedp.Click(`#found button`, chromedp.ByQuery),
	)
	if err != nil {
		t.Fatal(err)
	}
	if loose <= strict || requests("/") != before {
		t.Errorf("the threshold leaves %d of %d pixels and asks %d times", strict, loose, requests("/")-before)
	}
	if tip == "" || !strings.Contains(label, "%") {
		t.Errorf("under the cross: %q; the canvas is called %q", tip, label)
	}

	err = chromedp.Run(ctx,
		scheme("dark"), shot("dark"),
		emulation.SetDeviceMetricsOverride(390, 844, 2, true), shot("phone"),
		chromedp.Evaluate(`document.documentElement.scrollWidth`, &composed),
		emulation.ClearDeviceMetricsOverride(), laidOut(`innerWidth > 390`),
		chromedp.Click("#savepng", chromedp.ByID), until(`document.getElementById("busy").hidden`),
		chromedp.Click("#savemask", chromedp.ByID), until(`document.getElementById("busy").hidden`),
		chromedp.Click("#savejson", chromedp.ByID), until(`document.getElementById("busy").hidden`),
		chromedp.Click("#savecoco", chromedp.ByID), until(`document.getElementById("busy").hidden`),
	)
	if err != nil {
		t.Fatal(err)
	}
	if composed > 390 {
		t.Errorf("on a phone the page is %d pixels wide", composed)
	}
	for _, name := range []string{"cat.overlay.png", "cat.mask.png", "cat.json", "cat.coco.json"} {
		if !arrives(filepath.Join(downloads, name)) {
			t.Errorf("no %s was downloaded", name)
		}
	}
	complaints.none(t)
}

func arrives(path string) bool {
	for range 100 {
		if i, err := os.Stat(path); err == nil && i.Size() > 50 {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

// TestPaste: a photo comes from the clipboard and by drag and drop too.
func TestPaste(t *testing.T) {
	ctx, complaints := open(t)
	h, requests := counted(t, groupvit.DefaultModel)
	b, err := os.ReadFile(cat)
	if err != nil {
		t.Fatal(err)
	}
	give := func(event, field string) chromedp.Action {
		return chromedp.Evaluate(fmt.Sprintf(`(() => {
			const bytes = Uint8Array.from(atob(%q), (c) => c.charCodeAt(0)), data = new DataTransfer();
			data.items.add(new File([bytes], "pasted.jpg", {type: "image/jpeg"}));
			const e = new %s(%q, {bubbles: true, cancelable: true, %s: data});
			document.body.dispatchEvent(e);
		})()`, base64.StdEncoding.EncodeToString(b), map[string]string{"paste": "ClipboardEvent", "drop": "DragEvent"}[event], event, field), nil)
	}
	err = chromedp.Run(ctx, chromedp.Navigate(h.URL), until(`document.getElementById("viewlist").children.length`),
		give("paste", "clipboardData"), until(`document.activeElement.id === "words"`),
		chromedp.SendKeys("#words", "cat\r", chromedp.ByID), until(`document.querySelector("#found button")`),
		give("drop", "dataTransfer"))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; requests("/v1/images")-requests("/segment") < 2 && i < 400; i++ {
		time.Sleep(50 * time.Millisecond)
	}
	if n := requests("/v1/images") - requests("/segment"); n != 2 {
		t.Errorf("%d photos were encoded, want 2", n)
	}
	complaints.none(t)
}

package pagetest

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"golang.org/x/image/draw"
)

// TestPageAlone: the page without a server, as tools/wasm/build leaves it in the
// folder $GROUPVIT_WASM_PAGE, answers for a photo of 320 pixels within 15 s.
func TestPageAlone(t *testing.T) {
	folder := os.Getenv("GROUPVIT_WASM_PAGE")
	if folder == "" {
		t.Skip("GROUPVIT_WASM_PAGE is not set: tools/wasm/build makes the folder")
	}
	ctx, complaints := open(t)
	h := httptest.NewServer(http.FileServer(http.Dir(folder)))
	defer h.Close()
	file := small(t, 320)
	var where string
	begin := time.Now()
	if err := chromedp.Run(ctx, chromedp.Navigate(h.URL), until(`document.getElementById("where").innerText && !document.getElementById("status").innerText`)); err != nil {
		t.Fatal(err)
	}
	t.Logf("started after %v", time.Since(begin).Round(time.Millisecond))
	begin = time.Now()
	if err := chromedp.Run(ctx, choose(file), until(`document.activeElement.id === "words"`)); err != nil {
		t.Fatal(err)
	}
	encoded := time.Since(begin)
	begin = time.Now()
	if err := chromedp.Run(ctx, chromedp.SendKeys("#words", "cat,sofa,", chromedp.ByID), until(`document.querySelector("#found button") && document.querySelectorAll("#chips li").length === 2 && document.getElementById("took").textContent.includes("ms")`)); err != nil {
		t.Fatal(err)
	}
	asked := time.Since(begin)
	t.Logf("a photo of 320 pixels: encoded in %v, the first words answered in %v", encoded.Round(time.Millisecond), asked.Round(time.Millisecond))
	if encoded+asked > 15*time.Second {
		t.Errorf("%v in all, more than 15 s", encoded+asked)
	}
	if err := chromedp.Run(ctx, chromedp.SendKeys("#words", "window,", chromedp.ByID), until(`document.querySelectorAll("#chips li").length === 3`), shot("wasm"), chromedp.Text("#where", &where)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(where, "browser") {
		t.Errorf("it says %q of where it runs", where)
	}
	complaints.mu.Lock()
	for _, c := range complaints.list {
		if !strings.Contains(c, "404") { // v1/models, which tells that there is no server
			t.Errorf("the browser complains: %s", c)
		}
	}
	complaints.mu.Unlock()
}

// TestPageAloneSaves: without a server too, a mask, COCO and JSON are of the photo's own
// size, although the page has encoded a smaller one.
func TestPageAloneSaves(t *testing.T) {
	folder := os.Getenv("GROUPVIT_WASM_PAGE")
	if folder == "" {
		t.Skip("GROUPVIT_WASM_PAGE is not set: tools/wasm/build makes the folder")
	}
	ctx, complaints := open(t)
	h := httptest.NewServer(http.FileServer(http.Dir(folder)))
	defer h.Close()
	file, downloads := small(t, 3000), t.TempDir()
	err := chromedp.Run(ctx,
		browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(downloads),
		chromedp.Navigate(h.URL), until(`document.getElementById("viewlist").children.length`),
		choose(file), until(`document.activeElement.id === "words"`),
		chromedp.SendKeys("#words", "cat,sofa,", chromedp.ByID), until(`document.querySelectorAll("#chips li").length === 2 && document.querySelector("#found button")`),
		chromedp.Click("#savemask", chromedp.ByID), until(`document.getElementById("busy").hidden`),
		chromedp.Click("#savecoco", chromedp.ByID), until(`document.getElementById("busy").hidden`),
		chromedp.Click("#savejson", chromedp.ByID), until(`document.getElementById("busy").hidden`),
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"small.mask.png", "small.coco.json", "small.json"} {
		if !arrives(filepath.Join(downloads, name)) {
			t.Fatalf("no %s was downloaded", name)
		}
	}
	f, err := os.Open(filepath.Join(downloads, "small.mask.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mask, err := png.DecodeConfig(f)
	if err != nil {
		t.Fatal(err)
	}
	var coco struct {
		Images      []struct{ Width, Height int }
		Annotations []struct{ Segmentation struct{ Size []int } }
	}
	var all struct{ Width, Height int }
	for name, to := range map[string]any{"small.coco.json": &coco, "small.json": &all} {
		b, err := os.ReadFile(filepath.Join(downloads, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, to); err != nil {
			t.Fatalf("%s: %v in %.200s", name, err, b)
		}
	}
	width, height := 3000, 3000*300/451
	if mask.Width != width || mask.Height != height {
		t.Errorf("the mask of a photo of %d×%d is %d×%d", width, height, mask.Width, mask.Height)
	}
	if len(coco.Images) != 1 || coco.Images[0].Width != width || coco.Images[0].Height != height || all.Width != width || all.Height != height {
		t.Errorf("of a photo of %d×%d: COCO %+v, JSON %+v", width, height, coco.Images, all)
	}
	complaints.mu.Lock()
	defer complaints.mu.Unlock()
	for _, c := range complaints.list {
		if !strings.Contains(c, "404") { // v1/models, which shows that there is no server
			t.Errorf("the browser complains: %s", c)
		}
	}
}

// small is the cat with a long side of so many pixels.
func small(t *testing.T, side int) string {
	t.Helper()
	f, err := os.Open(cat)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	im, err := jpeg.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewRGBA(image.Rect(0, 0, side, side*im.Bounds().Dy()/im.Bounds().Dx()))
	draw.CatmullRom.Scale(out, out.Rect, im, im.Bounds(), draw.Src, nil)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, out, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "small.jpg")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

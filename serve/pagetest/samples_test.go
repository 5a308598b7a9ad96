package pagetest

import (
	"context"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"github.com/groupvit/groupvit"
)

// TestSamples: a sample photo brings its words, regions have names, and a region is saved
// cut out of the photo, at its own size with transparency.
func TestSamples(t *testing.T) {
	ctx, complaints := open(t)
	h, _ := counted(t, groupvit.DefaultModel)
	downloads := t.TempDir()
	var named, plain, most int
	var found string
	err := chromedp.Run(ctx,
		browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(downloads),
		chromedp.Navigate(h.URL), until(`document.querySelectorAll("#samples img").length === 3`),
		chromedp.Click(`#samples button`, chromedp.ByQuery), until(`document.querySelector("#found button")`),
		chromedp.Evaluate(foundText, &found),
		chromedp.Evaluate(`Number(document.getElementById("threshold").max)`, &most),
		chromedp.Evaluate(white, &named), chromedp.Click("#names", chromedp.ByID), chromedp.Evaluate(white, &plain),
		chromedp.Click(`#found button`, chromedp.ByQuery), until(`document.querySelector("#found button[aria-pressed=true]")`),
		chromedp.Click("#cutout", chromedp.ByID), until(`document.getElementById("busy").hidden`), shot("sample"),
	)
	if err != nil {
		t.Fatal(err)
	}
	if found == "" || named <= plain || most >= 100 || most < 5 {
		t.Errorf("found %q, %d white pixels with names, %d without, the threshold goes to %d", found, named, plain, most)
	}
	path := filepath.Join(downloads, "astronaut.person.png")
	if !arrives(path) {
		t.Fatal("no astronaut.person.png was downloaded")
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	im, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	clear, opaque := 0, 0
	for y := range im.Bounds().Dy() {
		for x := range im.Bounds().Dx() {
			switch _, _, _, a := im.At(x, y).RGBA(); a {
			case 0:
				clear++
			case 0xffff:
				opaque++
			}
		}
	}
	if im.Bounds().Dx() != 512 || im.Bounds().Dy() != 512 || clear == 0 || opaque == 0 || clear+opaque != 512*512 {
		t.Errorf("the cut-out is %v, with %d clear and %d opaque pixels", im.Bounds(), clear, opaque)
	}
	complaints.none(t)
}

// white counts pixels of the overlay that are white and opaque: those of names.
const white = `(() => { const c = document.getElementById("overlay"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
let n = 0; for (let i = 0; i < d.length; i += 4) n += d[i] > 250 && d[i + 1] > 250 && d[i + 2] > 250 && d[i + 3] > 250; return n })()`

// TestUnreachable: where the server is gone the page says so, and tries again when asked.
func TestUnreachable(t *testing.T) {
	ctx, _ := open(t)
	h, _ := counted(t, groupvit.DefaultModel)
	var said string
	err := chromedp.Run(ctx, chromedp.Navigate(h.URL), until(`document.querySelectorAll("#samples img").length === 3`),
		chromedp.Click(`#samples button`, chromedp.ByQuery), until(`document.querySelector("#found button")`),
		chromedp.ActionFunc(func(ctx context.Context) error {
			h.CloseClientConnections()
			return h.Listener.Close()
		}),
		chromedp.SendKeys("#words", "lamp,", chromedp.ByID), until(`!document.getElementById("retry").hidden`),
		chromedp.Text("#status", &said),
	)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said, "cannot be reached") {
		t.Errorf("it says %q", said)
	}
}

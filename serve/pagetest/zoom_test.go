package pagetest

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/groupvit/groupvit"
)

// TestZoom: buttons and keys make the photo larger in its frame, dragging moves it, the
// label under the pointer is that of the place, and another photo begins whole.
func TestZoom(t *testing.T) {
	ctx, complaints := open(t)
	h, _ := counted(t, groupvit.DefaultModel)
	const scale = `document.getElementById("overlay").getBoundingClientRect().width / document.getElementById("picture").getBoundingClientRect().width`
	const left = `document.getElementById("overlay").getBoundingClientRect().left - document.getElementById("picture").getBoundingClientRect().left`
	const middle = `(() => { const b = document.getElementById("picture").getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2] })()`
	var whole, twice, keyed, reset, again, before, after float64
	var at []float64
	var tip string
	err := chromedp.Run(ctx,
		chromedp.Navigate(h.URL), until(`document.getElementById("viewlist").children.length`),
		choose(cat), until(`document.querySelector("#found button")`), chromedp.Evaluate(scale, &whole),
		chromedp.Click("#zoomin", chromedp.ByID), chromedp.Click("#zoomin", chromedp.ByID), chromedp.Evaluate(scale, &twice), chromedp.Evaluate(left, &before),
		chromedp.Evaluate(middle, &at),
	)
	if err != nil {
		t.Fatal(err)
	}
	drag := func(kind input.MouseType, x float64) *input.DispatchMouseEventParams {
		return input.DispatchMouseEvent(kind, x, at[1]).WithButton(input.Left).WithButtons(1).WithClickCount(1)
	}
	err = chromedp.Run(ctx,
		drag(input.MousePressed, at[0]), drag(input.MouseMoved, at[0]+40), drag(input.MouseReleased, at[0]+40),
		chromedp.Evaluate(left, &after), chromedp.Text("#tip", &tip, chromedp.ByID), shot("zoom"),
		chromedp.Focus("#overlay", chromedp.ByID), chromedp.KeyEvent("+"), chromedp.Evaluate(scale, &keyed),
		chromedp.KeyEvent("0"), chromedp.Evaluate(scale, &reset),
		chromedp.Click("#zoomin", chromedp.ByID), choose(cat), until(`document.activeElement.id === "words"`), chromedp.Evaluate(scale, &again),
	)
	if err != nil {
		t.Fatal(err)
	}
	near := func(got, want float64) bool { return got > want-0.01 && got < want+0.01 }
	if !near(whole, 1) || !near(twice, 2.25) || !near(keyed, 3.375) || !near(reset, 1) || !near(again, 1) {
		t.Errorf("scales are %.3f, %.3f, %.3f, %.3f and %.3f, want 1, 2.25, 3.375, 1 and 1", whole, twice, keyed, reset, again)
	}
	if d := after - before; d < 39 || d > 41 {
		t.Errorf("dragged by %.1f pixels, want 40", d)
	}
	if !strings.Contains(tip, "cat") {
		t.Errorf("under the pointer: %q", tip)
	}
	complaints.none(t)
}

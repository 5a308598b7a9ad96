package pagetest

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/groupvit/groupvit"
)

// TestSuggestions: regions have names before a word is typed; words that are typed take
// the place of the suggested ones, and a word that is taken away leaves the others.
func TestSuggestions(t *testing.T) {
	ctx, complaints := open(t)
	h, _ := counted(t, groupvit.DefaultModel)
	var suggested, typed, tip string
	var dashed bool
	const middle = `(() => { const c = document.getElementById("overlay"), b = c.getBoundingClientRect();
c.onpointermove({ clientX: b.left + b.width / 2, clientY: b.top + b.height / 2 }) })()`
	const chips = `[...document.querySelectorAll("#chips li")].map((li) => li.firstChild.textContent).join()`
	err := chromedp.Run(ctx,
		chromedp.Navigate(h.URL), until(`document.getElementById("viewlist").children.length`),
		choose(cat), until(`document.querySelector("#found button") && document.activeElement.id === "words"`),
		chromedp.Evaluate(chips, &suggested), chromedp.Evaluate(`document.getElementById("chips").classList.contains("suggested")`, &dashed),
		shot("suggested"), chromedp.Evaluate(middle, nil), chromedp.Evaluate(`document.getElementById("tip").textContent`, &tip),
		chromedp.SendKeys("#words", "eye,", chromedp.ByID), until(`document.querySelectorAll("#chips li").length === 1`),
		chromedp.Evaluate(chips, &typed),
	)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(tip, "cat ") || !strings.Contains(tip, ", or ") {
		t.Errorf("in the middle: %q", tip)
	}
	if suggested == "" || !dashed || typed != "eye" {
		t.Errorf("suggested %q (shown as suggestions: %v), typed %q", suggested, dashed, typed)
	}
	complaints.none(t)
}

package pagetest

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/groupvit/groupvit/internal/weights/weightstest"
)

// TestGroups: a model with grouping stages offers them; the groups of both are asked
// for once.
func TestGroups(t *testing.T) {
	ctx, complaints := open(t)
	h, requests := counted(t, weightstest.Tiny(t))
	var first, second string
	var all int
	err := chromedp.Run(ctx, chromedp.Navigate(h.URL), until(`document.querySelectorAll("#viewlist input").length === 3`),
		choose(cat), until(`document.activeElement.id === "words"`),
		chromedp.SendKeys("#words", "cat,sofa,", chromedp.ByID), until(`document.querySelectorAll("#chips li").length === 2 && document.querySelector("#found li")`),
		chromedp.Evaluate(`document.querySelectorAll("#viewlist input")[1].click()`, nil), until(foundText+`.includes("group")`),
		chromedp.Evaluate(foundText, &first), chromedp.Evaluate(painted, &all), shot("groups"),
		chromedp.Evaluate(`document.querySelectorAll("#viewlist input")[2].click()`, nil),
		chromedp.Evaluate(foundText, &second),
		chromedp.Evaluate(`document.querySelectorAll("#viewlist input")[0].click()`, nil), until(`!`+foundText+`.includes("group")`),
	)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(first, "group") || !strings.Contains(second, "group") || all < 1000 {
		t.Errorf("stage 1 shows %q, stage 2 %q, %d pixels painted", first, second, all)
	}
	if n := requests("/groups"); n != 1 {
		t.Errorf("groups were asked for %d times", n)
	}
	complaints.none(t)
}

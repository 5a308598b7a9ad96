package pagetest

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights"
)

// grouping writes the paper's network in small, with drawn weights: it has two
// grouping stages.
func grouping(t *testing.T) string {
	t.Helper()
	c := network.Default()
	c.ImageSize, c.PatchSize, c.Width = 32, 8, 16
	c.Depths, c.Heads = []int{1, 1, 1}, []int{2, 2, 2}
	c.GroupTokens, c.OutputGroups = []int{6, 3, 0}, []int{6, 3, 0}
	c.Text = network.TextConfig{Vocabulary: 600, Context: 20, Width: 16, Depth: 1, Heads: 2, MLPRatio: 2}
	c.ProjectionWidth, c.EmbedWidth = 32, 16
	dir := filepath.Join(t.TempDir(), "grouping")
	w := &weights.Model{Config: c, Tensors: network.Initialize(c, 1), Mean: weights.ImageNetMean, Std: weights.ImageNetStd}
	if err := weights.Save(dir, w, weights.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestGroups: a model with grouping stages offers them; the groups of both are asked
// for once.
func TestGroups(t *testing.T) {
	ctx, complaints := open(t)
	h, requests := counted(t, grouping(t))
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

// Package weightstest makes models for tests.
package weightstest

import (
	"path/filepath"
	"testing"

	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights"
)

// Config is the paper's network in small: two grouping stages, photos of 32 pixels.
func Config() network.Config {
	c := network.Default()
	c.ImageSize, c.PatchSize, c.Width = 32, 8, 16
	c.Depths, c.Heads = []int{1, 1, 1}, []int{2, 2, 2}
	c.GroupTokens, c.OutputGroups = []int{6, 3, 0}, []int{6, 3, 0}
	c.Text = network.TextConfig{Vocabulary: 600, Context: 20, Width: 16, Depth: 1, Heads: 2, MLPRatio: 2}
	c.ProjectionWidth, c.EmbedWidth = 32, 16
	return c
}

// Model is a network of [Config] with drawn weights.
func Model() *weights.Model {
	c := Config()
	return &weights.Model{Config: c, Tensors: network.Initialize(c, 1), Mean: weights.ImageNetMean, Std: weights.ImageNetStd}
}

// Tiny writes [Model] into a folder that goes with the test, and returns it.
func Tiny(t testing.TB) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "tiny")
	if err := weights.Save(folder, Model(), weights.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	return folder
}

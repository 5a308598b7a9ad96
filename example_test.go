package groupvit_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log"
	"os"
	"path/filepath"
	"testing"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/network"
	"github.com/groupvit/groupvit/internal/weights"
)

// modelName is what the examples open: the embedded model or, in a build without
// one, a tiny untrained one.
var modelName = groupvit.DefaultModel

// hasDefault says whether this build has an embedded model.
func hasDefault() bool {
	_, err := os.Stat(filepath.Join("models", "default", weights.ConfigFile))
	return err == nil
}

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if hasDefault() {
			return m.Run()
		}
		dir, err := os.MkdirTemp("", "groupvit-")
		if err != nil {
			log.Fatal(err)
		}
		defer os.RemoveAll(dir)
		c := paperConfig()
		tiny := &weights.Model{Config: c, Tensors: network.Initialize(c, 1), Mean: weights.ImageNetMean, Std: weights.ImageNetStd}
		modelName = filepath.Join(dir, "model")
		if err := weights.Save(modelName, tiny, weights.SaveOptions{}); err != nil {
			log.Fatal(err)
		}
		return m.Run()
	}())
}

func ExampleOpen() {
	_, err := groupvit.Open(context.Background(), "no/such/model", nil)
	fmt.Println(errors.Is(err, groupvit.ErrModel), errors.Is(err, os.ErrNotExist))
	// Output: true true
}

func ExampleModel_Segment() {
	ctx := context.Background()
	model, err := groupvit.Open(ctx, modelName, nil) // "default" is the embedded model
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	photo := image.NewRGBA(image.Rect(0, 0, 320, 240)) // from image.Decode
	everything := &groupvit.SegmentOptions{QueryOptions: groupvit.QueryOptions{Background: groupvit.NoBackground()}}
	result, err := model.Segment(ctx, photo, []string{"dog|puppy", "grass"}, everything)
	if err != nil {
		log.Fatal(err)
	}
	named := 0
	for _, s := range result.Segments { // s.Label, s.Box, s.Score
		named += s.Pixels
	}
	fmt.Println(result.Labels, named == result.Map.Width*result.Map.Height)
	// Output: [dog grass] true
}

func ExampleModel_Encode() {
	ctx := context.Background()
	model, err := groupvit.Open(ctx, modelName, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	photo, err := model.Encode(ctx, image.NewRGBA(image.Rect(0, 0, 320, 240)), nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, labels := range [][]string{{"dog", "cat"}, {"sky", "sea"}} { // no second look
		result, err := photo.Segment(ctx, labels, nil)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(result.Labels, result.Map.Width, result.Map.Height)
	}
	// Output:
	// [dog cat] 320 240
	// [sky sea] 320 240
}

func ExampleModel_EmbedText() {
	ctx := context.Background()
	model, err := groupvit.Open(ctx, modelName, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	var vectors [2][]float32
	for i, text := range []string{"A photo of a dog.", "a photo of a dog."} {
		if vectors[i], err = model.EmbedText(ctx, text); err != nil {
			log.Fatal(err)
		}
	}
	var cosine float32
	for i := range vectors[0] {
		cosine += vectors[0][i] * vectors[1][i]
	}
	fmt.Printf("%.3f\n", cosine) // upper case does not count
	// Output: 1.000
}

func ExampleModel_Classify() {
	ctx := context.Background()
	model, err := groupvit.Open(ctx, modelName, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	classes, err := model.Classify(ctx, image.NewRGBA(image.Rect(0, 0, 320, 240)), []string{"dog", "cat", "horse"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(classes), classes[0].Score >= classes[2].Score) // the best first
	// Output: 3 true
}

func ExampleModel_Groups() {
	ctx := context.Background()
	model, err := groupvit.Open(ctx, modelName, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	stages, err := model.Groups(ctx, image.NewRGBA(image.Rect(0, 0, 320, 240)))
	if errors.Is(err, groupvit.ErrModel) {
		fmt.Println("one map a stage") // a variant without groups
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	for _, groups := range stages {
		if groups.Width != 320 || groups.At(0, 0) == 0 { // groups count from 1
			fmt.Println("a pixel without a group")
		}
	}
	fmt.Println("one map a stage")
	// Output: one map a stage
}

func ExampleParseBackground() {
	b, err := groupvit.ParseBackground("0.35")
	fmt.Println(b, err)
	_, err = groupvit.ParseBackground("blue")
	fmt.Println(err)
	// Output:
	// 0.35 <nil>
	// bad option: background "blue", allowed are auto, off, and a threshold from 0 to 1
}

func ExampleEncoded_Sweep() {
	ctx := context.Background()
	model, err := groupvit.Open(ctx, modelName, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	photo, err := model.Encode(ctx, image.NewRGBA(image.Rect(0, 0, 320, 240)), nil)
	if err != nil {
		log.Fatal(err)
	}
	maps, _, err := photo.Sweep(ctx, []string{"dog", "cat"}, nil, []float64{0, 0.5, 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(maps), maps[0].Width, maps[0].Height) // one map a threshold
	// Output: 3 320 240
}

func ExampleModel_Explain() {
	ctx := context.Background()
	model, err := groupvit.Open(ctx, modelName, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	x, err := model.Explain(ctx, image.NewRGBA(image.Rect(0, 0, 320, 240)), []string{"dog", "cat"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range x.Labels { // l.Rivals are the words that compete with it
		fmt.Println(l.Label, len(l.Probability) == l.Width*l.Height)
	}
	// Output:
	// dog true
	// cat true
}

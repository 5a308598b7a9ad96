package groupvit_test

import (
	"context"
	"fmt"
	"image"
	"log"

	"github.com/groupvit/groupvit"
)

func ExampleParseBackground() {
	b, err := groupvit.ParseBackground("0.35")
	fmt.Println(b, err)
	_, err = groupvit.ParseBackground("blue")
	fmt.Println(err)
	// Output:
	// 0.35 <nil>
	// bad option: background "blue", allowed are auto, off, and a threshold from 0 to 1
}

func ExampleModel_Segment() {
	ctx := context.Background()
	model, err := groupvit.Open(ctx, "default", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	photo := image.NewRGBA(image.Rect(0, 0, 640, 480)) // from image.Decode
	result, err := model.Segment(ctx, photo, []string{"dog|puppy", "grass"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range result.Segments {
		fmt.Println(s.Label, s.Pixels, s.Box)
	}
}

func ExampleModel_Encode() {
	ctx := context.Background()
	model, err := groupvit.Open(ctx, "default", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	photo, err := model.Encode(ctx, image.NewRGBA(image.Rect(0, 0, 640, 480)), nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, labels := range [][]string{{"dog", "cat"}, {"sky", "sea"}} { // no second look
		result, err := photo.Segment(ctx, labels, nil)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(labels, result.Map.At(10, 10))
	}
}

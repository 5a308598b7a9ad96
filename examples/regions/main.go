// Command regions prints where words are in a photo:
//
//	go run ./examples/regions examples/photos/cat.jpg cat wall
//
// It is the whole library in one screen: open, encode once, ask.
package main

import (
	"context"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"log"
	"os"

	"github.com/groupvit/groupvit"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: regions PHOTO WORD…")
	}
	if err := run(context.Background(), os.Args[1], os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, path string, words []string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		return err
	}
	model, err := groupvit.Open(ctx, groupvit.DefaultModel, nil)
	if err != nil {
		return err
	}
	defer model.Close()
	photo, err := model.Encode(ctx, img, nil)
	if err != nil {
		return err
	}
	// Further questions about the photo cost milliseconds: it is not looked at
	// again.
	found, err := photo.Segment(ctx, words, nil)
	if err != nil {
		return err
	}
	for _, s := range found.Segments {
		fmt.Printf("%-12s %5.1f %%  box %v  score %.3f\n", s.Label, 100*s.Area, s.Box, s.Score)
	}
	return nil
}

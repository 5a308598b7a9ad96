package main

import (
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"time"

	"github.com/groupvit/groupvit/internal/imaging"
)

func main() {
	out := os.Args[1]
	for _, f := range os.Args[2:] {
		b, _ := os.ReadFile(f)
		start := time.Now()
		im, err := imaging.DecodeBytes(b, imaging.Options{Name: f, Note: func(s string) { fmt.Println("   note:", f, s) }})
		if err != nil {
			fmt.Println("ERR", err, time.Since(start))
			continue
		}
		w, _ := os.Create(filepath.Join(out, filepath.Base(f)+".png"))
		png.Encode(w, im.RGBA())
		w.Close()
	}
}

package bpe_test

import (
	"fmt"

	"github.com/groupvit/groupvit/internal/bpe"
)

func ExampleTokenizer_Encode() {
	t := bpe.CLIP()
	fmt.Println(t.Encode("A photo of a cat.", 10))
	fmt.Println(t.Decode(t.Tokens("A photo of a cat.")))
	// Output:
	// [49406 320 1125 539 320 2368 269 49407 0 0]
	// a photo of a cat .
}

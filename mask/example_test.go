package mask_test

import (
	"bytes"
	"fmt"

	"github.com/groupvit/groupvit/mask"
)

func example() *mask.Map {
	return &mask.Map{Width: 4, Height: 3, Labels: []uint16{
		0, 1, 1, 0,
		0, 1, 1, 2,
		0, 0, 0, 2,
	}}
}

func ExampleMap_Stats() {
	for _, s := range example().Stats(2)[1:] {
		fmt.Printf("label %d: %d pixels, %.0f %%, box %v\n", s.Label, s.Pixels, 100*s.Area, s.Box)
	}
	// Output:
	// label 1: 4 pixels, 33 %, box (1,0)-(3,2)
	// label 2: 2 pixels, 17 %, box (3,1)-(4,3)
}

func ExampleMap_RLE() {
	r := example().RLE(1)
	fmt.Println(r.Counts, r.Compressed())
	// Output: [3 2 1 2 4] 32103
}

func ExampleMap_Polygons() {
	fmt.Println(example().Polygons(1)[0].Outer)
	// Output: [(1,0) (3,0) (3,2) (1,2)]
}

func ExampleMap_EncodePNG() {
	var file bytes.Buffer
	if err := example().EncodePNG(&file, nil); err != nil {
		fmt.Println(err)
		return
	}
	back, err := mask.DecodePNG(&file)
	fmt.Println(back.At(1, 0), back.At(3, 2), err)
	// Output: 1 2 <nil>
}

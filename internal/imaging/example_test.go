package imaging_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/groupvit/groupvit/internal/imaging"
)

func ExampleDecode() {
	f, err := os.Open("testdata/decode/jpeg-exif-6.jpg")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	im, err := imaging.Decode(f, imaging.Options{Name: "photo.jpg"})
	fmt.Println(im.Width, im.Height, err) // stored as 45×31, turned upright

	_, err = imaging.Decode(strings.NewReader("hello"), imaging.Options{Name: "hello.jpg"})
	fmt.Println(err)
	// Output:
	// 31 45 <nil>
	// hello.jpg: not a readable photo: it does not begin like a JPEG, PNG, GIF, WebP, BMP, TIFF or PNM
}

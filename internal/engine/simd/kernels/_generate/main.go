// Command _generate writes the assembly of package kernels. In this directory:
//
//	go run . -what product -out ../product_amd64.s -stubs ../product_amd64.go -pkg kernels
//	go run . -what vector -out ../vector_amd64.s -stubs ../vector_amd64.go -pkg kernels
package main

import (
	"flag"
	"log"

	. "github.com/mmcloughlin/avo/build"
)

func main() {
	what := flag.String("what", "", "which file to write: product or vector")
	flag.Parse()
	switch *what {
	case "product":
		products()
	case "vector":
		vectors()
	default:
		log.Fatalf("-what is %q; it must be product or vector", *what)
	}
	Generate()
}

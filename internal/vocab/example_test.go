package vocab_test

import (
	"fmt"

	"github.com/groupvit/groupvit/internal/vocab"
)

func ExampleParseLabels() {
	labels, err := vocab.ParseLabels("dog|puppy, grass")
	fmt.Println(labels[0].Names(), labels[1].Names(), err)
	_, err = vocab.ParseLabels("dog,grass,Dog")
	fmt.Println(err)
	// Output:
	// [dog puppy] [grass] <nil>
	// duplicate label "Dog": it is label 1 and label 3; name it once
}

func ExampleFill() {
	templates, _ := vocab.Templates("simple")
	fmt.Println(vocab.Fill(templates[0], "dog"))
	// Output: a photo of a dog.
}

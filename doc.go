// Package groupvit segments photos with any text labels, with GroupViT (Xu et al.,
// "GroupViT: Semantic Segmentation Emerges from Text Supervision", CVPR 2022) and
// smaller relatives of it: zero-shot, with an open vocabulary.
//
//	model, err := groupvit.Open(ctx, "default", nil)
//	…
//	result, err := model.Segment(ctx, photo, []string{"dog", "grass"}, nil)
//	result.Map.At(x, y) // 0 background, 1 dog, 2 grass
//
// [Open] opens a model: the embedded one, a directory, or one of the Hugging Face Hub
// that is in the cache. [Model.Segment] answers once. [Model.Encode] encodes a photo,
// and the [Encoded] answers new labels in milliseconds; [EncodeOptions] say how a photo
// is encoded, [QueryOptions] how labels are answered, and [SegmentOptions] both. A
// [Segmentation] is the answer: a map of labels, a [Segment] for each that was found,
// and a [Report] of how it was made. [Model.SegmentAuto] takes the words that the model
// proposes itself, of its [Model.Vocabulary].
//
// A [Protocol] is a set of rules from the model's output to labels: those of published
// evaluations, to compare with, and [Best], this project's own, whose [Techniques]
// follow from a [Quality].
//
// [Model.Explain] says why each pixel got its label, [Model.Groups] shows what the model
// groups whatever the labels, [Model.EmbedImage], [Model.EmbedText] and
// [Model.Classify] work on whole photos.
//
// A Model and an Encoded are safe for concurrent use; computations of one Model run one
// after the other, each on all its threads.
//
// Read in this order: model.go; view.go, which encodes a photo; segment.go, which answers
// a query; protocol.go and the protocol_NAME.go files, one a protocol; result.go;
// proposals.go, words by itself.
package groupvit

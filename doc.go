// Package groupvit cuts photographs into named regions by words alone, with
// GroupViT (Xu et al., "GroupViT: Semantic Segmentation Emerges from Text
// Supervision", CVPR 2022) and smaller relatives of it.
//
//	model, err := groupvit.Open(ctx, "default", nil)
//	…
//	result, err := model.Segment(ctx, photo, []string{"dog", "grass"}, nil)
//	result.Map.At(x, y) // 0 background, 1 dog, 2 grass
//
// [Model.Encode] looks at a photo once; the [Encoded] answers new words in
// milliseconds. A Model and an Encoded are safe for concurrent use; computations
// of one Model run one after the other, each on all its threads.
package groupvit

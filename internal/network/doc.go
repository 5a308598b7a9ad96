// Package network is GroupViT (Xu et al., "GroupViT: Semantic Segmentation
// Emerges from Text Supervision", CVPR 2022) as GoMLX graph functions: the
// image tower with its group tokens and grouping blocks, the text transformer,
// the projection heads and the two contrastive losses.
//
// One definition serves inference, training, every engine and every export. It
// knows no files, no photographs and no engine: parameters come in through a
// [Weights] function, random numbers through [Mode], and everything computed
// inside is returned by name.
//
// Axis letters used in comments:
//
//	B  pictures of a batch         H, W  height and width of a picture
//	N  image tokens (patches)      h, w  height and width of the token grid
//	L  tokens entering a grouping  S     group tokens of a stage
//	G  output groups of a stage    D     width of the image tower
//	T  text positions              C     width of the text tower
//	U  prompts of a batch          P     width of the shared embedding
//
// Names of parameters and their layout ([out, in] for a linear layer) are those
// of the Hugging Face port, so that a published checkpoint needs no transpose.
package network

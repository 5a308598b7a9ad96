// Package masks reads photos with masks that people made as training samples: each
// photo with a label map, the classes by name.
//
// Read in this order: source (what the masks are: a folder in one of package bench's
// layouts, or COCO's JSON), classes (which word of a vocabulary a class is, and what is
// background or ignored), samples (a photo and its label map).
package masks

package convert

import "context"

// cityscapesIDs are the label ids of Cityscapes' 19 classes, by train id.
var cityscapesIDs = []int{7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33}

func cityscapes(ctx context.Context, o Options) (*Result, error) {
	const ids, trainIDs = "_gtFine_labelIds.png", "_gtFine_labelTrainIds.png"
	t := newTable(notLabelled)
	for train, id := range cityscapesIDs {
		t[id] = train
	}
	return relabelTree(ctx, o, "gtFine", ids, trainIDs, nil, t)
}

package onnx

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/groupvit/groupvit/internal/network"
)

// known are the options beyond the paper, by their keys in config.json, that the
// graphs follow or that only training looks at.
var known = []string{
	"stem.channels", "stem.blocks", "stem.batch_norm", "context.channels", "context.blocks", "context.mlp",
	"local_mlp", "local_values", "no_token_mixer", "no_group_residual",
	"soft_assign", "assign_scale", "assign_guard", "area_weighted", "patch_embeddings", "patch_pooled", "map",
	"plain_projection", "text_pooling",
	// of training:
	"nouns_against", "noun_sharpness", "logit_bias", "xavier_init", "group_token_std",
}

// checkVariant refuses options that this package has not been taught.
func checkVariant(v network.Variant) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return checkKeys(data)
}

// checkKeys names the first unknown key of a variant, as JSON.
func checkKeys(variant []byte) error {
	keys, err := flatten("", variant)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if !slices.Contains(known, key) {
			return fmt.Errorf("%w: the network's option groupvit_variant.%s is not known to the ONNX export", ErrExport, key)
		}
	}
	return nil
}

// flatten lists the keys of an object, those of objects inside after a dot.
func flatten(prefix string, object []byte) ([]string, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(object, &fields); err != nil {
		return nil, err
	}
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if fields[key][0] != '{' {
			keys = append(keys, prefix+key)
			continue
		}
		inner, err := flatten(prefix+key+".", fields[key])
		if err != nil {
			return nil, err
		}
		keys = append(keys, inner...)
	}
	return keys, nil
}

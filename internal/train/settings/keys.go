package settings

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Key is what people are told about a setting.
type Key struct {
	// Name is the dotted key.
	Name string
	// Flag is its flag without dashes, OpenCLIP's name where that has one; "" is
	// --set.
	Flag string
	// Meaning says what the value is, in a line.
	Meaning string
}

// Keys lists all settings in the order of their names.
func Keys() []Key {
	out := make([]Key, 0, len(meanings))
	for _, name := range slices.Sorted(maps.Keys(meanings)) {
		out = append(out, Key{Name: name, Flag: flags[name], Meaning: meanings[name]})
	}
	return out
}

// flags are the settings' own flags. Those with OpenCLIP's names are marked.
var flags = map[string]string{
	"name": "name", "seed": "seed", "epochs": "epochs", "batch": "batch-size", "data.workers": "workers", // OpenCLIP's
	"engine": "engine", "threads": "threads", "devices": "devices", "steps": "steps", "init": "init", "micro_batch": "micro-batch",
	"precision": "precision", // OpenCLIP's

	// OpenCLIP's.
	"data.train": "train-data", "data.train_num_samples": "train-num-samples",
	"data.upsampling_factors": "train-data-upsampling-factors", "data.resampled": "dataset-resampled",
	"data.csv_img_key": "csv-img-key", "data.csv_caption_key": "csv-caption-key", "data.csv_separator": "csv-separator",
	"data.mean": "image-mean", "data.std": "image-std", "model.image_size": "force-image-size",
	"optimizer.learning_rate": "lr", "optimizer.epsilon": "eps", "optimizer.weight_decay": "wd",
	"optimizer.clip": "grad-clip-norm", "schedule.name": "lr-scheduler",
	"output.log_every": "log-every-n-steps", "measure.data": "val-data",

	"optimizer.ema": "ema", "measure.root": "eval-root", "measure.dataset": "eval-dataset", "output.keep_best": "keep",
	"measure.classes": "eval-classes", "measure.protocol": "eval-protocol", "measure.short_side": "eval-short-side",
	"measure.every": "eval-every", "measure.limit": "eval-limit", "measure.pictures": "eval-pictures",
}

// FlagsOfSeveral are flags that set more than one key, or part of one: what they
// stand for, with VALUE for what is given. The names are OpenCLIP's.
var FlagsOfSeveral = []struct {
	Flag, Meaning string
	// Switch says that the flag takes no value.
	Switch bool
	Sets   []Override
}{
	{Flag: "beta1", Meaning: "first of optimizer.betas", Sets: []Override{{Key: "optimizer.betas.0", Value: "VALUE"}}},
	{Flag: "beta2", Meaning: "second of optimizer.betas", Sets: []Override{{Key: "optimizer.betas.1", Value: "VALUE"}}},
	{Flag: "warmup", Meaning: "steps of warm-up, instead of epochs or a share", Sets: []Override{
		{Key: "schedule.warmup_steps", Value: "VALUE"}, {Key: "schedule.warmup_epochs", Value: "0"}, {Key: "schedule.warmup_share", Value: "0"}}},
	{Flag: "siglip", Meaning: "sigmoid loss, with a bias and SigLIP's temperature", Switch: true, Sets: []Override{
		{Key: "loss.kind", Value: lossSigmoid}, {Key: "model.variant.logit_bias", Value: "true"}, {Key: "model.temperature", Value: "0.1"}}},
	{Flag: "lock-text", Meaning: "leave the text tower and its projection as they are", Switch: true, Sets: []Override{
		{Key: "optimizer.freeze", Value: "[text_model.*, text_projection.*]"}}},
	{Flag: "lock-image", Meaning: "leave the image tower and its projection as they are", Switch: true, Sets: []Override{
		{Key: "optimizer.freeze", Value: "[vision_model.*, " + localTensors + ", visual_projection.*]"}}},
}

// KeyTable is the table of all settings for docs/training.md: key, flag, default,
// meaning, sorted by key.
func KeyTable() string {
	l := &Loaded{Settings: Default(), Origin: map[string]string{}}
	fields := l.fields()
	var b strings.Builder
	b.WriteString("| key | flag | default | meaning |\n|---|---|---|---|\n")
	for _, k := range Keys() {
		flag := ""
		if k.Flag != "" {
			flag = "`--" + k.Flag + "`"
		}
		value := "?"
		if f, ok := fields[k.Name]; ok {
			value = plainValue(f.Interface())
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.Name, flag, value, k.Meaning)
	}
	for _, f := range FlagsOfSeveral {
		var sets []string
		for _, s := range f.Sets {
			sets = append(sets, "`"+s.Key+"`")
		}
		fmt.Fprintf(&b, "| %s | `--%s` | | %s |\n", strings.Join(sets, ", "), f.Flag, f.Meaning)
	}
	return b.String()
}

// plainValue writes a default as a recipe would.
func plainValue(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case [2]float64:
		return fmt.Sprintf("[%.4g, %.4g]", x[0], x[1])
	case [3]float32:
		return fmt.Sprintf("[%g, %g, %g]", x[0], x[1], x[2])
	}
	return strings.ReplaceAll(fmt.Sprint(v), " ", ", ")
}

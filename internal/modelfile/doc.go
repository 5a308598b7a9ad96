// Package modelfile reads, checks and writes the small files with which a model's
// directory says how it is used beyond its weights:
//
//   - eval.json, [Eval]: at which size photos are encoded, with which prompts, and what
//     makes background, under protocol best;
//   - calibration.json, [Calibration]: thresholds that were fitted after training;
//   - word_counts.json, [WordCounts]: how many training captions had each word.
//
// Each file has one type here, which training writes, the library reads, and commands
// that measure change.
package modelfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// strict decodes JSON, refusing unknown keys and what follows the value.
func strict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the JSON value")
	}
	return nil
}

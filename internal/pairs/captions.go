package pairs

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/textio"
)

// captionNames are the keys under which JSON has captions, as this program and
// img2dataset write them; otherNames are those that other programs use, which count
// where there is no text beside the picture either.
var (
	captionNames = []string{"captions", "caption"}
	otherNames   = []string{"text", "txt", "title", "sentences", "sentence", "alt_text", "description"}
)

// parse takes captions and tags from a sample's JSON: an object, in which captions may
// be one text or a list; or a text or a list itself. It returns the captions of other
// names. What it says beside that and cannot be used is added to s.unused.
func (s *Sample) parse(b []byte) (others []string, err error) {
	var value json.RawMessage
	if err := textio.UnmarshalJSON(b, &value); err != nil {
		return nil, fmt.Errorf("%w: %w", errJSON, err)
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(value, &fields) != nil {
		return nil, s.addAll(s.textsOf(value))
	}
	if err := s.addAll(s.firstTexts(fields, captionNames)); err != nil {
		return nil, err
	}
	var labels []string
	if v := field(fields, "labels"); v != nil {
		if err := json.Unmarshal(v, &labels); err != nil {
			return nil, fmt.Errorf("%w: labels: %w", errJSON, err)
		}
	}
	s.Tags, s.labelWords = s.trimmedTexts(fields, "tags"), labels
	s.labelClasses = s.trimmedTexts(fields, "label_classes")
	if len(s.Captions) > 0 {
		return nil, nil
	}
	return s.firstTexts(fields, otherNames), nil
}

// trimmedTexts returns the texts of a field, as many as are read.
func (s *Sample) trimmedTexts(fields map[string]json.RawMessage, name string) []string {
	texts := s.textsOf(field(fields, name))
	if len(texts) > limits.Captions {
		s.unused = append(s.unused, fmt.Errorf("%w: %d %s, the first %d are used", errUnusedTexts, len(texts), name, limits.Captions))
		texts = texts[:limits.Captions]
	}
	return trimmed(texts)
}

// field returns the value of a key, whose case does not matter where there is none
// that is written so.
func field(fields map[string]json.RawMessage, name string) json.RawMessage {
	if v, ok := fields[name]; ok {
		return v
	}
	found := ""
	for key := range fields {
		if strings.EqualFold(key, name) && (found == "" || key < found) {
			found = key
		}
	}
	return fields[found]
}

// firstTexts returns the texts of the first of some keys that has any.
func (s *Sample) firstTexts(fields map[string]json.RawMessage, names []string) []string {
	for _, name := range names {
		if texts := s.textsOf(field(fields, name)); len(trimmed(texts)) > 0 {
			return texts
		}
	}
	return nil
}

// textsOf returns the texts of a value: itself, or those of a list, in which objects
// have theirs under the name of a caption or as COCO's "raw". Members of a list that
// are nothing of that are added to s.unused.
func (s *Sample) textsOf(value json.RawMessage) (texts []string) {
	var text string
	if json.Unmarshal(value, &text) == nil && text != "" {
		return []string{text}
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		return nil
	}
	for i, v := range list {
		var one map[string]json.RawMessage
		if json.Unmarshal(v, &text) != nil {
			if json.Unmarshal(v, &one) != nil || json.Unmarshal(objectText(one), &text) != nil {
				s.unused = append(s.unused, fmt.Errorf("%w: %.40s, number %d of a list", errUnusedValues, v, i+1))
				continue
			}
		}
		texts = append(texts, text)
		text = ""
	}
	return texts
}

func objectText(fields map[string]json.RawMessage) json.RawMessage {
	for _, name := range []string{"caption", "raw", "text", "sentence"} {
		if v := field(fields, name); v != nil {
			return v
		}
	}
	return nil
}

// addAll adds captions.
func (s *Sample) addAll(captions []string) error {
	if len(captions) > limits.Captions {
		return fmt.Errorf("%w: %d captions, the limit is %d", errSize, len(captions), limits.Captions)
	}
	for _, c := range captions {
		s.add(c)
	}
	return nil
}

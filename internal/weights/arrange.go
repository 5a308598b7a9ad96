package weights

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/groupvit/groupvit/internal/network"
)

// view is a tensor as the network calls it: the whole of a tensor of the file,
// or a third of it.
type view struct {
	name  string // in the file
	part  int    // 0, 1, 2
	parts int    // 1 or 3
	shape []int  // of the part
}

// arrange gives the file's tensors the network's names. official tells that the
// file is one of the official code.
func arrange(s source) (views map[string]view, official bool, err error) {
	names := map[string]string{} // without wrappers → in the file
	for _, raw := range s.names() {
		name := unwrap(raw)
		if slices.ContainsFunc(ignored, func(end string) bool { return strings.HasSuffix(name, end) }) {
			continue
		}
		if other, twice := names[name]; twice {
			return nil, false, fmt.Errorf("%w: tensors %q and %q are the same", ErrWeights, other, raw)
		}
		names[name] = raw
		if strings.HasPrefix(name, "img_encoder.") {
			official = true
		}
	}
	if err := recognise(names, official); err != nil {
		return nil, false, err
	}
	views = map[string]view{}
	var unknown []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		v := view{name: names[name], parts: 1, shape: s.shape(names[name])}
		if !official {
			views[name] = v
			continue
		}
		r, port, ok := match(name)
		if !ok {
			unknown = append(unknown, fmt.Sprintf("tensor %q (shape %v) is not part of a GroupViT", name, v.shape))
			continue
		}
		if err := r.apply(views, port, v); err != nil {
			return nil, false, err
		}
	}
	return views, official, problems(unknown)
}

// unwrap cuts what saving from a wrapper put before a name.
func unwrap(name string) string {
	for {
		cut := name
		for _, w := range wrappers {
			if rest, ok := strings.CutPrefix(cut, w); ok {
				cut = rest
			}
		}
		if cut == name {
			return name
		}
		name = cut
	}
}

// recognise refuses files of other networks by their name.
func recognise(names map[string]string, official bool) error {
	for name := range names {
		for _, clip := range clipNames {
			if strings.HasSuffix(name, clip) {
				return fmt.Errorf("%w: this is a CLIP model (it has %q), not a GroupViT", ErrWeights, name)
			}
		}
	}
	if official {
		return nil
	}
	for name := range names {
		if strings.HasPrefix(name, "vision_model.") || strings.HasPrefix(name, "local_model.") {
			return nil
		}
	}
	example := "it has no tensors"
	for _, name := range slices.Sorted(maps.Keys(names)) {
		example = fmt.Sprintf("it has tensors such as %q", name)
		break
	}
	return fmt.Errorf("%w: not a GroupViT: %s, and none that starts with \"vision_model.\" or \"img_encoder.\"", ErrWeights, example)
}

// match finds the rule of an official name and fills in the port's.
func match(name string) (r rule, port string, ok bool) {
	parts := strings.Split(name, ".")
	for _, r := range rules {
		numbers, last, fits := fit(strings.Split(r.official, "."), parts)
		if fits {
			return r, fill(r.port, numbers, last), true
		}
	}
	return rule{}, "", false
}

// fit compares the parts of a name with a rule's pattern: the numbers that stand
// for #, and the part that stands for *.
func fit(pattern, parts []string) (numbers []string, last string, fits bool) {
	if len(pattern) != len(parts) {
		return nil, "", false
	}
	for i, p := range pattern {
		switch {
		case p == "#" && isNumber(parts[i]):
			numbers = append(numbers, parts[i])
		case p == "*":
			last = parts[i]
		case p != parts[i]:
			return nil, "", false
		}
	}
	return numbers, last, true
}

// fill puts numbers and a last part into a rule's pattern.
func fill(pattern string, numbers []string, last string) string {
	name := strings.Replace(pattern, "*", last, 1)
	for _, n := range numbers {
		name = strings.Replace(name, "#", n, 1)
	}
	return name
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 3 && strings.Trim(s, "0123456789") == "" && (s == "0" || s[0] != '0')
}

// apply adds what a rule makes of one tensor.
func (r rule) apply(views map[string]view, port string, v view) error {
	if n := len(v.shape); r.squeeze && n == 3 && v.shape[2] == 1 {
		v.shape = v.shape[:2]
	}
	if !r.split {
		views[port] = v
		return nil
	}
	if len(v.shape) == 0 || v.shape[0]%3 != 0 {
		return fmt.Errorf("%w: tensor %q: its first axis must be three equal parts, the shape is %v", ErrWeights, v.name, v.shape)
	}
	v.shape, v.parts = slices.Clone(v.shape), 3
	v.shape[0] /= 3
	for i, letter := range []string{"q", "k", "v"} {
		v.part = i
		views[strings.Replace(port, "?", letter, 1)] = v
	}
	return nil
}

// check compares what a file of size bytes has with what is wanted: names,
// shapes, and whether all of it fits. (In a torch file many tensors may lie in the
// same few bytes, so that a small file could claim a model larger than memory.)
func check(size int64, views map[string]view, params []network.Param) error {
	const smallest = 2 // bytes of an element, F16 or BF16
	var wrong []string
	wanted, need := map[string]bool{}, int64(0)
	for _, p := range params {
		wanted[p.Name] = true
		v, ok := views[p.Name]
		if ok {
			need += smallest * int64(p.Size())
		}
		switch {
		case !ok && !p.Optional:
			wrong = append(wrong, fmt.Sprintf("tensor %q is missing, expected with shape %v", p.Name, p.Shape))
		case ok && !sameShape(v.shape, p.Shape):
			wrong = append(wrong, fmt.Sprintf("tensor %q has shape %v, expected %v%s", p.Name, v.shape, p.Shape, called(v, p.Name)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(views)) {
		if !wanted[name] {
			wrong = append(wrong, fmt.Sprintf("tensor %q (shape %v) is not part of this configuration%s", name, views[name].shape, called(views[name], name)))
		}
	}
	if err := problems(wrong); err != nil {
		return err
	}
	if need > size {
		return fmt.Errorf("%w: its tensors have at least %d bytes and the file %d: tensors share their bytes", ErrWeights, need, size)
	}
	return nil
}

// load reads every tensor of the configuration from a file of size bytes, after
// all have been checked.
func load(s source, size int64, views map[string]view, c network.Config) (map[string][]float32, error) {
	params := c.Params()
	if err := check(size, views, params); err != nil {
		return nil, err
	}
	tensors := make(map[string][]float32, len(params))
	whole := map[string][]float32{} // tensors of which parts are used
	for _, p := range params {
		v, ok := views[p.Name]
		if !ok {
			tensors[p.Name] = p.Initial(0)
			continue
		}
		values, ok := whole[v.name]
		if !ok {
			var err error
			if values, err = s.floats(v.name); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrWeights, err)
			}
		}
		if v.parts > 1 {
			whole[v.name] = values
		}
		n := len(values) / v.parts
		if n != p.Size() {
			return nil, fmt.Errorf("%w: tensor %q has %d values, expected %d", ErrWeights, v.name, n, p.Size())
		}
		tensors[p.Name] = values[v.part*n : (v.part+1)*n : (v.part+1)*n]
	}
	return tensors, nil
}

// sameShape holds one number for a scalar whether it has an axis or not.
func sameShape(found, want []int) bool {
	return slices.Equal(found, want) || len(want) == 0 && len(found) == 1 && found[0] == 1
}

func called(v view, name string) string {
	if v.name == name {
		return ""
	}
	return fmt.Sprintf(" (it is %q in the file)", v.name)
}

// problems makes one error of many, naming the first few.
func problems(list []string) error {
	const shown = 8
	if len(list) == 0 {
		return nil
	}
	errs := []error{ErrWeights}
	for _, p := range list[:min(len(list), shown)] {
		errs = append(errs, errors.New(p))
	}
	if more := len(list) - shown; more > 0 {
		errs = append(errs, fmt.Errorf("and %d more", more))
	}
	return listError(errs)
}

// listError joins errors in one line.
type listError []error

func (l listError) Error() string {
	texts := make([]string, len(l)-1)
	for i, err := range l[1:] {
		texts[i] = err.Error()
	}
	return l[0].Error() + ": " + strings.Join(texts, "; ")
}

func (l listError) Unwrap() []error { return l }

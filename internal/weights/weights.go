// Package weights reads and writes models: directories in Hugging Face's layout
// (config.json, model.safetensors or pytorch_model.bin, tokenizer files,
// preprocessor_config.json) and the official code's .pth files. Whatever a file
// calls its tensors, a [Model] has them under network's names, all of them, each
// in the shape that the configuration says; anything else is an error that names
// the tensor.
package weights

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/groupvit/groupvit/internal/limits"
	"github.com/groupvit/groupvit/internal/network"
)

// ErrWeights is wrapped by every error about a file that is no usable
// checkpoint of a GroupViT.
var ErrWeights = errors.New("bad weights")

// Names of the files of a model directory.
const (
	ConfigFile       = "config.json"
	WeightsFile      = "model.safetensors"
	TorchFile        = "pytorch_model.bin"
	PreprocessorFile = "preprocessor_config.json"
	// ProcessorFile may hold what PreprocessorFile does, below image_processor.
	ProcessorFile = "processor_config.json"
	// StateFile belongs to a training checkpoint and is no part of the model.
	StateFile = "state.json"
)

// tokenizerFiles are passed through as bytes: package bpe reads them.
var tokenizerFiles = []string{"tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"}

// ImageNet's mean and deviation of RGB pixels in [0, 1]: the official
// normalisation, and what stands in for a missing preprocessor_config.json.
var (
	ImageNetMean = [3]float32{0.485, 0.456, 0.406}
	ImageNetStd  = [3]float32{0.229, 0.224, 0.225}
)

// Model is a checkpoint in memory.
type Model struct {
	// Config is the network's configuration.
	Config network.Config
	// Tensors holds every tensor of Config.Params by name, row-major.
	Tensors map[string][]float32
	// TokenizerFiles holds those of tokenizer.json, vocab.json, merges.txt,
	// tokenizer_config.json, special_tokens_map.json that there are.
	TokenizerFiles map[string][]byte
	// Mean and Std normalise pixels: (x/255 − mean)/std.
	Mean, Std [3]float32
	// Preprocess is how the directory says that a photo is resized and cut; nil where
	// it says nothing.
	Preprocess *Preprocess
	// Extra holds other small JSON files of the directory by name.
	Extra map[string][]byte
	// SHA256 is the hash of the weight file, in hexadecimal.
	SHA256 string
	// Source is the path that was opened.
	Source string
}

// Open reads a model from a Hugging Face directory, a .safetensors file or
// pytorch_model.bin in such a directory, or an official .pth file, whose
// configuration is read off the shapes of its tensors. What a file is decides
// its content, not its name.
//
// Errors wrap [ErrWeights], [network.ErrConfig] or [limits.ErrTooLarge], or are
// the file system's.
func Open(name string) (*Model, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	var m *Model
	if info.IsDir() {
		m, err = OpenFS(os.DirFS(name), ".")
	} else {
		m, err = openFile(os.DirFS(filepath.Dir(name)), ".", filepath.Base(name))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	m.Source = name
	return m, nil
}

// OpenFS reads a model directory of a file system. Weights that are split into
// several files are read by their index (model.safetensors.index.json).
func OpenFS(fsys fs.FS, dir string) (*Model, error) {
	for _, name := range []string{WeightsFile, WeightsFile + indexSuffix, TorchFile, TorchFile + indexSuffix} {
		if _, err := fs.Stat(fsys, path.Join(dir, name)); err == nil {
			return openFile(fsys, dir, name)
		}
	}
	return nil, noWeights(fsys, dir)
}

// noWeights is the error of a directory without weights that are read here, and says
// what it has in their place.
func noWeights(fsys fs.FS, dir string) error {
	entries, _ := fs.ReadDir(fsys, dir)
	for _, e := range entries {
		switch name := e.Name(); {
		case (name == WeightsFile || name == TorchFile) && e.Type()&fs.ModeSymlink != 0:
			return fmt.Errorf("%w: %s is a link to a file that is not there, as in a copy of one folder of the Hub's cache: copy the whole model (models--OWNER--NAME), or fetch it with `groupvit model pull`", ErrWeights, name)
		case strings.HasSuffix(name, ".incomplete") || strings.HasSuffix(name, ".part") || strings.HasSuffix(name, ".crdownload"):
			return fmt.Errorf("%w: the directory has neither %s nor %s, but %s, which an interrupted download left: fetch the model again", ErrWeights, WeightsFile, TorchFile, name)
		case name == "tf_model.h5" || name == "flax_model.msgpack":
			return fmt.Errorf("%w: the directory has neither %s nor %s, but %s of another framework, which is not read: save it with PyTorch", ErrWeights, WeightsFile, TorchFile, name)
		}
	}
	return fmt.Errorf("%w: the directory has neither %s nor %s", ErrWeights, WeightsFile, TorchFile)
}

// openFile reads the weight file name, or the files of an index of that name, and
// what stands beside it in dir.
func openFile(fsys fs.FS, dir, name string) (*Model, error) {
	files, err := openWeights(fsys, dir, name)
	defer files.closeAll()
	if err != nil {
		return nil, err
	}
	views, official, err := arrange(files)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	m := &Model{Mean: ImageNetMean, Std: ImageNetStd, Source: path.Join(dir, name), SHA256: files.sum()}
	if err := m.configure(fsys, dir, views, official); err != nil {
		return nil, err
	}
	if m.Tensors, err = load(files, files.size, views, m.Config); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if !official {
		if err := m.readExtras(fsys, dir); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// configure reads config.json, or reads the configuration off the shapes where
// there is none. An official file never belongs to the config.json beside it.
func (m *Model) configure(fsys fs.FS, dir string, views map[string]view, official bool) error {
	data, err := readSmall(fsys, path.Join(dir, ConfigFile), limits.ConfigBytes)
	switch {
	case official || errors.Is(err, fs.ErrNotExist):
		m.Config, err = infer(views)
		return err
	case err != nil:
		return err
	}
	if m.Config, err = network.ParseConfig(data); err != nil {
		return err
	}
	if _, ok := views[network.NounLogitScale]; ok {
		m.Config.NounLoss = true
	}
	return nil
}

// readExtras reads the tokenizer, the normalisation, and other small files.
func (m *Model) readExtras(fsys fs.FS, dir string) error {
	known := map[string]bool{ConfigFile: true, PreprocessorFile: true, StateFile: true, WeightsFile + indexSuffix: true, TorchFile + indexSuffix: true}
	for _, name := range tokenizerFiles {
		known[name] = true
		b, err := readSmall(fsys, path.Join(dir, name), limits.TokenizerBytes)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if m.TokenizerFiles == nil {
			m.TokenizerFiles = map[string][]byte{}
		}
		m.TokenizerFiles[name] = b
	}
	if err := m.readPreprocessor(fsys, dir); err != nil {
		return err
	}
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") || known[e.Name()] || len(m.Extra) == maxExtra {
			continue
		}
		info, err := fs.Stat(fsys, path.Join(dir, e.Name())) // of what a link points to, as the Hub's cache has them
		if err != nil || !info.Mode().IsRegular() || info.Size() > limits.ConfigBytes {
			continue
		}
		b, err := readRaw(fsys, path.Join(dir, e.Name()), limits.ConfigBytes)
		if err != nil {
			continue // nobody asked for it
		}
		if m.Extra == nil {
			m.Extra = map[string][]byte{}
		}
		m.Extra[e.Name()] = b
	}
	return nil
}

// maxExtra is the number of other files that are kept.
const maxExtra = 16

// readSmall reads a file of a model's directory that is at most limit bytes. What
// obviously stands in the place of such a file is an error.
func readSmall(fsys fs.FS, name string, limit int64) ([]byte, error) {
	b, err := readRaw(fsys, name, limit)
	if err != nil {
		return nil, err
	}
	if what := foreign(b[:min(len(b), foreignBytes)], int64(len(b))); what != "" {
		return nil, fmt.Errorf("%w: %s is %s", ErrWeights, name, what)
	}
	return b, nil
}

func readRaw(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, limits.Check("the size in bytes", name, int64(len(b)), limit, "it cannot belong to a GroupViT")
}

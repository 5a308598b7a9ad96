package photos

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/mask"
)

// cocoEnding ends the COCO files of single photos.
const cocoEnding = ".coco.json"

func NewJoinCommand(env *command.Environment) *cobra.Command {
	j := &joining{env: env}
	cmd := &cobra.Command{
		Use:   "join PATH…",
		Short: "Join the COCO files of many photos into one",
		Long: `Join the COCO files of many photos into one, as training programs read it. PATH is
what segment --format coco has written: a folder (with all *.coco.json below it), an
output tar, or a file. Memory does not grow with their number.

Photos and regions are numbered anew; labels of one name become one category. A file
that cannot be read is told and left out: exit code 3.`,
		Example: `  groupvit segment --manifest photos.txt --labels "dog,grass" --format coco -o masks
  groupvit join masks -o instances.json

  # The tars of sixteen workers; regions as polygons
  groupvit join masks-*-of-16.tar --polygons -o instances.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return j.run(cmd.Context(), args) },
	}
	cmd.Flags().StringVarP(&j.out, "output", "o", "instances.json", "file to write")
	cmd.Flags().BoolVar(&j.polygons, "polygons", false, "write regions as polygons instead of run lengths")
	return cmd
}

type joining struct {
	env      *command.Environment
	out      string
	polygons bool

	ctx    context.Context
	joiner *mask.COCOJoiner
	failed int
}

func (j *joining) run(ctx context.Context, paths []string) error {
	j.ctx = ctx
	err := command.WriteFile(j.out, func(w io.Writer) error { return j.join(w, paths) })
	if err != nil {
		return err
	}
	images, annotations := j.joiner.Counts()
	j.env.Warn("%s: %d photos, %d regions", j.out, images, annotations)
	if j.failed > 0 {
		return fmt.Errorf("%d files could not be read: %w", j.failed, command.ErrPartial)
	}
	return nil
}

// join writes the joined file. Annotations lie in a scratch file beside it meanwhile,
// where there is room for them.
func (j *joining) join(w io.Writer, paths []string) (err error) {
	dir := filepath.Dir(j.out)
	if info, statErr := os.Stat(j.out); statErr == nil && !info.Mode().IsRegular() {
		dir = "" // a pipe: the system's folder
	}
	scratch, err := os.CreateTemp(dir, command.Temporary+"*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, scratch.Close(), os.Remove(scratch.Name())) }()
	j.joiner = mask.NewCOCOJoiner(w, scratch)
	j.joiner.Polygons = j.polygons
	for _, path := range paths {
		if err := j.path(path); err != nil {
			return err
		}
	}
	if images, _ := j.joiner.Counts(); images == 0 {
		return fmt.Errorf("there is no readable *%s in what was named: segment writes them with --format coco", cocoEnding)
	}
	return j.joiner.Close()
}

// path takes in a folder, a tar or a file.
func (j *joining) path(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, cocoEnding) {
				return err
			}
			return j.file(name)
		})
	case strings.HasSuffix(path, ".tar"):
		return j.tar(path)
	}
	return j.file(path)
}

func (j *joining) file(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return j.add(name, f)
}

func (j *joining) tar(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if h.Typeflag == tar.TypeReg && strings.HasSuffix(h.Name, cocoEnding) {
			if err := j.add(name+"/"+h.Name, r); err != nil {
				return err
			}
		}
	}
}

// add takes in one file. A bad one is told and counted; its errors are the output's.
func (j *joining) add(name string, r io.Reader) error {
	if err := j.ctx.Err(); err != nil {
		return fmt.Errorf("interrupted: %w", err)
	}
	c, err := mask.ReadCOCO(r)
	if err == nil {
		err = j.joiner.Add(c)
	}
	if errors.Is(err, mask.ErrFormat) || errors.Is(err, mask.ErrSize) || errors.Is(err, mask.ErrTooLarge) {
		j.failed++
		j.env.Warn("%s: %v", name, err)
		return nil
	}
	return err
}

package experiment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Write puts the report into a page of Markdown, in place of what an earlier call
// wrote of the same experiment and scale, or at the end; pictures are copied from
// folder into images/ beside the page. The rest of the page stays as it is, byte for
// byte. A page that is not there is begun.
func (r *Report) Write(page, folder string) error {
	text, err := os.ReadFile(page)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("page: %w", err)
	}
	images := filepath.Join(filepath.Dir(page), "images")
	prefix := fmt.Sprintf("experiment-%s-%s-", r.Name, r.Scale)
	written, err := replaceSection(string(text), r.Name+" "+r.Scale, r.Markdown("images/"+prefix))
	if err != nil {
		return fmt.Errorf("page %s: %w", page, err)
	}
	if len(r.Pictures) > 0 {
		if err := os.MkdirAll(images, 0o777); err != nil {
			return fmt.Errorf("page: %w", err)
		}
	}
	for _, p := range r.Pictures {
		content, err := os.ReadFile(filepath.Join(folder, p.File))
		if err == nil {
			err = writeFile(filepath.Join(images, prefix+p.File), content)
		}
		if err != nil {
			return fmt.Errorf("page: %w", err)
		}
	}
	if err := writeFile(page, []byte(written)); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return nil
}

// replaceSection puts a section between its markers, or appends both.
func replaceSection(page, name, section string) (string, error) {
	begin := fmt.Sprintf("<!-- experiment %s: written by the command, begin -->\n", name)
	end := fmt.Sprintf("<!-- experiment %s: end -->\n", name)
	block := begin + section + end
	from, to := strings.Index(page, begin), strings.Index(page, end)
	switch {
	case from < 0 && to < 0:
		if page != "" {
			page = strings.TrimRight(page, "\n") + "\n\n"
		}
		return page + block, nil
	case from < 0 || to < from || strings.Count(page, begin) > 1 || strings.Count(page, end) > 1:
		return "", fmt.Errorf("the markers of experiment %s do not stand once each, the first before the last: mend or remove them", name)
	}
	return page[:from] + block + page[to+len(end):], nil
}

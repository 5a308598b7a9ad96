package photos

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/groupvit/groupvit"
	"github.com/groupvit/groupvit/internal/batch"
	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/output"
)

// settings are all that the results of a job depend on, beside the photos. An option
// that changes a result belongs here.
func (f *segmentFlags) settings(j *segmentJob) (batch.Settings, error) {
	protocol := cmp.Or(j.options.Protocol, j.model.DefaultProtocol())
	quality := ""
	if protocol.HasTechniques() {
		quality = string(cmp.Or(j.options.Quality, groupvit.BestQuality))
	}
	calibration, err := hashOfFile(f.techniques.Calibration)
	if err != nil {
		return nil, err
	}
	shortSide := ""
	if f.shortSide > 0 {
		shortSide = strconv.Itoa(f.shortSide)
	}
	ids := ""
	if j.ids != nil {
		ids = strings.Trim(fmt.Sprint(j.ids), "[]")
	}
	labels := strings.Join(j.labels, ", ")
	if j.proposed != nil {
		labels = fmt.Sprintf("%s, at most %d with a score of %g", command.AutoLabels, j.proposed.Top, j.proposed.Least)
	}
	s := batch.Settings{
		{Name: "labels", Value: labels},
		{Name: "format", Value: strings.Join(output.Names(j.files), ", ")},
		{Name: "model sha256", Value: j.model.Info().SHA256},
		{Name: "model settings sha256", Value: hashOf(j.model.Settings())},
		{Name: "calibration sha256", Value: calibration},
		{Name: "protocol", Value: string(protocol)},
		{Name: "quality", Value: quality},
		{Name: "with", Value: f.techniques.With},
		{Name: "background", Value: j.options.Background.String()},
		{Name: "templates", Value: f.templates},
		{Name: "short side", Value: shortSide},
		{Name: "label ids", Value: ids},
		{Name: "root", Value: j.places.root},
		{Name: "engine", Value: j.model.Engine()},
	}
	// Newer ones are left out where they are not used, so that runs of earlier versions
	// of the program go on.
	if j.keepSpecks {
		s = append(s, batch.Setting{Name: "min area", Value: j.options.MinArea.String()})
	}
	if j.instances {
		s = append(s, batch.Setting{Name: "instances", Value: "yes"})
	}
	return s, nil
}

// hashOf is the SHA-256 of some bytes; "" of none.
func hashOf(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// hashOfFile is [hashOf] for a small file; "" for no name.
func hashOfFile(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	b, err := os.ReadFile(name)
	return hashOf(b), err
}

// otherSettings says what to do about an output that holds the results of other
// settings.
func otherSettings(out string, err error, remedy string) error {
	return fmt.Errorf("%s: %w; %s", out, err, remedy)
}

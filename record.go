package groupvit

// Record is what is kept of an answer without its pixels: the JSON of the command
// and of the server.
type Record struct {
	// Photo names it; Width and Height are its own size in pixels.
	Photo      string    `json:"photo"`
	Width      int       `json:"width"`
	Height     int       `json:"height"`
	Model      Info      `json:"model"`
	Protocol   Protocol  `json:"protocol"`
	Background string    `json:"background"`
	Segments   []Segment `json:"segments"`
	// Seconds is how long the answer took.
	Seconds float64  `json:"seconds"`
	Labels  []string `json:"labels"`
	Report  Report   `json:"report"`
	// RareWords are labels that the model hardly met in training.
	RareWords []RareWord `json:"rare_words,omitempty"`
}

// Record makes the record of an answer about a photo of width × height pixels.
func (m *Model) Record(photo string, width, height int, s *Segmentation, seconds float64) Record {
	return Record{
		Photo: photo, Width: width, Height: height, Model: m.Info(), Protocol: s.Report.Protocol,
		Background: s.Report.Background, Segments: s.Segments, Seconds: seconds, Labels: s.Labels,
		Report: s.Report, RareWords: s.RareWords,
	}
}

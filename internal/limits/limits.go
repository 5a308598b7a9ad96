// Package limits holds every cap on what comes from outside the program:
// photographs, checkpoints, shards, captions, labels. Each parser asks here
// before it allocates, so that a reader of SECURITY.md can check every promise
// in one place.
package limits

import (
	"errors"
	"fmt"
)

// ErrTooLarge is wrapped by every error that a cap of this package causes.
var ErrTooLarge = errors.New("larger than the limit")

// Caps on photographs.
const (
	// ImageBytes is the largest encoded photograph that is read, in bytes.
	ImageBytes = 64 << 20
	// ImagePixels is the largest photograph that is decoded, in pixels
	// (width times height), checked from the header before any pixel is
	// allocated.
	ImagePixels = 50_000_000
	// MostPixels is the largest photo that a user can allow instead. A run needs some 25
	// bytes for each pixel.
	MostPixels = 400_000_000
	// ImageSide is the longest side of a photograph, in pixels.
	ImageSide = 32_768
	// JPEGScans is the largest number of scans of a JPEG. Encoders write ten or
	// so; each costs time for every pixel, whatever its length.
	JPEGScans = 100
)

// HEIFProperties is the largest number of properties of a HEIC's or AVIF's pictures.
const HEIFProperties = 4096

// Caps on TIFF.
const (
	// TIFFEntries is the largest number of entries of a directory, TIFFSegments that of
	// strips or tiles, TIFFSamples that of samples (bands) of a pixel.
	TIFFEntries  = 4096
	TIFFSegments = 1 << 22
	TIFFSamples  = 1024
	// TIFFBytes is the largest size of all samples, before compression; they are read
	// strip by strip. TIFFSparse is that of pictures with tiles that take no bytes.
	TIFFBytes  = 1 << 30
	TIFFSparse = 256 << 20
	// TIFFTables is the largest set of tables that its JPEG data shares.
	TIFFTables = 64 << 10
)

// Caps on words.
const (
	// Labels is the largest number of labels of one request.
	Labels = 256
	// LabelBytes is the longest label, in bytes of UTF-8.
	LabelBytes = 1024
	// CaptionBytes is the longest caption that is read, in bytes; a longer
	// one is cut at a rune before it is tokenised.
	CaptionBytes = 64 << 10
)

// Caps on files of a model.
const (
	// ConfigBytes is the largest JSON file of a model directory.
	ConfigBytes = 1 << 20
	// TokenizerBytes is the largest tokenizer file.
	TokenizerBytes = 32 << 20
	// WeightsBytes is the largest weight file.
	WeightsBytes = 8 << 30
	// SafetensorsHeader is the largest safetensors header, in bytes.
	SafetensorsHeader = 16 << 20
	// Tensors is the largest number of tensors in a weight file.
	Tensors = 65_536
	// TensorElements is the largest number of elements of one tensor.
	TensorElements = 1 << 30
	// PickleOps is the largest number of pickle operations in a checkpoint.
	PickleOps = 8 << 20
	// PickleBytes is the largest pickle program inside a checkpoint.
	PickleBytes = 64 << 20
)

// Caps on what a model makes of a photo. They bound options, and the eval.json
// of a model.
const (
	// SeenSide is the longest side, in pixels, that a photo's short side is
	// resized to, and the largest window.
	SeenSide = 4096
	// Windows is the largest number of windows of one photo.
	Windows = 1024
	// WindowPatches is the largest number of patches of one window: attention
	// needs memory with their square.
	WindowPatches = 16_384
	// Scores is the largest number of class scores of one photo (1 GiB of
	// float32), both at the size it is seen and at its own.
	Scores = 1 << 28
	// Instances is the largest number of connected parts of one photo.
	Instances = 10_000
	// Templates is the largest number of prompts a label may have.
	Templates = 256
)

// Caps on training data.
const (
	// ShardMember is the largest file inside a tar shard, in bytes.
	ShardMember = 64 << 20
	// PackedRatio is how many times longer a compressed shard may become.
	PackedRatio = 200
	// SampleBytes is the largest sample (all members with one key), in bytes.
	SampleBytes = 96 << 20
	// Captions is the largest number of captions of one sample.
	Captions = 1024
	// LabelMapPixels is the largest label map of a sample, in pixels.
	LabelMapPixels = 64 << 20
	// Shards is the largest number of shards a pattern may expand to.
	Shards = 1 << 20
	// TableRow is the longest row of a CSV file, in bytes; TableRows the largest
	// number of rows of a table.
	TableRow  = 1 << 20
	TableRows = 1 << 27
	// TableText is the most text that tables may hold in memory, in bytes.
	TableText = 8 << 30
	// ParquetFooter is the largest footer of a Parquet file, ParquetPage the
	// largest page, uncompressed, both in bytes; ParquetValues the largest number of
	// values of a page, ParquetColumns that of columns. ParquetMemory is the most
	// that lists of the footer take once they are decoded, in bytes, and
	// ParquetRowsPerByte how many rows a byte of the file may stand for.
	ParquetFooter      = 16 << 20
	ParquetMemory      = 256 << 20
	ParquetRowsPerByte = 8
	ParquetPage        = 256 << 20
	ParquetValues      = 1 << 24
	ParquetColumns     = 4096
	// VocabularyBytes is the largest vocabulary file, VocabularyWords the largest
	// number of words of one, VocabularyNames that of synonyms and exceptions of a
	// word.
	VocabularyBytes = 4 << 20
	VocabularyWords = 1024
	VocabularyNames = 1024
	// LabelRecordBytes is the largest file that says what made labelled shards.
	LabelRecordBytes = 16 << 20
	// RecipeBytes is the largest recipe file.
	RecipeBytes = 1 << 20
	// RecipeDepth is the longest chain of recipes that inherit.
	RecipeDepth = 16
)

// Caps on benchmark datasets.
const (
	// DatasetListBytes is the largest list of a dataset's photos.
	DatasetListBytes = 64 << 20
	// DatasetPhotos is the largest number of photos of one dataset.
	DatasetPhotos = 1 << 20
	// DoneBytes is the largest file that keeps what a measurement has done.
	DoneBytes = 4 << 30
	// ReportBytes is the largest report of a measurement that is read.
	ReportBytes = 1 << 30
	// AnnotationBytes is the largest file of annotations (COCO's instances of
	// 118,287 photos have 450 million).
	AnnotationBytes = 1 << 30
	// MatBytes is the largest MATLAB file, and the largest data inside, in bytes.
	MatBytes = 64 << 20
	// Classes is the largest number of classes of a measurement of whole photos.
	Classes = 65_536
)

// Caps on runs over many photos.
const (
	// Workers is the largest number of workers that share a run.
	Workers = 1_000_000
	// PathBytes is the longest path of a list of photos, in bytes.
	PathBytes = 4096
	// LogLine is the longest line of a done-log, in bytes.
	LogLine = 256 << 10
	// SettingsBytes is the largest record of a run's settings, in bytes: every label
	// with its synonyms.
	SettingsBytes = 16 << 20
)

// Error says what was too large, for which input, and how to mend it. It wraps
// [ErrTooLarge].
type Error struct {
	// What was measured, as "number of pixels", of which Input.
	What, Input string
	Got, Limit  int64
	// Mend says how to mend it.
	Mend string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s is %d, the limit is %d: %v; %s", e.Input, e.What, e.Got, e.Limit, ErrTooLarge, e.Mend)
}

// Unwrap returns [ErrTooLarge].
func (e *Error) Unwrap() error { return ErrTooLarge }

// Check returns an [Error] when got exceeds limit. The message says what was
// measured, for which input, and how to mend it.
func Check(what, input string, got, limit int64, mend string) error {
	if got >= 0 && got <= limit {
		return nil
	}
	return &Error{What: what, Input: input, Got: got, Limit: limit, Mend: mend}
}

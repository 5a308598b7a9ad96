package bpe

import (
	"strings"
	"unicode/utf8"
)

// windows1252 is what the bytes 0x80 to 0x9f are in windows-1252; the five that
// it leaves open stand for themselves.
var windows1252 = [32]rune{
	'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8d, 'Ž', 0x8f,
	0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9d, 'ž', 'Ÿ',
}

// windows1252Bytes is the other direction.
var windows1252Bytes = func() map[rune]byte {
	m := make(map[rune]byte, len(windows1252))
	for i, r := range windows1252 {
		m[r] = byte(0x80 + i)
	}
	return m
}()

// misreadByte returns the byte above 0x7f that a character stands for when
// UTF-8 was read as Latin-1 or windows-1252.
func misreadByte(r rune) (byte, bool) {
	if r >= 0x80 && r <= 0xff {
		return byte(r), true
	}
	b, ok := windows1252Bytes[r]
	return b, ok
}

// repairMojibake undoes UTF-8 that was read as Latin-1 or windows-1252, run by
// run: characters that spell valid UTF-8 as bytes become what they spell. A
// single pair of characters is believed only where it starts with Â or Ã, as
// the mojibake of Western European text does; ftfy weighs more, but agrees on
// these.
func repairMojibake(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r >= 0xc2 && r <= 0xf4 }) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		spelled, n := misread(text)
		if n == 0 {
			_, n = utf8.DecodeRuneInString(text)
			spelled = text[:n]
		}
		b.WriteString(spelled)
		text = text[n:]
	}
	return b.String()
}

// misread returns what the run of misread characters at the start of text spells
// and how long the run is; 0 when there is no run to believe.
func misread(text string) (spelled string, length int) {
	var raw []byte
	sequences, convincing := 0, false
	for {
		sequence, n := misreadSequence(text[length:])
		if n == 0 {
			break
		}
		raw = append(raw, sequence...)
		length += n
		sequences++
		convincing = convincing || len(sequence) > 2 || sequence[0] == 0xc2 || sequence[0] == 0xc3
	}
	if !convincing && sequences < 2 {
		return "", 0
	}
	return string(raw), length
}

// misreadSequence returns the UTF-8 bytes of one character that the characters
// at the start of text spell, and their length in text.
func misreadSequence(text string) (sequence []byte, length int) {
	want := 1
	for len(sequence) < want {
		r, n := utf8.DecodeRuneInString(text[length:])
		b, ok := misreadByte(r)
		if !ok {
			return nil, 0
		}
		if len(sequence) == 0 {
			switch {
			case b >= 0xc2 && b <= 0xdf:
				want = 2
			case b >= 0xe0 && b <= 0xef:
				want = 3
			case b >= 0xf0 && b <= 0xf4:
				want = 4
			default:
				return nil, 0
			}
		}
		sequence = append(sequence, b)
		length += n
	}
	if r, n := utf8.DecodeRune(sequence); r == utf8.RuneError || n != want {
		return nil, 0
	}
	return sequence, length
}

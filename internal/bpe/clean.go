package bpe

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// clean prepares a text as OpenAI's code does: repair, HTML entities, one space
// for every run of white space, lower case.
func clean(text string) string {
	if lowered, ok := cleanPlain(text); ok {
		return lowered
	}
	text = repair(strings.ToValidUTF8(text, "\uFFFD"))
	text = html.UnescapeString(html.UnescapeString(text))
	return lower(strings.Join(strings.FieldsFunc(text, isSpace), " "))
}

// cleanPlain cleans the usual text, printable ASCII without an ampersand, and
// says whether the text is of that kind. White space is left for the splitter,
// which skips it, except that other white space than " " makes a text unusual.
func cleanPlain(text string) (string, bool) {
	upper := false
	for i := range len(text) {
		b := text[i]
		if b < ' ' || b >= 0x7f || b == '&' {
			return "", false
		}
		upper = upper || 'A' <= b && b <= 'Z'
	}
	if upper {
		text = strings.ToLower(text)
	}
	return text, true
}

// isSpace is Python's idea of white space.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// lower is Python's str.lower: as unicode.ToLower, but İ becomes i and a
// combining dot, and a sigma at the end of a word becomes ς.
func lower(text string) string {
	if !strings.ContainsAny(text, "İΣ") {
		return strings.ToLower(text)
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == 'İ':
			b.WriteString("i\u0307")
		case r == 'Σ' && endsWithCased(text[:i]) && !startsWithCased(text[i+len("Σ"):]):
			b.WriteRune('ς')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// endsWithCased says whether the last character that is not ignorable for
// casing has a case (Unicode, Final_Sigma).
func endsWithCased(text string) bool {
	for len(text) > 0 {
		r, n := utf8.DecodeLastRuneInString(text)
		if !caseIgnorable(r) {
			return cased(r)
		}
		text = text[:len(text)-n]
	}
	return false
}

func startsWithCased(text string) bool {
	for _, r := range text {
		if !caseIgnorable(r) {
			return cased(r)
		}
	}
	return false
}

func cased(r rune) bool {
	return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r) ||
		unicode.In(r, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

func caseIgnorable(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) ||
		strings.ContainsRune("'.:··՟״‘’․‧︓﹒﹕＇．：", r)
}

// repair applies the rules of ftfy that the package's documentation lists,
// line by line and each line until nothing changes.
func repair(text string) string {
	entities := true
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		entities = entities && !strings.Contains(line, "<")
		// Every rule but the unescaping of entities only shortens or
		// settles the text, and unescaping shortens it; the bound is
		// there all the same.
		for range 64 {
			fixed := repairOnce(line, entities)
			if fixed == line {
				break
			}
			line = fixed
		}
		lines[i] = line
	}
	return strings.Join(lines, "")
}

func repairOnce(line string, entities bool) string {
	if entities {
		line = unescapeStrict(line)
	}
	line = repairMojibake(line)
	line = strings.NewReplacer("\r\n", "\n").Replace(line)
	var b strings.Builder
	b.Grow(len(line))
	for _, r := range line {
		writeRepaired(&b, r)
	}
	line = withoutControls(withoutEscapes(b.String()))
	return norm.NFC.String(line)
}

// unescapeStrict replaces the entities of a text that end in a semicolon.
func unescapeStrict(text string) string {
	if !strings.Contains(text, "&") {
		return text
	}
	var b strings.Builder
	for {
		at := strings.IndexByte(text, '&')
		if at < 0 {
			break
		}
		b.WriteString(text[:at])
		text = text[at:]
		n := 1
		for n < len(text) && n <= 25 && (isAlphanumeric(text[n]) || n == 1 && text[n] == '#') {
			n++
		}
		if n > 1 && n < len(text) && text[n] == ';' {
			b.WriteString(html.UnescapeString(text[:n+1]))
			text = text[n+1:]
		} else {
			b.WriteByte('&')
			text = text[1:]
		}
	}
	b.WriteString(text)
	return b.String()
}

func isAlphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// writeRepaired writes what becomes of one character.
func writeRepaired(b *strings.Builder, r rune) {
	switch {
	case r < utf8.RuneSelf:
		if r == '\r' {
			r = '\n'
		}
		b.WriteRune(r)
	case r >= 0x80 && r <= 0x9f:
		// Windows-1252 text read as Latin-1. U+0085 is a line break there.
		if fixed := windows1252[r-0x80]; fixed != r {
			writeRepaired(b, fixed)
		} else {
			b.WriteRune(r)
		}
	case r == 0x2028 || r == 0x2029:
		b.WriteByte('\n')
	case r == 0x02bc || r >= 0x2018 && r <= 0x201b:
		b.WriteByte('\'')
	case r >= 0x201c && r <= 0x201f:
		b.WriteByte('"')
	case r == 0x3000:
		b.WriteByte(' ')
	case r >= 0xff01 && r <= 0xffef:
		b.WriteString(norm.NFKC.String(string(r)))
	default:
		if letters, ok := ligatures[r]; ok {
			b.WriteString(letters)
			return
		}
		b.WriteRune(r)
	}
}

// ligatures are Latin characters that stand for two or three letters.
var ligatures = map[rune]string{
	'Ĳ': "IJ", 'ĳ': "ij", 'ŉ': "'n",
	'Ǳ': "DZ", 'ǲ': "Dz", 'ǳ': "dz", 'Ǆ': "DŽ", 'ǅ': "Dž", 'ǆ': "dž",
	'Ǉ': "LJ", 'ǈ': "Lj", 'ǉ': "lj", 'Ǌ': "NJ", 'ǋ': "Nj", 'ǌ': "nj",
	'ﬀ': "ff", 'ﬁ': "fi", 'ﬂ': "fl", 'ﬃ': "ffi", 'ﬄ': "ffl", 'ﬅ': "ſt", 'ﬆ': "st",
}

// withoutEscapes removes a terminal's colour and cursor commands.
func withoutEscapes(text string) string {
	const escape = "\x1b["
	if !strings.Contains(text, escape) {
		return text
	}
	var b strings.Builder
	for {
		at := strings.Index(text, escape)
		if at < 0 {
			break
		}
		b.WriteString(text[:at])
		text = text[at:]
		n := len(escape)
		for n < len(text) && (text[n] == ';' || '0' <= text[n] && text[n] <= '9') {
			n++
		}
		if n < len(text) && ('a' <= text[n] && text[n] <= 'z' || 'A' <= text[n] && text[n] <= 'Z') {
			text = text[n+1:]
		} else {
			b.WriteByte(text[0])
			text = text[1:]
		}
	}
	b.WriteString(text)
	return b.String()
}

// withoutControls removes characters that mean nothing in a text.
func withoutControls(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x09, r == 0x0b, r >= 0x0e && r < ' ', r == 0x7f,
			r >= 0x206a && r <= 0x206f, r == 0xfeff, r >= 0xfff9 && r <= 0xfffc:
			return -1
		}
		return r
	}, text)
}

// Package bpe is CLIP's text tokenizer: byte pair encoding over lower-cased,
// cleaned text (Radford et al., ICML 2021, §2.4), which GroupViT uses
// unchanged.
//
// [CLIP] is the published tokenizer with 49,408 ids; [Truncated] keeps only a
// prefix of the same merges, for small models that cannot afford 49,408
// embeddings. [Load] reads the tokenizer files of a Hugging Face directory and
// [Tokenizer.Save] writes them.
//
// # Cleaning
//
// OpenAI's code repairs text with ftfy, unescapes HTML twice, collapses white
// space and lower-cases by Python's rules. Done here, of ftfy 6.3.1's default
// rules: HTML entities (unless the text has a "<"), C1 controls read as
// windows-1252, Latin ligatures, full- and half-width forms, curly quotes, line
// breaks, terminal escapes, control characters and byte order marks, NFC, and
// repeating them all until nothing changes. Mojibake is repaired in its usual
// form, UTF-8 that was read as Latin-1 or windows-1252 ("schÃ¶n" → "schön"),
// for runs of such characters. Not done: mojibake through other code pages
// (windows-1250, -1251, -1253, -1254, -1257, Mac Roman, cp437), mojibake in
// which bytes were lost, and entities in the wrong case ("&EACUTE;"). Each
// changes only texts with those characters.
//
// With that, all 40 check values of the tests and all 35,000 captions of Flickr8k
// have the ids that OpenAI's tokenizer (PyPI clip-anytorch 2.6.0, ftfy 6.3.1)
// gives them:
//
//	GROUPVIT_DATA=DIR go test ./internal/bpe -run 'CheckValues|TooLong|Flickr8k' -v
//
// The tokenizer of Hugging Face's transformers does none of ftfy's rules, no
// HTML unescaping and no final sigma, so it differs on such texts.
package bpe

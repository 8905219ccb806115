// Package arabic turns Arabic, French and English text into terms for search and matching.
//
// It promises that one word written in its usual variants (with or without the article and its clitics, hamza, ta
// marbuta, tatweel, diacritics, Persian letters, Arabic or Latin digits, singular or a reviewed plural) yields a
// common term, that every term is a plain run of letters and digits which SQLite's unicode61 and PostgreSQL's
// 'simple' split alike, and that every token names the bytes of the source text it came from. Indicators (domains,
// addresses, hashes, defanged or not) stay whole and are also found by their parts.
//
// It is not a morphological analyser, a translator or a validator of indicators, and it does no I/O: it reads strings
// and returns strings. The reviewed lists hold words of this field, not the language.
//
// Start reading at [Fold] (what is the same letter), then [Tokens] (what goes into an index) and [ParseQuery] (what is
// looked for).
package arabic

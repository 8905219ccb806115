package strictoml

// maxNesting is how deep arrays and inline tables may nest, maxKeyParts how many parts a dotted key may have.
// The parser below recurses, so both are checked before it sees the bytes.
const (
	maxNesting  = 16
	maxKeyParts = 8
	maxKeys     = 1000 // in one table, and kinds of sections in a file
)

// deepest returns the offset where brackets outside strings and comments nest deeper than maxNesting, or -1.
// It is a lexer of strings, comments and brackets only; whatever else is wrong is the parser's to say.
func deepest(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '#':
			for i < len(b) && b[i] != '\n' {
				i++
			}
		case '"', '\'':
			i = skipString(b, i)
		case '[', '{':
			if depth++; depth > maxNesting {
				return i
			}
		case ']', '}':
			if depth > 0 {
				depth--
			}
		}
	}
	return -1
}

// skipString returns the offset of the last byte of the string that opens at i.
// An unterminated one-line string ends at its line, so that a stray quote hides nothing after it.
func skipString(b []byte, i int) int {
	quote := b[i]
	if i+2 < len(b) && b[i+1] == quote && b[i+2] == quote {
		for j := i + 3; j < len(b); j++ {
			if quote == '"' && b[j] == '\\' {
				j++
				continue
			}
			if b[j] == quote && j+2 < len(b) && b[j+1] == quote && b[j+2] == quote {
				end := j + 2
				// Up to two quotes may stand before the closing three.
				for end+1 < len(b) && b[end+1] == quote && end < j+4 {
					end++
				}
				return end
			}
		}
		return len(b)
	}
	for j := i + 1; j < len(b); j++ {
		switch {
		case b[j] == '\n':
			return j
		case quote == '"' && b[j] == '\\':
			j++
		case b[j] == quote:
			return j
		}
	}
	return len(b)
}

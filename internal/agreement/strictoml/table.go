package strictoml

import "slices"

// Table is one table of a file. Each getter marks its key as known; [Table.Done] reports the keys nobody asked for.
type Table struct {
	pos     Pos
	log     *Log
	order   []string
	entries map[string]*value
	known   []string
}

func (t *Table) put(key string, v *value) *value {
	if _, ok := t.entries[key]; !ok {
		t.order = append(t.order, key)
	}
	t.entries[key] = v
	return v
}

// Pos is where the table begins.
func (t *Table) Pos() Pos { return t.pos }

// Keys lists the keys in the order of the file.
func (t *Table) Keys() []string { return slices.Clone(t.order) }

// Has says whether the key is there, and marks it as known.
func (t *Table) Has(key string) bool {
	t.known = append(t.known, key)
	return t.entries[key] != nil
}

// At is the place of a key's value, or of the table when the key is absent.
func (t *Table) At(key string) Pos {
	if v := t.entries[key]; v != nil {
		return v.pos
	}
	return t.pos
}

// Fail notes a problem with a key's value.
func (t *Table) Fail(key, remedy, format string, args ...any) {
	t.log.Add(t.At(key), remedy, format, args...)
}

func (t *Table) get(key string, want kind) *value {
	t.known = append(t.known, key)
	v := t.entries[key]
	if v == nil {
		return nil
	}
	if v.kind != want {
		t.log.Add(v.pos, "write "+want.String(), "%q is %s", key, v.kind)
		return nil
	}
	return v
}

// Text returns the text of a key, or "" when it is absent.
func (t *Table) Text(key string) string {
	if v := t.get(key, kindString); v != nil {
		return v.text
	}
	return ""
}

// Need returns the text of a key and notes a problem when it is absent or empty.
func (t *Table) Need(key string) string {
	v := t.get(key, kindString)
	if v == nil {
		if t.entries[key] == nil {
			t.log.Add(t.pos, "add "+key+" = \"…\"", "%q is missing", key)
		}
		return ""
	}
	if v.text == "" {
		t.log.Add(v.pos, "write it, or remove what holds it", "%q is empty", key)
	}
	return v.text
}

// OneOf returns the text of a key, which must be one of the allowed words; absent gives otherwise,
// and an empty otherwise makes the key required.
func (t *Table) OneOf(key, otherwise string, allowed ...string) string {
	v := t.get(key, kindString)
	if v == nil {
		if t.entries[key] == nil && otherwise == "" {
			t.log.Add(t.pos, "add it: one of "+quoteAll(allowed), "%q is missing", key)
		}
		return otherwise
	}
	if !slices.Contains(allowed, v.text) {
		t.log.Add(v.pos, "write one of "+quoteAll(allowed), "%q is not a known %s", v.text, key)
		return otherwise
	}
	return v.text
}

// Int returns a whole number between low and high; absent gives otherwise.
func (t *Table) Int(key string, otherwise, low, high int) int {
	v := t.get(key, kindInt)
	if v == nil {
		return otherwise
	}
	if v.number < int64(low) || v.number > int64(high) {
		t.log.Add(v.pos, "write a number within that range", "%q is %d, not between %d and %d", key, v.number, low, high)
		return otherwise
	}
	return int(v.number)
}

// Bool returns true or false; absent gives otherwise.
func (t *Table) Bool(key string, otherwise bool) bool {
	if v := t.get(key, kindBool); v != nil {
		return v.truth
	}
	return otherwise
}

// Word is a text of a list, with its place.
type Word struct {
	Pos  Pos
	Text string
}

// MaxWords is how many texts one list may have.
const MaxWords = 1000

// Words returns a list of texts, or nil when it is absent.
func (t *Table) Words(key string) []Word {
	v := t.get(key, kindArray)
	if v == nil {
		return nil
	}
	if len(v.items) > MaxWords {
		t.log.Add(v.pos, "shorten it", "%q has %d items, more than %d", key, len(v.items), MaxWords)
		return nil
	}
	words := make([]Word, 0, len(v.items))
	for _, item := range v.items {
		if item.kind != kindString {
			t.log.Add(item.pos, "write text between quotes", "an item of %q is %s", key, item.kind)
			continue
		}
		words = append(words, Word{item.pos, item.text})
	}
	return words
}

// Texts returns the texts of a list without their places.
func (t *Table) Texts(key string) []string {
	words := t.Words(key)
	if words == nil {
		return nil
	}
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.Text
	}
	return texts
}

// Table returns a table, or nil when it is absent.
func (t *Table) Table(key string) *Table {
	if v := t.get(key, kindTable); v != nil {
		return v.table
	}
	return nil
}

// IsText says whether the key's value is text, for values which have a short form and a long one.
func (t *Table) IsText(key string) bool {
	v := t.entries[key]
	return v != nil && v.kind == kindString
}

// Tables returns a list of tables, in the order of the file.
func (t *Table) Tables(key string) []*Table {
	v := t.get(key, kindArray)
	if v == nil {
		return nil
	}
	tables := make([]*Table, 0, len(v.items))
	for _, item := range v.items {
		if item.kind != kindTable {
			t.log.Add(item.pos, "write a table", "an item of %q is %s", key, item.kind)
			continue
		}
		tables = append(tables, item.table)
	}
	return tables
}

// Done reports every key of the table that no getter asked for.
func (t *Table) Done() {
	slices.Sort(t.known)
	t.known = slices.Compact(t.known)
	for _, key := range t.order {
		if _, ok := slices.BinarySearch(t.known, key); ok {
			continue
		}
		remedy := "remove it"
		if !t.log.full() {
			if near := nearest(key, t.known); near != "" {
				remedy = "did you mean " + near + "?"
			}
		}
		t.log.Add(t.entries[key].pos, remedy, "unknown key %q", short(key))
	}
}

// short keeps a key of hostile length out of a message.
func short(s string) string {
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}

func quoteAll(words []string) string {
	out := ""
	for i, w := range words {
		if i > 0 {
			out += ", "
		}
		out += `"` + w + `"`
	}
	return out
}

// nearest returns the known key at an edit distance of at most 2, or "".
func nearest(key string, known []string) string {
	best, bestDistance := "", 3
	for _, k := range known {
		if d := distance(key, k); d < bestDistance && d < len(k) {
			best, bestDistance = k, d
		}
	}
	return best
}

func distance(a, b string) int {
	if len(a) > 40 || len(b) > 40 {
		return 40
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		previous := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := previous
			if a[i-1] != b[j-1] {
				cost++
			}
			previous = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

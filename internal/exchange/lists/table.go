package lists

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mithaq/mithaq/internal/exchange"
)

// What a column may hold besides values of a type.
const (
	columnValue       = "value" // of the type that the column "type" names, or guessed
	columnType        = "type"
	columnName        = "name"
	columnDescription = "description"
	columnConfidence  = "confidence"
	columnLabels      = "labels"
	columnFrom        = "from"
	columnUntil       = "until"
	columnSkip        = "skip"
)

// roles are what headers call columns.
func roles() map[string]string {
	return map[string]string{
		"value": columnValue, "indicator": columnValue, "ioc": columnValue, "observable": columnValue, "indicator-value": columnValue, "ioc-value": columnValue,
		"type": columnType, "indicator-type": columnType, "ioc-type": columnType, "name": columnName, "title": columnName,
		"description": columnDescription, "comment": columnDescription, "comments": columnDescription, "note": columnDescription, "notes": columnDescription,
		"confidence": columnConfidence, "labels": columnLabels, "tags": columnLabels, "tag": columnLabels, "from": columnFrom, "valid-from": columnFrom, "first-seen": columnFrom,
		"until": columnUntil, "valid-until": columnUntil, "expires": columnUntil, "skip": columnSkip,
	}
}

// role is what a column holds by a name in a header or an option; ok is false for a name that says nothing.
func role(name string) (string, bool) {
	key := strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(strings.TrimSpace(name)))
	if r, ok := roles()[key]; ok {
		return r, true
	}
	if key == "" || key == "auto" {
		return columnSkip, false
	}
	if typ, ok := typeOf(key); ok {
		return typ, true
	}
	return columnSkip, false
}

// table reads a table. Its first row is a header when it names a column of values.
func (l *list) table(in io.Reader, comma rune) error {
	r := csv.NewReader(in)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = comma, true, -1, true
	var columns []string
	for first := true; ; {
		row, err := r.Read()
		var broken *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &broken):
			l.report.Read++
			l.report.Lose(fmt.Sprintf("line %d", broken.Line), "%v", broken.Err)
			continue
		case err != nil:
			return err
		}
		line, _ := r.FieldPos(0)
		begin := strings.TrimSpace(row[0])
		if strings.TrimSpace(strings.Join(row, "")) == "" || begin != "" && isComment(begin) {
			continue
		}
		if first {
			first = false
			var header bool
			if columns, header, err = l.columns(row); err != nil {
				return err
			}
			if header {
				continue
			}
		}
		if err := l.row(line, row, columns); err != nil {
			return err
		}
	}
}

// columns tells what each column holds, and whether the row is a header. Nil columns: there is none, values are guessed.
func (l *list) columns(row []string) (columns []string, header bool, err error) {
	columns = make([]string, len(row))
	used := map[string]bool{}
	for i, cell := range row {
		columns[i], _ = role(cell)
		for _, key := range []string{strings.ToLower(strings.TrimSpace(cell)), strconv.Itoa(i + 1)} {
			name, ok := l.opts.Columns[key]
			if !ok {
				continue
			}
			used[key] = true
			if name == "auto" {
				name = columnValue
			}
			if columns[i], ok = role(name); !ok {
				return nil, false, fmt.Errorf("column %s: %q is neither a type of values (%s) nor name, description, confidence, labels, from, until or skip", key, exchange.Clip(name), strings.Join(Types(), ", "))
			}
			header = header || key != strconv.Itoa(i+1)
		}
	}
	for key := range l.opts.Columns {
		if !used[key] {
			return nil, false, fmt.Errorf("there is no column %q: the first row has %s", exchange.Clip(key), exchange.Clip(strings.Join(row, ", ")))
		}
	}
	for i, cell := range row {
		if _, named := role(cell); named && holdsValues(columns[i]) {
			if _, why := Guess(cell); why != "" {
				header = true
			}
		}
	}
	if !header && len(l.opts.Columns) == 0 {
		columns = nil
	}
	return columns, header, nil
}

func holdsValues(column string) bool {
	_, ok := typeOf(column)
	return ok || column == columnValue
}

// row takes the values of one row.
func (l *list) row(line int, row, columns []string) error {
	place := fmt.Sprintf("line %d", line)
	if !utf8.ValidString(strings.Join(row, "")) {
		l.report.Read++
		l.report.Lose(place, "it is not UTF-8")
		return nil
	}
	if columns == nil {
		i := slices.IndexFunc(row, func(cell string) bool { _, why := Guess(cell); return why == "" })
		if i < 0 {
			l.report.Read++
			l.report.Lose(place, "none of its columns holds a value that could be looked for")
			return nil
		}
		return l.take(line, place, entry{typ: "auto", value: row[i]})
	}
	var about entry
	about.typ = "auto"
	for i, cell := range row[:min(len(row), len(columns))] {
		cell = strings.TrimSpace(cell)
		switch columns[i] {
		case columnType:
			about.typ = cell
		case columnName:
			about.name = cell
		case columnDescription:
			about.description = cell
		case columnConfidence:
			about.confidence = cell
		case columnFrom:
			about.from = cell
		case columnUntil:
			about.until = cell
		case columnLabels:
			about.labels = strings.FieldsFunc(cell, func(r rune) bool { return r == ',' || r == ';' || r == ' ' })
		}
	}
	found := false
	for i, cell := range row[:min(len(row), len(columns))] {
		cell = strings.TrimSpace(cell)
		if cell == "" || !holdsValues(columns[i]) {
			continue
		}
		found = true
		e := about
		e.value = cell
		if columns[i] != columnValue {
			e.typ = columns[i]
		}
		if err := l.take(line, place, e); err != nil {
			return err
		}
	}
	if !found {
		l.report.Read++
		l.report.Lose(place, "its columns of values are empty")
	}
	return nil
}

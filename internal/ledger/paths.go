package ledger

import (
	"fmt"
	"strconv"
	"strings"
)

// resource is what a URL path names.
type resource struct {
	kind  resourceKind
	logID string
	level int
	n     int64
	width int // 256 for a complete tile or bundle
	hash  Hash
	batch []Hash
}

type resourceKind int

const (
	resourceNone resourceKind = iota
	resourceCheckpoint
	resourceTile
	resourceBundle
	resourceObject
	resourceBatch
)

// parsePath reads a path strictly: each resource has exactly one spelling (C2SP tlog-tiles), so that caches and rate
// limits cannot be fooled by another one.
func parsePath(path string) (resource, bool) {
	if name, ok := strings.CutPrefix(path, "/object/"); ok {
		hash, ok := hashNamed(name)
		return resource{kind: resourceObject, hash: hash}, ok
	}
	if names, ok := strings.CutPrefix(path, "/objects/"); ok {
		batch, ok := batchHashes(names)
		return resource{kind: resourceBatch, batch: batch}, ok
	}
	rest, ok := strings.CutPrefix(path, "/log/")
	if !ok {
		return resource{}, false
	}
	id, rest, ok := strings.Cut(rest, "/")
	if !ok || !validLogID(id) {
		return resource{}, false
	}
	if rest == "checkpoint" {
		return resource{kind: resourceCheckpoint, logID: id}, true
	}
	level, n, width, ok := ParseTilePath(rest)
	if !ok {
		return resource{}, false
	}
	if level < 0 {
		return resource{kind: resourceBundle, logID: id, n: n, width: width}, true
	}
	return resource{kind: resourceTile, logID: id, level: level, n: n, width: width}, true
}

// parseTileIndex reads "x001/x234/067" or, partial, "x001/x234/067.p/8".
func parseTileIndex(s string) (n int64, width int, ok bool) {
	width = tileWidth
	if index, w, partial := strings.Cut(s, ".p/"); partial {
		v, ok := decimal(w, tileWidth-1)
		if !ok || v == 0 {
			return 0, 0, false
		}
		s, width = index, v
	}
	groups := strings.Split(s, "/")
	if len(groups) > 6 {
		return 0, 0, false
	}
	for i, g := range groups {
		if i < len(groups)-1 {
			if g, ok = strings.CutPrefix(g, "x"); !ok {
				return 0, 0, false
			}
		}
		if len(g) != 3 || i == 0 && len(groups) > 1 && g == "000" {
			return 0, 0, false
		}
		for _, c := range []byte(g) {
			if c < '0' || c > '9' {
				return 0, 0, false
			}
			n = n*10 + int64(c-'0')
		}
	}
	return n, width, true
}

// decimal reads a number from 0 to most without leading zeros or signs.
func decimal(s string, most int) (int, bool) {
	v, err := strconv.Atoi(s)
	if err != nil || v < 0 || v > most || strconv.Itoa(v) != s {
		return 0, false
	}
	return v, true
}

// TilePath is the path of a tile below a log's prefix (C2SP tlog-tiles), or of an entry bundle when level is -1; width is 256
// for a complete one.
func TilePath(level int, n int64, width int) string { return tilePath(level, n, width) }

// ParseTilePath reads what TilePath writes, in its one spelling; level is -1 for an entry bundle.
func ParseTilePath(path string) (level int, n int64, width int, ok bool) {
	rest, ok := strings.CutPrefix(path, "tile/")
	if !ok {
		return 0, 0, 0, false
	}
	kind, rest, ok := strings.Cut(rest, "/")
	if !ok {
		return 0, 0, 0, false
	}
	if level = -1; kind != "entries" {
		if level, ok = decimal(kind, 63); !ok {
			return 0, 0, 0, false
		}
	}
	n, width, ok = parseTileIndex(rest)
	return level, n, width, ok
}

// tilePath is the path of a tile below a log's prefix, or of an entry bundle when level is -1.
func tilePath(level int, n int64, width int) string {
	kind := "entries"
	if level >= 0 {
		kind = strconv.Itoa(level)
	}
	index := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		index = fmt.Sprintf("x%03d/%s", n%1000, index)
	}
	if width < tileWidth {
		index += ".p/" + strconv.Itoa(width)
	}
	return "tile/" + kind + "/" + index
}

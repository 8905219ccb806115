// Package ui holds the screens' built files, so that Go alone builds the program.
//
// It promises that what is embedded was built from the source beside it, which the checks compare. It is not for serving:
// that is package web. The screens' source starts at src/main.ts; the words in three languages are in src/words.
package ui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files are the built screens: index.html and assets/.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil { // only a malformed path fails
		return dist
	}
	return files
}

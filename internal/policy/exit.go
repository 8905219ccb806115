package policy

// Exit is a place where data leaves the program. Only this file makes one: the zero Exit is no exit and gets nothing,
// and code that wants to hand something out must name one of the functions below, which a test counts.
type Exit struct{ n uint8 }

const (
	exitLog = 1 + iota
	exitObject
	exitTAXII
	exitAPI
	exitUI
	exitSearch
	exitExport
	exitDetect
	exitMail
	exitsEnd
)

// Exits returns every exit there is. A new one is added here, to String, and as a function below.
func Exits() []Exit {
	all := make([]Exit, 0, exitsEnd-1)
	for n := uint8(1); n < exitsEnd; n++ {
		all = append(all, Exit{n})
	}
	return all
}

// ToLog serves checkpoints, tiles and leaves to followers and witnesses: hashes, never contents.
func ToLog() Exit { return Exit{exitLog} }

// ToObject serves objects, sealed or clear, to other nodes.
func ToObject() Exit { return Exit{exitObject} }

// ToTAXII serves STIX objects to TAXII clients.
func ToTAXII() Exit { return Exit{exitTAXII} }

// ToAPI answers programs over the JSON API.
func ToAPI() Exit { return Exit{exitAPI} }

// ToUI shows something to a person on screen.
func ToUI() Exit { return Exit{exitUI} }

// ToSearch lists something as a result, its snippet and its very existence included.
func ToSearch() Exit { return Exit{exitSearch} }

// ToExport writes files that leave the program's care.
func ToExport() Exit { return Exit{exitExport} }

// ToDetect hands indicators to detection.
func ToDetect() Exit { return Exit{exitDetect} }

// ToMail puts something into a mail or another notification.
func ToMail() Exit { return Exit{exitMail} }

// String is the exit's name in rules (Action::"taxii") and in the audit table; empty for no exit.
func (e Exit) String() string {
	switch e.n {
	case exitLog:
		return "log"
	case exitObject:
		return "object"
	case exitTAXII:
		return "taxii"
	case exitAPI:
		return "api"
	case exitUI:
		return "ui"
	case exitSearch:
		return "search"
	case exitExport:
		return "export"
	case exitDetect:
		return "detect"
	case exitMail:
		return "mail"
	}
	return ""
}

// Use is what the principal will do with an item; PAP rules on it. Detection and export must name a use beyond reading
// when there is one, other exits are for reading.
type Use string

// The uses PAP tells apart.
const (
	UseRead    Use = "read"    // look at it; the empty Use is this one
	UsePassive Use = "passive" // match it against one's own traffic and logs: nobody outside can tell
	UseLookup  Use = "lookup"  // ask third parties about it (reputation services, passive DNS)
	UseActive  Use = "active"  // block it, probe it, answer it: its owner can tell
)

// Uses returns the uses, the least noticeable first.
func Uses() []Use { return []Use{UseRead, UsePassive, UseLookup, UseActive} }

// fits says whether an exit can serve a use.
func (e Exit) fits(u Use) bool {
	switch u {
	case UseRead:
		return e.n != exitDetect
	case UsePassive, UseLookup, UseActive:
		return e.n == exitDetect || e.n == exitExport || e.n == exitAPI || e.n == exitTAXII
	}
	return false
}

package node

import (
	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/facts"
)

// ShelfView is an agreement as it is known from sources. Nothing in it runs here.
type ShelfView struct {
	Unofficial bool           `json:"unofficial_copy" doc:"Always true: the authentic text stays with its owner"`
	Imported   bool           `json:"imported" doc:"A file of this node's; false: it ships with the program"`
	Source     *SourceView    `json:"source,omitempty"`
	Texts      []TextView     `json:"texts,omitempty" doc:"Where the agreement's own texts are"`
	Stand      int            `json:"stand" doc:"How many parties stand by it, of those that sources here name"`
	Named      int            `json:"named" doc:"How many parties sources here name"`
	Standings  []StandingView `json:"standings,omitempty"`
	Counts     []CountView    `json:"counts,omitempty" doc:"Side by side where sources differ"`
	Claims     []ClaimView    `json:"claims,omitempty"`
}

// SourceView is where a statement comes from. Of a protected source only its kind and language are shown.
type SourceView struct {
	Label     string         `json:"label"`
	Kind      string         `json:"kind"`
	Title     agreement.Text `json:"title,omitempty"`
	Publisher string         `json:"publisher,omitempty"`
	URL       string         `json:"url,omitempty"`
	Language  string         `json:"language,omitempty"`
	Protected bool           `json:"protected,omitempty"`
}

// TextView is an authentic text or a translation, linked and not copied.
type TextView struct {
	Language  string `json:"language"`
	Authentic bool   `json:"authentic"`
	Title     string `json:"title,omitempty"`
	URL       string `json:"url,omitempty"`
	SHA256    string `json:"sha256,omitempty"`
}

// StandingView is where a party stands in the world, and on whose word. It says nothing of who runs what.
type StandingView struct {
	Party   string         `json:"party" doc:"Label"`
	Names   agreement.Text `json:"names,omitempty"`
	Act     string         `json:"act,omitempty" doc:"The last act that changed it"`
	Word    agreement.Text `json:"word,omitempty" doc:"The agreement's own verb"`
	Stands  bool           `json:"stands"`
	Since   string         `json:"since,omitempty"`
	Status  string         `json:"status" enum:"reported,verified"`
	Source  *SourceView    `json:"source,omitempty"`
	History []WorldActView `json:"history,omitempty"`
}

// WorldActView is one act of a party in the world.
type WorldActView struct {
	Act        string         `json:"act"`
	Date       string         `json:"date,omitempty"`
	Government agreement.Text `json:"government,omitempty"`
	By         agreement.Text `json:"by,omitempty"`
	Status     string         `json:"status"`
	Source     *SourceView    `json:"source,omitempty"`
	Place      string         `json:"place,omitempty"`
	Note       agreement.Text `json:"note,omitempty"`
}

// CountView is a number that somebody gave.
type CountView struct {
	Of     string      `json:"of"`
	Bound  string      `json:"bound,omitempty" enum:"exactly,over,about"`
	Number int         `json:"number"`
	Date   string      `json:"date,omitempty"`
	Status string      `json:"status"`
	Source *SourceView `json:"source,omitempty"`
}

// ClaimView is a statement with its source.
type ClaimView struct {
	Label  string         `json:"label"`
	About  string         `json:"about,omitempty"`
	Kind   string         `json:"kind"`
	Says   agreement.Text `json:"says"`
	Status string         `json:"status"`
	SaidBy agreement.Text `json:"said_by,omitempty"`
	Date   string         `json:"date,omitempty"`
	Source *SourceView    `json:"source,omitempty"`
}

// viewShelved shows an agreement of the shelf.
func (n *Node) viewShelved(s shelved) (AgreementView, error) {
	f, err := n.facts()
	if err != nil {
		return AgreementView{}, err
	}
	x := shelfViewer{facts: f, a: s.Agreement}
	v := AgreementView{Shelf: &ShelfView{Unofficial: true, Imported: s.imported, Source: x.source(s.Source)}}
	v.viewText(s.Agreement, f.Shelf)
	for _, t := range s.Texts {
		v.Shelf.Texts = append(v.Shelf.Texts, TextView{Language: t.Language, Authentic: t.Authentic, Title: t.Title, URL: t.URL, SHA256: t.SHA256})
	}
	for _, st := range s.Agreement.Standings() {
		view := x.standing(st)
		v.Shelf.Named++
		if view.Stands {
			v.Shelf.Stand++
		}
		v.Shelf.Standings = append(v.Shelf.Standings, view)
	}
	for _, c := range s.Claims {
		if c.Count != nil {
			v.Shelf.Counts = append(v.Shelf.Counts, CountView{Of: c.Count.Of, Bound: c.Count.Bound, Number: c.Count.Number,
				Date: dateText(c.Date), Status: string(c.Status), Source: x.source(c.Source)})
		}
		v.Shelf.Claims = append(v.Shelf.Claims, ClaimView{Label: c.Label, About: c.About, Kind: c.Kind, Says: c.Says, Status: string(c.Status),
			SaidBy: c.SaidBy, Date: dateText(c.Date), Source: x.source(c.Source)})
	}
	return v, nil
}

// shelfViewer resolves what an agreement's file names, in the file first and then in the register.
type shelfViewer struct {
	facts *facts.Facts
	a     *agreement.Agreement
}

func (x shelfViewer) source(label string) *SourceView {
	if label == "" {
		return nil
	}
	s, ok := x.a.SourceOf(label)
	if !ok {
		if s, ok = x.facts.Source(label); !ok {
			return &SourceView{Label: label}
		}
	}
	s = s.Shown()
	return &SourceView{Label: s.Label, Kind: s.Kind, Title: s.Title, Publisher: s.Publisher, URL: s.URL, Language: s.Language, Protected: s.Protected}
}

func (x shelfViewer) names(label string) agreement.Text {
	if p, ok := x.a.Party(label); ok {
		return p.Names
	}
	p, _ := x.facts.Party(label)
	return p.Names
}

func (x shelfViewer) standing(s agreement.Standing) StandingView {
	v := StandingView{Party: s.Party, Names: x.names(s.Party), Act: string(s.Act), Word: x.a.Words[string(s.Act)], Stands: s.Stands(),
		Since: dateText(s.Since), Status: string(s.Status), Source: x.source(s.Source)}
	for _, act := range s.History {
		v.History = append(v.History, WorldActView{Act: string(act.Act), Date: dateText(act.Date), Government: act.Government, By: act.By,
			Status: string(act.Status), Source: x.source(act.Source), Place: act.Place, Note: act.Note})
	}
	return v
}

// dateText prints a date, or nothing where none is known.
func dateText(d agreement.FuzzyDate) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

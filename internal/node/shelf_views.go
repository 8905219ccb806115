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
	Items      []ItemView     `json:"items,omitempty" doc:"Entries of a list: sectors, incident types, markings"`
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
	SHA256    string `json:"sha256,omitempty" doc:"Absent while nobody has vouched for one"`
	Size      string `json:"size,omitempty" doc:"As the source prints it"`
	Modified  string `json:"modified,omitempty"`
}

// ItemView is an entry of a list.
type ItemView struct {
	Label           string                     `json:"label"`
	Group           string                     `json:"group,omitempty" doc:"Label of the entry that it belongs to"`
	Code            string                     `json:"code,omitempty" doc:"In the list's own scheme, where it differs from the label"`
	Names           agreement.Text             `json:"names,omitempty"`
	Note            agreement.Text             `json:"note,omitempty"`
	Correspondences []agreement.Correspondence `json:"correspondences,omitempty" doc:"What it corresponds to elsewhere"`
}

// StandingView is where a party stands in the world, and on whose word. It says nothing of who runs what.
type StandingView struct {
	Party   string         `json:"party" doc:"Label"`
	Names   agreement.Text `json:"names,omitempty"`
	Act     string         `json:"act,omitempty" doc:"The last act that changed it"`
	Word    agreement.Text `json:"word,omitempty" doc:"The agreement's own verb"`
	Stands  bool           `json:"stands"`
	Since   string         `json:"since,omitempty"`
	Printed string         `json:"since_printed,omitempty" doc:"What the source printed for that date, in its own words"`
	Status  string         `json:"status" enum:"reported,verified"`
	Source  *SourceView    `json:"source,omitempty"`
	History []WorldActView `json:"history,omitempty"`
}

// WorldActView is one act of a party in the world.
type WorldActView struct {
	Act        string         `json:"act"`
	Word       agreement.Text `json:"word,omitempty" doc:"The agreement's own verb"`
	Date       string         `json:"date,omitempty"`
	Printed    string         `json:"date_printed,omitempty" doc:"What the source printed for that date, in its own words"`
	Government agreement.Text `json:"government,omitempty"`
	By         agreement.Text `json:"by,omitempty"`
	Status     string         `json:"status" enum:"reported,verified"`
	Confidence string         `json:"confidence" enum:"low,moderate,high"`
	Source     *SourceView    `json:"source,omitempty"`
	Place      string         `json:"place,omitempty" doc:"Where in the source"`
	Note       agreement.Text `json:"note,omitempty"`
	Facts      []string       `json:"facts,omitempty" doc:"Numbers of the facts it rests on: mithaq facts 001-1"`
}

// CountView is a number that somebody gave.
type CountView struct {
	Of         string      `json:"of"`
	Bound      string      `json:"bound,omitempty" enum:"exactly,over,about"`
	Number     int         `json:"number"`
	Date       string      `json:"date,omitempty"`
	Status     string      `json:"status" enum:"reported,verified"`
	Confidence string      `json:"confidence" enum:"low,moderate,high"`
	Source     *SourceView `json:"source,omitempty"`
	Place      string      `json:"place,omitempty" doc:"Where in the source"`
}

// ClaimView is a statement with its source.
type ClaimView struct {
	Label      string         `json:"label"`
	About      string         `json:"about,omitempty"`
	Kind       string         `json:"kind" enum:"fact,count,accusation,view,plan,context"`
	Says       agreement.Text `json:"says"`
	Status     string         `json:"status" enum:"reported,verified"`
	Confidence string         `json:"confidence" enum:"low,moderate,high"`
	SaidBy     agreement.Text `json:"said_by,omitempty" doc:"Who said it, as far as they may be named"`
	Protected  bool           `json:"protected,omitempty" doc:"Whoever said it asked not to be named"`
	Date       string         `json:"date,omitempty"`
	Printed    string         `json:"date_printed,omitempty" doc:"What the source printed for that date, in its own words"`
	Source     *SourceView    `json:"source,omitempty"`
	Place      string         `json:"place,omitempty" doc:"Where in the source"`
	Language   string         `json:"language,omitempty" doc:"In which the source says it"`
	Against    []string       `json:"against,omitempty" doc:"Labels of statements that it contradicts; both stand"`
	Facts      []string       `json:"facts,omitempty" doc:"Numbers of the facts it rests on: mithaq facts 001-1"`
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
	v.Shelf.Texts = viewTexts(s.Agreement)
	for _, i := range s.Items {
		v.Shelf.Items = append(v.Shelf.Items, ItemView{Label: i.Label, Group: i.Group, Code: i.Code, Names: i.Names, Note: i.Note,
			Correspondences: f.Shelf.Correspondences(s.Label + "/" + i.Label)})
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
		view := x.claim(c)
		if c.Count != nil {
			v.Shelf.Counts = append(v.Shelf.Counts, CountView{Of: c.Count.Of, Bound: c.Count.Bound, Number: c.Count.Number,
				Date: view.Date, Status: view.Status, Confidence: view.Confidence, Source: view.Source, Place: view.Place})
		}
		v.Shelf.Claims = append(v.Shelf.Claims, view)
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

func (x shelfViewer) claim(c agreement.Claim) ClaimView {
	return ClaimView{Label: c.Label, About: c.About, Kind: c.Kind, Says: c.Says, Status: string(c.Status), Confidence: string(c.Confidence),
		SaidBy: c.SaidBy, Protected: c.Protected, Date: dateText(c.Date), Printed: c.Date.Source(), Source: x.source(c.Source), Place: c.Place,
		Language: c.Language, Against: c.Against, Facts: c.Refs}
}

func (x shelfViewer) standing(s agreement.Standing) StandingView {
	v := StandingView{Party: s.Party, Names: x.names(s.Party), Act: string(s.Act), Word: x.a.Words[string(s.Act)], Stands: s.Stands(),
		Since: dateText(s.Since), Printed: s.Since.Source(), Status: string(s.Status), Source: x.source(s.Source)}
	for _, act := range s.History {
		v.History = append(v.History, WorldActView{Act: string(act.Act), Word: x.a.Words[string(act.Act)], Date: dateText(act.Date),
			Printed: act.Date.Source(), Government: act.Government, By: act.By, Status: string(act.Status), Confidence: string(act.Confidence),
			Source: x.source(act.Source), Place: act.Place, Note: act.Note, Facts: act.Refs})
	}
	return v
}

// viewTexts links an agreement's own texts, by language and hash.
func viewTexts(a *agreement.Agreement) []TextView {
	var out []TextView
	for _, t := range a.Texts {
		out = append(out, TextView{Language: t.Language, Authentic: t.Authentic, Title: t.Title, URL: t.URL, SHA256: t.SHA256,
			Size: t.Size, Modified: dateText(t.Modified)})
	}
	return out
}

// dateText prints a date, or nothing where none is known.
func dateText(d agreement.FuzzyDate) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

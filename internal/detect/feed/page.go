package feed

import (
	"encoding/json"
	"time"
)

// Page is a step of the changes after a cursor.
type Page struct {
	Cursor  string    `json:"cursor" doc:"Give it as after to get what comes next"`
	Reset   bool      `json:"reset,omitempty" doc:"What was given before holds no more: this page is the first of all"`
	More    bool      `json:"more,omitempty" doc:"There is more now"`
	Changes []Changed `json:"changes"`
}

// Changed is what holds of one indicator from now on, or of all of a record.
type Changed struct {
	ID      string          `json:"id,omitempty" doc:"STIX id of the indicator; absent where it is about all of a record's"`
	Gone    bool            `json:"gone,omitempty" doc:"It may not be used any more"`
	Instead bool            `json:"instead,omitempty" doc:"This version holds although a later one was given before, which was taken back"`
	Object  json.RawMessage `json:"object,omitempty" doc:"The indicator, as its author wrote it"`

	Agreement  string     `json:"agreement,omitempty"`
	Record     string     `json:"record,omitempty" doc:"Leaf hash of the record it is in"`
	Author     string     `json:"author,omitempty" doc:"Party id"`
	AuthorName string     `json:"author_name,omitempty"`
	TLP        string     `json:"tlp,omitempty"`
	PAP        string     `json:"pap,omitempty"`
	Expires    *time.Time `json:"expires,omitempty"`

	Verdicts *Verdicts `json:"verdicts,omitempty" doc:"What became of its matches"`
}

// Verdicts is what became of an indicator's matches, here and at partners.
type Verdicts struct {
	Confirmed int `json:"confirmed,omitempty" doc:"Approved by a person here"`
	Refused   int `json:"refused,omitempty" doc:"Called a false positive by a person here"`
	Partners  int `json:"partners,omitempty" doc:"Parties that report it as a false positive"`
}

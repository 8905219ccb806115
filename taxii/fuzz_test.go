package taxii_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/mithaq/mithaq/taxii"
)

// FuzzQuery: whatever the query string is, the answer is a page or a 400, both well-formed.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "limit=1", "added_after=2020-01-01T00:00:00.000000Z&limit=2", "match[id]=a,b&match[type]=indicator",
		"match%5Bversion%5D=all,first,2020-01-01T00:00:00Z&match[spec_version]=2.0,2.1", "next=AAAAAAAAAAAAAAAAAAAAAA", "&&=&", "limit=1;a=b", "%zz"} {
		f.Add(seed)
	}
	m := newMemory()
	put(f, m, place, indicator(1, 1), indicator(1, 2), indicator(2, 1))
	s := newServer(f, m, nil)
	f.Fuzz(func(t *testing.T, query string) {
		response, body := ask(s, "GET", objectsPath, "", func(r *http.Request) { r.URL.RawQuery = query })
		switch response.StatusCode {
		case http.StatusOK:
			readPage(t, body)
		case http.StatusBadRequest:
			var e taxii.Error
			if err := json.Unmarshal([]byte(body), &e); err != nil {
				t.Errorf("error message %s: %v", body, err)
			}
		default:
			t.Errorf("status %d: %s", response.StatusCode, body)
		}
		if strings.Count(query, "limit=") > 1 && !strings.Contains(query, "&limit") && response.StatusCode == http.StatusOK && strings.HasPrefix(query, "limit=") {
			t.Errorf("%q was taken", query)
		}
	})
}

// FuzzPost: whatever the body is, the counts of the status add up and what was taken comes back as it was.
func FuzzPost(f *testing.F) {
	for _, seed := range []string{envelopeOf(indicator(1, 1)), envelopeOf(indicator(1, 1), "1", `{"a":1,"a":2}`, "{]}"), `{"more":true,"next":"x","objects":[]}`,
		`{"objects":[{"id":"\ud800"}],"x":{}}`, "{", `{"objects":[[[[[[`, "\"", `{"objects":["\`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s := newServer(t, newMemory(), nil)
		response, answer := ask(s, "POST", objectsPath, string(body))
		switch response.StatusCode {
		case http.StatusAccepted:
		case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
			return
		default:
			t.Fatalf("status %d: %s", response.StatusCode, answer)
		}
		var status taxii.Status
		if err := json.Unmarshal([]byte(answer), &status); err != nil {
			t.Fatalf("status %s: %v", answer, err)
		}
		if status.TotalCount != status.SuccessCount+status.FailureCount || len(status.Failures) != status.FailureCount || status.TotalCount == 0 {
			t.Errorf("counts %s", answer)
		}
		_, page := ask(s, "GET", objectsPath+"?match[version]=all&match[spec_version]=2.0,2.1", "")
		for _, raw := range readPage(t, page).Objects {
			if !strings.Contains(string(body), string(raw)) {
				t.Errorf("%s was not posted", raw)
			}
		}
	})
}

// FuzzObject: what is taken for an object is JSON that is read the same way everywhere, and its version has a key.
func FuzzObject(f *testing.F) {
	f.Add([]byte(indicator(1, 1)))
	f.Add([]byte(`{"type":"a","id":"a--00000000-0000-4000-8000-000000000000","x":[1e5,-0.1,12345678901234567890]}`))
	f.Add([]byte(`{"type":"a","id":"a--00000000-0000-4000-8000-000000000000"} x`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := taxii.ReadObject(raw)
		if err != nil {
			return
		}
		var v map[string]any
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatalf("%s was taken: %v", raw, err)
		}
		if v["id"] != o.ID || v["type"] != o.Type {
			t.Errorf("read %+v", o)
		}
		if o.Version != "" {
			if _, err := taxii.VersionKey(o.Version); err != nil {
				t.Error(err)
			}
		}
	})
}

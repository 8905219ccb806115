package facts

import (
	"strings"
	"testing"
)

func TestTags(t *testing.T) {
	f, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[string]string{
		"tlp:green": "Traffic Light Protocol 2.0: Community concerned", "TLP:WHITE": "Free to publish", "tlp:amber+strict": "alone",
		"PAP:AMBER": "Passive cross-checking only", `rsit:abusive-content="spam"`: "Abusive content: Spam", `admiralty-scale:source-reliability="b"`: "Usually reliable",
		`estimative-language:likelihood-probability="almost-certain"`: "95–99",
	} {
		got, known, err := f.Tag(tag)
		if err != nil || !known || !strings.Contains(got.Names["en"], want) || got.Names["ar"] == "" || got.Names["fr"] == "" {
			t.Errorf("%s: %+v, %v (%v)", tag, got, known, err)
		}
	}
	for tag, remedy := range map[string]string{
		"tlp:purple": "CLEAR, GREEN, AMBER", `rsit:abusive-content="spamm"`: "spam", `rsit:nothing="x"`: `rsit:abusive-content="spam"`, "pap:": "CLEAR", `admiralty-scale:source-reliability="z"`: "a, b, c",
	} {
		if _, known, err := f.Tag(tag); !known || err == nil || !strings.Contains(err.Error(), remedy) {
			t.Errorf("%s: %v (%v), want a remedy with %s", tag, known, err, remedy)
		}
	}
	for _, tag := range []string{"", "plain", `misp-galaxy:threat-actor="x"`, "https://a.example"} {
		if _, known, err := f.Tag(tag); known || err != nil {
			t.Errorf("%q: %v (%v)", tag, known, err)
		}
	}
}

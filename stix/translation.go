package stix

import "fmt"

// Translation is what a language-content object offers for one version of one object (section 7.1).
type Translation struct {
	ObjectRef string
	// ObjectModified is the version that was translated, as text; empty for any.
	ObjectModified string
	// Contents are the translated properties by language tag, then by property. A value has the form of the property
	// that it translates; strings in lists that are not translated are empty.
	Contents map[string]map[string]Value
}

// ReadTranslation reads a language-content object.
func ReadTranslation(o Object) (Translation, error) {
	if o.Type != "language-content" {
		return Translation{}, fmt.Errorf("reading a translation: %s is no language-content", o.ID)
	}
	v, err := o.Open()
	if err != nil {
		return Translation{}, err
	}
	t := Translation{ObjectRef: v.Get("object_ref").Text(), ObjectModified: v.Get("object_modified").Text(), Contents: map[string]map[string]Value{}}
	for language, properties := range v.Get("contents").Members() {
		t.Contents[language] = map[string]Value{}
		for name, value := range properties.Members() {
			t.Contents[language][name] = value
		}
	}
	return t, nil
}

// Fits says whether the translation is of this version of the object. A translation of an older version is stale: the
// text may have changed since.
func (t Translation) Fits(o Object) bool {
	if t.ObjectRef != o.ID {
		return false
	}
	if t.ObjectModified == "" {
		return true
	}
	at, err := ParseTimestamp(t.ObjectModified)
	return err == nil && at.Equal(o.Version())
}

// Text is the translation of a property that is a string: in the language asked for, else in the language without its
// script and region ("fr" for "fr-CA"). ok is false when there is none.
func (t Translation) Text(language, property string) (text string, ok bool) {
	for language != "" {
		if v, found := t.Contents[language][property]; found && v.IsString() {
			return v.Text(), true
		}
		cut := len(language) - 1
		for cut > 0 && language[cut] != '-' {
			cut--
		}
		language = language[:max(cut, 0)]
	}
	return "", false
}

package federate

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// maxWitnesses is how many a policy names at most.
const maxWitnesses = 15

// Witness is one witness of a policy.
type Witness struct {
	Party string // empty: an outsider
	VKey  string // of C2SP tlog-cosignature
	URL   string // prefix under which /add-checkpoint is; empty: it cannot be asked
}

// Policy says that K of the witnesses must have co-signed a checkpoint. The zero value asks for none.
type Policy struct {
	K         int
	Witnesses []Witness
}

// Text is the policy in the form of C2SP tlog-policy, which other programs read too.
func (p Policy) Text(logs ...string) string {
	var b strings.Builder
	for _, vkey := range logs {
		fmt.Fprintf(&b, "log %s\n", vkey)
	}
	names := make([]string, len(p.Witnesses))
	for i, w := range p.Witnesses {
		names[i] = fmt.Sprintf("w%d", i+1)
		fmt.Fprintf(&b, "witness %s %s %s\n", names[i], w.VKey, orDash(w.URL))
	}
	if p.K == 0 || len(names) == 0 {
		b.WriteString("quorum none\n")
		return b.String()
	}
	fmt.Fprintf(&b, "group enough %d %s\nquorum enough\n", p.K, strings.Join(names, " "))
	return b.String()
}

// orDash stands in for the URL of a witness that cannot be asked from here: the form wants one.
func orDash(url string) string {
	if url == "" {
		return "https://unreachable.invalid/"
	}
	return url
}

// MergeCosignatures adds to a checkpoint those signature lines of another over the same text that the verifiers verify and
// that it has not. The log's own signature stays the first. Lines that nobody asked for are not taken: they would only grow.
func MergeCosignatures(checkpoint, other []byte, verifiers []note.Verifier) []byte {
	text, _, ok := bytes.Cut(checkpoint, []byte("\n\n"))
	otherText, _, okOther := bytes.Cut(other, []byte("\n\n"))
	if !ok || !okOther || !bytes.Equal(text, otherText) || bytes.Equal(checkpoint, other) {
		return checkpoint
	}
	for _, v := range verifiers {
		if _, err := note.Open(checkpoint, note.VerifierList(v)); err == nil {
			continue // it is there
		}
		n, err := note.Open(other, note.VerifierList(v))
		if err != nil || len(n.Sigs) == 0 {
			continue
		}
		checkpoint = append(bytes.Clone(checkpoint), fmt.Sprintf("— %s %s\n", n.Sigs[0].Name, n.Sigs[0].Base64)...)
	}
	return checkpoint
}

// OnlySigned is a checkpoint with those of its signature lines alone that the verifiers verify, each once; nil where there is
// none.
func OnlySigned(checkpoint []byte, verifiers []note.Verifier) []byte {
	n, err := note.Open(checkpoint, note.VerifierList(verifiers...))
	if err != nil {
		return nil
	}
	out := append([]byte(n.Text), '\n')
	for _, sig := range n.Sigs {
		out = append(out, fmt.Sprintf("— %s %s\n", sig.Name, sig.Base64)...)
	}
	return out
}

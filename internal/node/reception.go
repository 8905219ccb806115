package node

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/fetch"
	"github.com/mithaq/mithaq/internal/record"
	"github.com/mithaq/mithaq/internal/store"
)

// What other parties' nodes ask of this one. Each request is signed; whoever may not ask gets errStranger, which the API
// answers as it answers for what does not exist.

// MaxReceived bounds what another node sends in one request: an act with a text of 1 MiB in it, in base64 twice.
const MaxReceived = 8 << 20

// errStranger refuses without saying anything.
func errStranger() error { return fault.New(fault.NotFound, "", "not found") }

// stranger is errStranger, counted; malformed is what a stranger gets too, counted as what it is.
func (n *Node) stranger() error  { n.refusals.request(RequestStranger); return errStranger() }
func (n *Node) malformed() error { n.refusals.request(RequestBadForm); return errStranger() }

// ActReply says what became of an act that was sent here.
type ActReply struct {
	Agreement string `json:"agreement"`
	Phase     string `json:"phase"`
	State     string `json:"state" doc:"State hash after it"`
	Entries   int    `json:"entries"`
}

// ReceiveAct enters an act that a party's node sends, into a roll that this node keeps. Its keyring comes with it, since a
// newcomer is known to nobody; what it may do is the agreement's rule.
func (n *Node) ReceiveAct(r *http.Request, content []byte) (ActReply, error) {
	var s SignedAct
	if err := readStrict(content, &s); err != nil {
		return ActReply{}, n.malformed()
	}
	k, err := record.ParseKeyring([]byte(s.Keyring))
	if err != nil || k.Log.Agreement != s.Agreement || !record.IsAgreementID(s.Agreement) {
		return ActReply{}, n.malformed()
	}
	if err := n.IntroducedBy(r, content, k); err != nil {
		n.logger.Debug("an act was sent with a signature that is not believed", "error", err)
		return ActReply{}, errStranger()
	}
	if !n.admits(r.Context(), s.Agreement, k.Party) {
		return ActReply{}, n.stranger()
	}
	if !n.acts.allow(k.Party, n.now()) {
		n.refusals.request(RequestTooMany)
		return ActReply{}, fault.New(fault.Busy, "wait a minute", "entering an act: this party has sent too many")
	}
	in, err := n.importAct(r.Context(), "the act", s)
	if fault.CodeOf(err) == fault.Conflict && n.hasAct(r.Context(), s) {
		in, err = n.standing(r.Context(), s.Agreement) // it was sent before, and the answer was lost
	}
	if err != nil {
		n.logger.Info("an act was refused", "agreement", s.Agreement, "party", k.Party, "error", err)
		return ActReply{}, err
	}
	n.peersChanged()
	return ActReply{Agreement: s.Agreement, Phase: in.Phase, State: in.State, Entries: in.Entries}, nil
}

// hasAct says whether the very act is in the roll already.
func (n *Node) hasAct(ctx context.Context, s SignedAct) bool {
	signed, err := s.entry(n)
	if err != nil {
		return false
	}
	found := false
	err = n.withRoll(ctx, s.Agreement, func(r *roll) error {
		found = r.entered(signed.Leaf) || r.heldByOther(signed.Leaf)
		return nil
	})
	return err == nil && found
}

func (n *Node) standing(ctx context.Context, id string) (out Imported, err error) {
	err = n.withRoll(ctx, id, func(r *roll) error {
		out = Imported{What: "act", Agreement: id, Entries: len(r.places)}
		out.after(r.state)
		return nil
	})
	return out, err
}

// admits says whether a party may know that an agreement runs here: its roll names it, or it is open to whoever knows the id.
func (n *Node) admits(ctx context.Context, id, party string) bool {
	ids, err := n.rollIDs()
	if err != nil || !slices.Contains(ids, id) {
		return false
	}
	may := false
	err = n.withRoll(ctx, id, func(r *roll) error {
		d := r.state.Definition()
		_, named := r.state.Member(party)
		may = d != nil && (named || party == r.state.Depositary() || !r.isPair() && d.Terms.Accession != agreement.AccessionInvitation)
		return nil
	})
	return err == nil && may
}

// ShowRoll gives a roll to a party that may know of it, known by the card it sends.
func (n *Node) ShowRoll(r *http.Request, content []byte, id string) (RollFile, error) {
	k, _, err := n.readCaller(r, content)
	if err != nil {
		return RollFile{}, errStranger()
	}
	if !n.admits(r.Context(), id, k.Party) {
		return RollFile{}, n.stranger()
	}
	return n.RollFileOf(r.Context(), id)
}

// OfferedRoll is an agreement that another node shows us.
type OfferedRoll struct {
	Agreement  string `json:"agreement" doc:"Agreement id"`
	Label      string `json:"label"`
	Mark       string `json:"mark,omitempty" doc:"خيالي · Fictional · Fictif, where the agreement is invented"`
	Phase      string `json:"phase"`
	Membership string `json:"membership" doc:"Of the party that asks"`
	Depositary string `json:"depositary" doc:"Party id"`
	Entries    int    `json:"entries"`
	Peer       string `json:"peer,omitempty" doc:"Party that offers it"`
}

// ShowRolls lists the agreements here whose rolls name the party that asks.
func (n *Node) ShowRolls(r *http.Request, content []byte) ([]OfferedRoll, error) {
	k, _, err := n.readCaller(r, content)
	if err != nil {
		return nil, errStranger()
	}
	ids, err := n.rollIDs()
	if err != nil {
		return nil, err
	}
	out := []OfferedRoll{}
	for _, id := range ids {
		err := n.withRoll(r.Context(), id, func(x *roll) error {
			m, named := x.state.Member(k.Party)
			if d := x.state.Definition(); named && d != nil {
				out = append(out, OfferedRoll{Agreement: id, Label: d.Label, Mark: markOf(d), Phase: string(x.state.Phase()),
					Membership: string(m.Membership), Depositary: x.state.Depositary(), Entries: len(x.places)})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Introductions are the cards of those with whom the caller shares an agreement.
type Introductions struct {
	Cards []Card     `json:"cards"`
	Held  []HeldView `json:"held,omitempty" doc:"Logs of the caller that wait here because its quota is used up"`
}

// ReceiveCard keeps where a party is reached, if a roll or a person here knows the party, and introduces it to the others of
// its agreements.
func (n *Node) ReceiveCard(r *http.Request, content []byte) (Introductions, error) {
	out := Introductions{Cards: []Card{}}
	k, c, err := n.readCaller(r, content)
	if err != nil {
		return out, errStranger()
	}
	if !n.acts.allow(k.Party, n.now()) {
		n.refusals.request(RequestTooMany)
		return out, errStranger()
	}
	known, err := n.peers(r.Context())
	if err != nil {
		return out, err
	}
	i := slices.IndexFunc(known, func(p store.Peer) bool { return p.Party == k.Party })
	if i < 0 && !n.inSomeRoll(r.Context(), k.Party) {
		return out, n.stranger()
	}
	met, err := n.meet(r.Context(), k, c.URL, k.Party)
	if err != nil {
		return out, err
	}
	if met {
		n.metPeers()
	}
	out.Held = n.holdsOn(r.Context(), k.Party)
	for _, p := range known {
		if p.Party != k.Party && (n.shareAgreement(r.Context(), p.Party, k.Party) || n.someWitness(r.Context(), p.Party, k.Party)) {
			out.Cards = append(out.Cards, Card{Format: CardFormat, Software: software, URL: p.URL, Keyring: json.RawMessage(p.Keyring)})
		}
	}
	return out, nil
}

// readCaller reads the card that a caller sends of itself and verifies that it signed the request.
func (n *Node) readCaller(r *http.Request, content []byte) (record.Keyring, Card, error) {
	c, err := ReadCard(content)
	if err != nil {
		n.refusals.request(RequestBadForm)
		return record.Keyring{}, c, err
	}
	k, err := c.read()
	if err == nil {
		err = n.IntroducedBy(r, content, k)
	}
	if err == nil && k.Party == n.party.ID {
		err = fmt.Errorf("party %s calls itself", k.Party)
	}
	if err != nil {
		n.logger.Debug("a caller's card is not believed", "error", err)
	}
	return k, c, err
}

// meet keeps what a party's card says, or what another says of it. The keyring never becomes an older one, and an address
// that a person gave stays. It says whether that was news, which [Node.metPeers] then makes use of.
func (n *Node) meet(ctx context.Context, k record.Keyring, url, introducer string) (bool, error) {
	if url != "" {
		if err := fetch.CheckURL(url, n.cfg.reachesPrivate()); err != nil {
			n.refusals.answer(err, n.now())
			return false, &fault.Fault{Code: fault.Invalid, What: "noting where " + k.Party + " is reached", Err: err}
		}
	}
	p := store.Peer{Party: k.Party, URL: url, Introduced: introducer, Keyring: k.Envelope(), Updated: n.now()}
	p.Cosigns = introducer != k.Party && !n.inSomeRoll(ctx, k.Party)
	old, known, err := n.peerOf(ctx, k.Party)
	if err != nil {
		return false, err
	}
	if known {
		oldKeyring, err := n.keyrings.parse(old.Keyring)
		if err != nil {
			return false, recordFault("reading the keyring of peer "+old.Party, err)
		}
		if err := newer(oldKeyring, k); err != nil {
			return false, err
		}
		p.Mirror, p.Cosigns = old.Mirror, old.Cosigns
		if old.Introduced == "" {
			p.Introduced = ""
			if old.URL != "" && introducer != k.Party {
				p.URL = old.URL
			}
		}
		if p.URL == old.URL && string(p.Keyring) == string(old.Keyring) && p.Introduced == old.Introduced {
			return false, nil
		}
	}
	if err := n.putPeer(ctx, p); err != nil {
		return false, err
	}
	return true, nil
}

// inSomeRoll says whether a roll here names a party as one that may come.
func (n *Node) inSomeRoll(ctx context.Context, party string) bool {
	return n.someRoll(ctx, func(r *roll) bool { return r.expects(party) })
}

// someWitness says whether a party is a witness of an agreement that another one runs.
func (n *Node) someWitness(ctx context.Context, witness, party string) bool {
	return n.someRoll(ctx, func(r *roll) bool {
		d := r.text()
		return d != nil && r.runs(party) && slices.ContainsFunc(d.Witnesses.Of, func(label string) bool {
			p, ok := d.Party(label)
			return ok && p.ID == witness
		})
	})
}

// onlyCosigns says whether a peer is an outsider that only co-signs. A witness may come to run an agreement itself, before this
// node hears of that or after: then it is followed like every party.
func (n *Node) onlyCosigns(ctx context.Context, p store.Peer) bool {
	return p.Cosigns && !n.shareAgreement(ctx, n.party.ID, p.Party)
}

// shareAgreement says whether two parties run one agreement.
func (n *Node) shareAgreement(ctx context.Context, a, b string) bool {
	return n.someRoll(ctx, func(r *roll) bool { return r.runs(a) && r.runs(b) })
}

func (n *Node) someRoll(ctx context.Context, is func(*roll) bool) bool {
	ids, err := n.rollIDs()
	if err != nil {
		return false
	}
	for _, id := range ids {
		found := false
		if err := n.withRoll(ctx, id, func(r *roll) error { found = is(r); return nil }); err == nil && found {
			return true
		}
	}
	return false
}

// runs says whether a party runs the agreement: it has joined, or keeps the roll.
func (r *roll) runs(party string) bool {
	return party != "" && (r.state.Connected(party) || party == r.state.Depositary()) || r.isPair() && slices.Contains(r.pair.Parties(), party)
}

// expects says whether a party runs the agreement or was asked to.
func (r *roll) expects(party string) bool {
	m, ok := r.state.Member(party)
	return r.runs(party) || ok && (m.Membership == agreement.Invited || m.Membership == agreement.Applied)
}

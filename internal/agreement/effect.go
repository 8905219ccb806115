package agreement

// InEffect is what holds while the end of a roll waits for its witnesses: counted is the state after the last entry that enough
// witnesses have seen, logged the state after all. Accessions and texts beyond counted wait; whatever ends or narrows something
// (withdrawals, removals, a new depositary) acts at signature. It is one function of the two states, so everybody who
// has seen the same cosignatures has the same answer, and when all is witnessed it is the logged state itself.
//
// It is for whoever asks what holds. Acts are still judged by the logged state: its hash is the one given here.
func InEffect(counted, logged State) State {
	if counted.hash == logged.hash {
		return logged
	}
	out := counted
	if counted.phase == Nothing && logged.phase != Nothing {
		out = logged.unfounded()
	}
	out.joined = 0
	for _, kv := range logged.members.all() {
		before, known := counted.members.get(kv.key)
		m := kv.value
		if m.Membership == Joined && (before.Membership != Joined || before.Leaf != m.Leaf) {
			if !known || before.Membership == Joined {
				// It came, or left and came again, in what waits.
				before = Member{Membership: Invited, Since: m.Since, Leaf: m.Leaf, Log: m.Log}
			}
			m = before
		} else if m.Membership == Joined {
			m = before
		}
		out.members = out.members.put(kv.key, m)
		if m.Membership == Joined {
			out.joined++
		}
	}
	if logged.phase == Ended {
		out.phase = Ended
	}
	out.depositary, out.succession, out.statements = logged.depositary, logged.succession, logged.statements
	out.proposals, out.approvals, out.ballots, out.entries, out.open = logged.proposals, logged.approvals, logged.ballots, logged.entries, logged.open
	out.basis, out.size, out.last, out.reviewed, out.hash = logged.basis, logged.size, logged.last, logged.reviewed, logged.hash
	return out
}

// unfounded is a state whose founding text is known and holds nothing yet: nobody has witnessed even that.
func (s State) unfounded() State {
	out := s
	out.phase, out.joined = Proposed, 0
	for _, kv := range s.proposals.all() {
		if kv.value.Parent == Begin(s.id, s.opt).basis.String() {
			out.definition, out.bytes, out.text = kv.value.Definition, kv.value.Bytes, kv.value.Text
		}
	}
	return out
}

// Waits says whether a party's accession, or its return, waits for witnesses: logged knows it as a party, effect does not.
func Waits(effect, logged State, party string) bool {
	return logged.Connected(party) && !effect.Connected(party)
}

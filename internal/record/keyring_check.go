package record

import (
	"fmt"
	"slices"
)

// check applies every rule of docs/formats.md, section 6, that needs neither a signature nor another keyring.
func (k *Keyring) check(c *checker) {
	if c.required(k.V != 0, "/v") && k.V != 1 {
		c.fail(CodeValue, "/v", "version %d is not known here: upgrade mithaq", k.V)
	}
	c.id(k.Party, PrefixParty, "/party")
	c.names(k.Names, "/names")
	k.checkRoots(c)
	k.Log.check(c)
	if c.required(k.Serial != 0, "/serial") && (k.Serial < 1 || k.Serial > maxExact) {
		c.fail(CodeValue, "/serial", "serials count from 1")
	}
	if (k.Serial == 1) != (k.Previous == "") {
		c.fail(CodeChain, "/previous", "a keyring names the one before, and only the first has none")
	}
	if k.Previous != "" {
		c.hash(k.Previous, "/previous")
	}
	c.required(!k.Issued.IsZero(), "/issued")
	k.checkKeys(c)
	k.checkRevoked(c)
}

func (k *Keyring) checkRoots(c *checker) {
	c.required(len(k.Roots) > 0, "/roots")
	c.count(len(k.Roots), maxRoots, "/roots")
	seen := make(map[string]bool)
	for i, r := range k.Roots {
		at := fmt.Sprintf("/roots/%d", i)
		c.required(r.Alg != "", at+"/alg")
		c.required(len(r.Public) > 0, at+"/public")
		if r.Alg != Ed25519 {
			// A root is trusted with everything: an algorithm that cannot be checked is no root.
			c.add(algorithmError(r.Alg, "root keys").under(at + "/alg"))
		}
		c.add(r.Key().check(RoleRoot, at))
		if (i > 0) != (len(r.Endorsed) > 0) {
			c.fail(CodeChain, at+"/endorsed", "every root but the first is endorsed by the one before")
		}
		if id := r.Key().ID(); seen[id] {
			c.fail(CodeChain, at, "the root key stands twice: a root never comes back")
		} else {
			seen[id] = true
		}
	}
}

func (l *LogIdentity) check(c *checker) {
	c.id(l.ID, PrefixLog, "/log/id")
	if c.required(l.Origin != "", "/log/origin") && l.Origin != LogOrigin(l.ID) {
		c.fail(CodeValue, "/log/origin", "%.80q is not the origin of log %.40s: write %s", l.Origin, l.ID, LogOrigin(l.ID))
	}
	if c.required(l.Agreement != "", "/log/agreement") && !IsAgreementID(l.Agreement) {
		c.fail(CodeValue, "/log/agreement", "%.80q is not an agreement's id: write a-… or own", l.Agreement)
	}
	c.required(l.Generation >= 0, "/log/generation")
	if (l.Generation > 0) != (l.Predecessor != nil) {
		c.fail(CodeChain, "/log/predecessor", "a log of generation 0 has no predecessor, every other has one")
	}
	if p := l.Predecessor; p != nil {
		c.origin(p.Origin, "/log/predecessor/origin")
		if p.Origin == l.Origin {
			c.fail(CodeChain, "/log/predecessor/origin", "a log does not follow itself: name the log before")
		}
		c.size(p.Size, "/log/predecessor/size")
		if c.required(p.Root != "", "/log/predecessor/root") {
			c.hash(p.Root, "/log/predecessor/root")
		}
		c.text(p.Reason, "/log/predecessor/reason")
	}
}

// size checks a number of leaves; a missing one was read as -1.
func (c *checker) size(n int64, at string) {
	if n < 0 {
		c.fail(CodeMissing, at, "a number of leaves, 0 or more, is required: add it")
	}
}

func (k *Keyring) checkKeys(c *checker) {
	c.required(len(k.Keys) > 0, "/keys")
	c.count(len(k.Keys), maxKeys, "/keys")
	if c.err != nil {
		return
	}
	taken := make(map[string]bool)
	for _, r := range k.Roots {
		taken[r.Key().ID()] = true
	}
	roles := make(map[Role]int)
	for i, x := range k.Keys {
		at := fmt.Sprintf("/keys/%d", i)
		x.check(c, k, at)
		if taken[x.ID] {
			c.fail(CodeValue, at+"/id", "the key stands twice, or is a root key too: a key has one place and one role")
		}
		taken[x.ID] = true
		roles[x.Role]++
		if c.err != nil {
			return
		}
	}
	for _, rule := range []struct {
		role        Role
		least, most int
	}{{RoleLog, 1, 1}, {RoleNode, 1, 1}, {RoleHTTP, 0, 1}, {RoleWitness, 0, 1}, {RoleOfficer, 1, maxOfficers}} {
		if n := roles[rule.role]; n < rule.least || n > rule.most {
			c.fail(CodeValue, "/keys", "%d keys of role %s, where %d to %d must be", n, rule.role, rule.least, rule.most)
		}
	}
}

func (x Key) check(c *checker, k *Keyring, at string) {
	c.id(x.ID, PrefixKey, at+"/id")
	c.required(x.Alg != "", at+"/alg")
	c.required(len(x.Public) > 0, at+"/public")
	oneOf(c, x.Role, at+"/role", RoleLog, RoleNode, RoleHTTP, RoleWitness, RoleOfficer, RoleSeal)
	if c.err != nil {
		return
	}
	c.add(x.PublicKey().check(x.Role, at))
	if KeyID(x.PublicKey()) != x.ID {
		c.fail(CodeValue, at+"/id", "the id is not the one that the public key makes: write %s", KeyID(x.PublicKey()))
	}
	if x.Name != nil {
		c.names(x.Name, at+"/name")
	}
	if len(x.Kinds) > 0 && x.Role != RoleOfficer {
		c.fail(CodeRole, at+"/kinds", "only an officer's key is limited to kinds: leave them out")
	}
	for i, kind := range x.Kinds {
		// A keyring may name kinds of a later version: an officer who may issue them may not issue others for that.
		if !isLabel(string(kind)) || slices.Contains(x.Kinds[:i], kind) {
			c.fail(CodeValue, fmt.Sprintf("%s/kinds/%d", at, i), "%.40q is not a kind, or stands twice", string(kind))
		}
	}
	c.count(len(x.Kinds), 64, at+"/kinds")
	if x.Officer == "" {
		return
	}
	if x.Role != RoleSeal {
		c.fail(CodeRole, at+"/officer", "only a seal key belongs to an officer: leave it out")
	} else if o, ok := k.Find(x.Officer); !ok || o.Role != RoleOfficer {
		c.fail(CodeKey, at+"/officer", "%.40q is not an officer of this keyring: add the officer or remove the seal key", x.Officer)
	}
}

func (k *Keyring) checkRevoked(c *checker) {
	c.count(len(k.Revoked), maxRevoked, "/revoked")
	if c.err != nil {
		return
	}
	live := make(map[string]bool)
	for _, x := range k.Keys {
		live[x.ID] = true
	}
	seen := make(map[string]bool)
	for i, r := range k.Revoked {
		at := fmt.Sprintf("/revoked/%d", i)
		c.id(r.ID, PrefixKey, at+"/id")
		if live[r.ID] {
			c.fail(CodeChain, at+"/id", "the key is revoked and in use: a revoked key never comes back")
		}
		if seen[r.ID] {
			c.fail(CodeValue, at+"/id", "the key is revoked twice: keep the smaller size")
		}
		seen[r.ID] = true
		c.size(r.Size, at+"/size")
		oneOf(c, r.Reason, at+"/reason", RevokedCompromised, RevokedLost, RevokedLeft, RevokedSuperseded, RevokedOther)
		c.required(!r.Time.IsZero(), at+"/time")
		if c.err != nil {
			return
		}
	}
}

// Next says whether next may follow k in the same log. Both are parsed keyrings.
func (k Keyring) Next(next Keyring) error { return asError(k.next(next)) }

func (k Keyring) next(next Keyring) *Error {
	switch {
	case next.Party != k.Party:
		return fail(CodeChain, "/party", "the keyring is of party %s, the one before of %s", next.Party, k.Party)
	case !k.Log.same(next.Log):
		return fail(CodeChain, "/log", "what identifies the log changed: it never does, open a successor log instead")
	case next.Serial != k.Serial+1:
		return fail(CodeChain, "/serial", "serial %d follows %d: it must be %d", next.Serial, k.Serial, k.Serial+1)
	case k.Hash() == "" || next.Previous != k.Hash():
		return fail(CodeChain, "/previous", "names another keyring before it: it must be %s", k.Hash())
	case next.Issued.Time.Before(k.Issued.Time):
		return fail(CodeChain, "/issued", "issued before the keyring that it follows: check the clock")
	case len(next.Roots) < len(k.Roots):
		return fail(CodeChain, "/roots", "a root key is missing: roots are only added to")
	}
	for i, r := range k.Roots {
		if n := next.Roots[i]; n.Alg != r.Alg || string(n.Public) != string(r.Public) || string(n.Endorsed) != string(r.Endorsed) {
			return fail(CodeChain, fmt.Sprintf("/roots/%d", i), "a root key changed: roots are only added to")
		}
	}
	revoked := make(map[string]Revocation, len(next.Revoked))
	for _, r := range next.Revoked {
		revoked[r.ID] = r
	}
	for _, r := range k.Revoked {
		switch n, ok := revoked[r.ID]; {
		case !ok:
			return fail(CodeChain, "/revoked", "the revocation of %s is gone: revocations are never dropped", r.ID)
		case n.Size > r.Size:
			return fail(CodeChain, "/revoked", "the revocation of %s went from size %d to %d: what is not vouched for stays so", r.ID, r.Size, n.Size)
		}
	}
	return k.nextKeys(next, revoked)
}

// nextKeys checks that keys leave only by being revoked, and that no key changes its role.
func (k Keyring) nextKeys(next Keyring, revoked map[string]Revocation) *Error {
	after := make(map[string]Key, len(next.Keys))
	for _, x := range next.Keys {
		after[x.ID] = x
	}
	for _, x := range k.Keys {
		n, stays := after[x.ID]
		if _, ok := revoked[x.ID]; !stays && !ok {
			return fail(CodeChain, "/keys", "the key %s is gone without a revocation: revoke it with the size up to which it is vouched for", x.ID)
		}
		// A seal key passes to the key that supersedes its officer's, and to nobody while the officer is there.
		_, officerStays := after[x.Officer]
		if stays && (n.Role != x.Role || n.Officer != x.Officer && (x.Officer == "" || officerStays)) {
			return fail(CodeChain, "/keys", "the key %s changed its role: make a new key", x.ID)
		}
	}
	return nil
}

func (l LogIdentity) same(o LogIdentity) bool {
	if l.ID != o.ID || l.Origin != o.Origin || l.Agreement != o.Agreement || l.Generation != o.Generation {
		return false
	}
	p, q := l.Predecessor, o.Predecessor
	if p == nil || q == nil {
		return p == q
	}
	if len(p.Reason) != len(q.Reason) {
		return false
	}
	for lang, s := range p.Reason {
		if q.Reason[lang] != s {
			return false
		}
	}
	return p.Origin == q.Origin && p.Size == q.Size && p.Root == q.Root
}

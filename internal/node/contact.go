package node

import "time"

// contact is how a host was last reached.
type contact struct {
	at       time.Time // when it last answered as it should; zero: not since this process began
	failures int       // in a row
	since    time.Time // of the first of them
	again    time.Time // when it is asked again, after a failure
	trouble  string    // of the last failure
}

// reached notes how a host was reached. One that failed twice in a row does not answer, until it does.
func (n *Node) reached(host string, err error, again time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.contacts[host]
	if err == nil {
		n.contacts[host] = contact{at: n.now()}
		return
	}
	if c.failures == 0 {
		c.since = n.now()
	}
	c.failures, c.again, c.trouble = c.failures+1, again, oneLine(err.Error())
	n.contacts[host] = c
}

func (n *Node) answers(host string) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.contacts[host].failures < 2
}

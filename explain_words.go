package onlink

import "strings"

// word is a term that somebody new to the field does not know, and what it means.
type word struct{ term, means string }

// words are explained where they come up first. A term is looked for as it stands here, in any case.
var words = [...]word{
	{"neighbor on the link", "Link: an Ethernet, say. Neighbors are the machines on it: there is no router between them and us."},
	{"hardware address", "Hardware address, or MAC address: that of a network card, by which a link delivers frames."},
	{"unicast", "Unicast: it belongs to one machine; a multicast address belongs to a group of them."},
	{"multicast group", "Group: every machine that has joined it gets the packet; others' hardware leaves it alone."},
	{"link-local", "Link-local: valid on one link only. Every IPv6 interface has such an address, in fe80::/10; a % tells the link."},
	{"loopback", "Loopback: what is sent there comes back to the machine itself, and is on no wire."},
	{"scope", "Scope: how far an address is valid: link-local on its own link, global everywhere."},
	{"label", "Label: the kind of an address, by the policy table (RFC 6724, 2.1); source and destination had better be of one."},
	{"precedence", "Precedence: from the same table; of several destinations the highest goes first, all else being equal."},
	{"deprecated", "Deprecated: near the end of its lifetime; good for what is under way, not for anything new."},
	{"tentative", "Tentative: not ours yet; whether another machine has it is found out first, which takes a second."},
	{"optimistic", "Optimistic: in use while it is still being found out whether another machine has it."},
	{"temporary", "Temporary: random, and replaced daily, so that the machine is hard to follow (RFC 8981); public ones stay."},
	{"rule 1: prefer same", "Rule 1: to ourselves we send from the very address."},
	{"rule 2: prefer appropriate", "Rule 2: an address that reaches as far as the destination, and no farther than need be."},
	{"rule 5: prefer outgoing", "Rule 5: an address of the interface that the packet leaves by."},
	{"rule 5.5: ", "Rule 5.5: an address of a network that the router itself advertises: it may not pass on others."},
	{"rule 2: prefer matching scope", "Rule 2: a destination that reaches as far as the address we would send from."},
	{"rule 8: prefer smaller", "Rule 8: the nearer of two, by scope."},
	{"in common", "Bits in common: the more of their first bits two addresses share, the nearer they are likely to be."},
	{"default (", "Default route: for all destinations that no route with a longer prefix covers."},
	{" via ", "Via: through this router; a route without \"via\" leads to machines on the link itself."},
	{"metric", "Metric: of routes with one prefix the lowest is taken."},
	{"redirect", "Redirect: a router's message that for one destination another neighbor is the better first hop."},
	{"neighbor cache", "Neighbor cache: the hardware addresses of neighbors that are remembered, and whether they answer."},
	{"a neighbor solicitation", "Neighbor Solicitation: \"who has this address?\", to a group that few others but its owner are in."},
	{"an arp request", "ARP request: \"who has this IPv4 address?\", to everybody on the link."},
	{"hop limit", "Hop limit: each router takes one off; at 0 the packet is dropped, so that none circles for ever."},
	{"flow label", "Flow label: one for all packets of a connection, by which routers keep them on one way (RFC 6437)."},
	{"ttl", "TTL: each router takes one off; at 0 the packet is dropped, so that none circles for ever."},
	{"df set", "DF, don't fragment: no router may cut the packet up; one that cannot send it on says what would fit."},
	{"syn", "SYN: TCP opens a connection with three segments: SYN, SYN and ACK from the other side, ACK."},
	{"mss", "MSS: octets of data that one segment may bring us."},
}

// explainWords adds to each step what the words mean that come up in it first.
func (x *explainer) explainWords() {
	var told [len(words)]bool
	for i := range x.Steps {
		s := &x.Steps[i]
		text := strings.ToLower(s.said(x.Explanation))
		for k, w := range words {
			if !told[k] && strings.Contains(text, w.term) {
				told[k] = true
				s.Words = append(s.Words, w.means)
			}
		}
	}
}

// said returns all that is said in a step.
func (s *ExplainedStep) said(e *Explanation) string {
	var b strings.Builder
	for _, t := range [...]string{s.Question, s.Decision, s.Rule, s.Entry, strings.Join(s.Notes, "\n")} {
		b.WriteString(t + "\n")
	}
	for i := range s.Candidates {
		for _, l := range s.Candidates[i].lines() {
			b.WriteString(l + "\n")
		}
	}
	if s.Number == len(questions)-1 {
		for _, f := range [...]*ExplainedFrame{e.First, e.Frame} {
			if f != nil {
				for _, l := range f.lines() {
					b.WriteString(l[0] + " " + l[1] + "\n")
				}
			}
		}
	}
	return b.String()
}

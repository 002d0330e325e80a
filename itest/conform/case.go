package conform

import "time"

// Case is one question to a node.
type Case struct {
	Name  string
	Rule  string // the sentence that decides it, with where it stands
	Kind  Kind
	Steps []Step

	// Want is what Describe must say of what the node sends, in order. Nil: the case says nothing, and only what Linux
	// does is compared.
	Want []string
	// Differs says why Linux and onlink differ; empty: they do not.
	Differs string
	// Chatter keeps what the node sends by itself in what is compared.
	Chatter bool
	// Answers keeps ARP replies and Neighbor Advertisements, and where their frames go.
	Answers bool
}

// Kind is what the node is.
type Kind uint8

// The kinds of nodes.
const (
	HostNode    Kind = iota // one interface, port 0
	RouterNode              // ports 0 and 1, and it forwards
	SmallRouter             // the same, and the MTU of port 1 is 1280
)

// Step is a frame that comes in at a port, and time that passes afterwards.
type Step struct {
	Port  int
	Frame []byte
	Then  time.Duration
}

// Sent is a frame that a node sent.
type Sent struct {
	Port  int
	Frame []byte
}

// Host is a node under test.
type Host interface {
	// Ask puts the steps to the node, one after the other, and returns what it sent meanwhile.
	Ask(steps []Step) []Sent
	Close()
}

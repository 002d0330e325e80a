package ip

import "github.com/onlink-go/onlink/internal/flow"

// FlowLabel is a choice of the flow label of packets of IPv6 (RFC 6437): a label of 20 bits, or one of those below.
type FlowLabel uint32

// What is no label.
const (
	AutoLabel FlowLabel = 0       // one is made for the flow, as the settings say
	NoLabel   FlowLabel = 1 << 20 // the field is 0
	MakeLabel FlowLabel = 1 << 21 // one is made, where the settings leave it to the user
)

// The values of Settings.FlowLabels: Linux's net.ipv6.auto_flowlabels.
const (
	LabelsOff    = 0
	LabelsOn     = 1 // unless the user says otherwise
	LabelsAsked  = 2 // if the user asks for one
	LabelsForced = 3
)

// Labeled reports whether packets are labeled whose user chooses c, which is no label.
func (s *Settings) Labeled(c FlowLabel) bool {
	switch s.FlowLabels {
	case LabelsOff:
		return false
	case LabelsForced:
		return true
	}
	return c == MakeLabel || c == AutoLabel && s.FlowLabels == LabelsOn
}

// FlowLabel returns the flow label of packets of the flow k for which c was chosen; 0: none.
func (l *Layer) FlowLabel(k *flow.Key, c FlowLabel) uint32 {
	switch {
	case k.Remote.Is4():
		return 0
	case c > 0 && c < NoLabel:
		return uint32(c)
	case !l.Settings().Labeled(c):
		return 0
	}
	// RFC 6437, 2: "source nodes SHOULD assign each unrelated transport connection and application data stream to a
	// new flow", and 3: labels "chosen from an approximation to a discrete uniform distribution".
	return k.Hash(l.ids.secret^flowLabels)&(1<<20-2) + 1
}

// flowLabels tells the secret of flow labels from others.
const flowLabels = 0x9c6f1bf4d1a3e52b

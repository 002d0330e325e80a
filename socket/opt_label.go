package socket

import (
	"syscall"

	"github.com/onlink-go/onlink/internal/ip"
)

// autoLabel is IPV6_AUTOFLOWLABEL: whether flow labels are made.
type autoLabel uint8

const (
	labelsDefault autoLabel = iota // as net.ipv6.auto_flowlabels says
	labelsOff
	labelsOn
)

// set takes the option. Errors: EINVAL.
func (a *autoLabel) set(b []byte) error {
	n, err := intValue(b)
	if err != nil {
		return syscall.EINVAL
	}
	*a = labelsOff
	if n != 0 {
		*a = labelsOn
	}
	return nil
}

// get writes the option.
func (a autoLabel) get(b []byte, s *ip.Settings) (int, error) {
	return putBool(b, a == labelsOn || a == labelsDefault && s.Labeled(ip.AutoLabel))
}

// choice returns what the option means to the internet layer.
func (a autoLabel) choice() ip.FlowLabel {
	return [...]ip.FlowLabel{labelsDefault: ip.AutoLabel, labelsOff: ip.NoLabel, labelsOn: ip.MakeLabel}[a]
}

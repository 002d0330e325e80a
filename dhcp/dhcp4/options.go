package dhcp4

import (
	"encoding/binary"
	"math"
	"net/netip"
	"slices"
	"time"
)

// The options that are known here, by code (RFC 2132, and where another says so).
const (
	OptPad             = 0
	OptSubnetMask      = 1
	OptRouters         = 3
	OptNameServers     = 6
	OptHostName        = 12
	OptDomainName      = 15
	OptInterfaceMTU    = 26
	OptBroadcast       = 28
	OptStaticRoutes    = 33
	OptNTPServers      = 42
	OptRequestedAddr   = 50
	OptLeaseTime       = 51
	OptOverload        = 52
	OptMessageType     = 53
	OptServerID        = 54
	OptParameters      = 55
	OptMessage         = 56
	OptMaxMessageSize  = 57
	OptRenewalTime     = 58
	OptRebindingTime   = 59
	OptVendorClass     = 60
	OptClientID        = 61
	OptDomainSearch    = 119 // RFC 3397
	OptClasslessRoutes = 121 // RFC 3442
	OptEnd             = 255
)

// Option is an option of a message, its parts joined if it was split.
type Option struct {
	Code uint8
	Data []byte
}

// Options are a message's options in the order they are in it, each once.
type Options []Option

// Get returns an option's octets, found false if there is no such option.
func (o Options) Get(code uint8) (data []byte, found bool) {
	if i := o.index(code); i >= 0 {
		return o[i].Data, true
	}
	return nil, false
}

func (o Options) index(code uint8) int {
	return slices.IndexFunc(o, func(p Option) bool { return p.Code == code })
}

// Set gives an option other octets, or adds it behind the others.
func (o *Options) Set(code uint8, data ...byte) {
	if i := o.index(code); i >= 0 {
		(*o)[i].Data = data
		return
	}
	*o = append(*o, Option{code, data})
}

// SetAddrs is Set with the octets of IPv4 addresses.
func (o *Options) SetAddrs(code uint8, addrs ...netip.Addr) {
	var data []byte
	for _, a := range addrs {
		data = append(data, a.AsSlice()...)
	}
	o.Set(code, data...)
}

// SetSeconds is Set with a time in seconds, rounded down; [Forever] is infinity.
//
// RFC 2131, 3.3: "The time value of 0xffffffff is reserved to represent 'infinity'."
func (o *Options) SetSeconds(code uint8, d time.Duration) {
	s := uint32(min(d/time.Second, infinity-1))
	if d == Forever {
		s = infinity
	}
	o.Set(code, binary.BigEndian.AppendUint32(nil, s)...)
}

// Delete removes an option, if it is there.
func (o *Options) Delete(code uint8) {
	*o = slices.DeleteFunc(*o, func(p Option) bool { return p.Code == code })
}

// Addr returns the one address that an option has; ok false if it is not there or has not four octets.
func (o Options) Addr(code uint8) (a netip.Addr, ok bool) {
	if v, _ := o.Get(code); len(v) == 4 {
		return netip.AddrFrom4([4]byte(v)), true
	}
	return a, false
}

// Addrs returns the addresses that an option has; ok false if it is there but malformed.
func (o Options) Addrs(code uint8) (all []netip.Addr, ok bool) {
	v, found := o.Get(code)
	if found && len(v) == 0 || len(v)%4 != 0 {
		return nil, false
	}
	for b := range slices.Chunk(v, 4) {
		all = append(all, netip.AddrFrom4([4]byte(b)))
	}
	return all, true
}

// infinity is "infinity" in seconds.
const infinity = math.MaxUint32

// Forever is the duration of a lease that does not end.
const Forever = time.Duration(math.MaxInt64)

// Seconds returns the time that an option has; ok false if it is not there or has not four octets.
func (o Options) Seconds(code uint8) (d time.Duration, ok bool) {
	v, _ := o.Get(code)
	if len(v) != 4 {
		return 0, false
	}
	if s := binary.BigEndian.Uint32(v); s != infinity {
		return time.Duration(s) * time.Second, true
	}
	return Forever, true
}

// parse adds what is in one of the fields that have options.
//
// RFC 3396, 7: "finds two or more options with the same option code, it MUST consider them to be split portions of an option".
func (o *Options) parse(b []byte) error {
	for len(b) > 0 {
		code := b[0]
		switch code {
		case OptPad:
			b = b[1:]
			continue
		case OptEnd:
			return nil
		}
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return malformed("option %d is cut off", code)
		}
		data := b[2 : 2+int(b[1])]
		b = b[2+len(data):]
		i := o.index(code)
		if i < 0 {
			i = len(*o)
			*o = append(*o, Option{Code: code, Data: []byte{}})
		}
		(*o)[i].Data = append((*o)[i].Data, data...)
	}
	return nil // without an end option: nothing is lost
}

// append appends the options to b, with an end option.
//
// RFC 3396, 6: "No split portion of an option that has been split can contain more than 255 octets. The split portions of
// the option MUST be stored in the aggregate option buffer in sequential order".
func (o Options) append(b []byte) []byte {
	for _, p := range o {
		for rest, first := p.Data, true; first || len(rest) > 0; first = false {
			n := min(len(rest), math.MaxUint8)
			b = append(append(b, p.Code, byte(n)), rest[:n]...)
			rest = rest[n:]
		}
	}
	return append(b, OptEnd)
}

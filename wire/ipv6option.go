package wire

// The options of Hop-by-Hop Options and Destination Options headers (RFC 8200, 4.2):
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+- - - - - - - - -
//	|  Option Type  |  Opt Data Len |  Option Data
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+- - - - - - - - -
const extOptions = 2 // where the options of the header begin

// The types of options (IANA, "Destination Options and Hop-by-Hop Options").
const (
	IPv6Pad1        = 0x00 // the only one without length and data
	IPv6PadN        = 0x01
	IPv6RouterAlert = 0x05 // (RFC 2711)
	IPv6Jumbo       = 0xc2 // (RFC 2675)
	IPv6HomeAddress = 0xc9 // (RFC 6275)
)

// OptionAction is what a node must do that does not know an option (RFC 8200, 4.2).
type OptionAction uint8

// The actions: the two highest bits of the type.
const (
	OptionSkip          OptionAction = iota // skip over this option and continue processing the header
	OptionDiscard                           // discard the packet
	OptionReport                            // discard it and send a Parameter Problem, code 2
	OptionReportUnicast                     // discard it and send that unless the destination was multicast
)

// IPv6Option is one option of a Hop-by-Hop Options or Destination Options header.
type IPv6Option struct {
	Type   uint8
	Offset int    // of its type, in octets from the beginning of the header
	Data   []byte // without type and length
}

// Action returns what to do with o if its type is not known.
func (o *IPv6Option) Action() OptionAction { return OptionAction(o.Type >> 6) }

// IPv6OptionIter goes through the options of a header; WalkIPv6Options makes one.
type IPv6OptionIter struct {
	o      IPv6Option
	header []byte
	offset int
	err    error
}

// WalkIPv6Options begins with the first option of a whole Hop-by-Hop Options or Destination Options header, as
// ExtHeader.Data is one. Call Next until it returns false, then Err.
func WalkIPv6Options(header []byte) IPv6OptionIter {
	return IPv6OptionIter{header: header, offset: extOptions}
}

// Next steps to the next option that is not padding, which Option then returns.
func (it *IPv6OptionIter) Next() bool {
	for it.err == nil && it.offset < len(it.header) {
		b := it.header[it.offset:]
		if b[0] == IPv6Pad1 {
			it.offset++
			continue
		}
		it.o = IPv6Option{Type: b[0], Offset: it.offset}
		if len(b) < 2 || 2+int(b[1]) > len(b) {
			it.err = ErrOption
			return false
		}
		n := 2 + int(b[1])
		it.offset += n
		if b[0] == IPv6PadN {
			continue
		}
		it.o.Data = b[2:n:n]
		return true
	}
	return false
}

// Option returns the option Next stepped to. After an error it is the malformed one, without data.
func (it *IPv6OptionIter) Option() IPv6Option { return it.o }

// Err returns ErrOption if an option is longer than the header, else nil.
func (it *IPv6OptionIter) Err() error { return it.err }

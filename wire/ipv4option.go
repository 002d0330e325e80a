package wire

// The options of an IPv4 header (RFC 791, 3.1): End of Option List and No Operation are one octet, the others
//
//	+--------+--------+---//---+
//	|  type  | length |  data  |
//	+--------+--------+---//---+
//
// with a length that counts all three.

// The types of options (RFC 791, 3.1; RFC 2113).
const (
	IPv4EndOfOptions   = 0
	IPv4NoOperation    = 1
	IPv4RecordRoute    = 7
	IPv4Timestamp      = 68
	IPv4Security       = 130
	IPv4LooseSource    = 131
	IPv4StreamID       = 136 // obsolete (RFC 6814)
	IPv4StrictSource   = 137
	IPv4RouterAlert    = 148
	ipv4OptionCopied   = 0x80
	ipv4OptionMinBytes = 2
)

// IPv4Option is one option of an IPv4 header.
type IPv4Option struct {
	Type   uint8
	Offset int    // of its type, in octets from the beginning of the IPv4 header
	Data   []byte // all of it, type and length included
}

// Copied reports whether the option goes into every fragment, not only the first (RFC 791, 3.1).
func (o *IPv4Option) Copied() bool { return o.Type&ipv4OptionCopied != 0 }

// IPv4OptionIter goes through the options of a header; WalkIPv4Options makes one.
type IPv4OptionIter struct {
	o       IPv4Option
	options []byte
	offset  int
	err     error
}

// WalkIPv4Options begins with the first of the options that IPv4.Options returned. Call Next until it returns
// false, then Err.
func WalkIPv4Options(options []byte) IPv4OptionIter { return IPv4OptionIter{options: options} }

// Next steps to the next option that is not padding, which Option then returns. It returns false at the end of the
// list.
func (it *IPv4OptionIter) Next() bool {
	for it.err == nil && it.offset < len(it.options) {
		b := it.options[it.offset:]
		switch b[0] {
		case IPv4EndOfOptions:
			it.offset = len(it.options)
			return false
		case IPv4NoOperation:
			it.offset++
			continue
		}
		it.o = IPv4Option{Type: b[0], Offset: IPv4MinLen + it.offset}
		if len(b) < ipv4OptionMinBytes || b[1] < ipv4OptionMinBytes || int(b[1]) > len(b) {
			it.err = ErrOption
			return false
		}
		n := int(b[1])
		it.offset += n
		it.o.Data = b[:n:n]
		return true
	}
	return false
}

// Option returns the option Next stepped to. After an error it is the malformed one, without data.
func (it *IPv4OptionIter) Option() IPv4Option { return it.o }

// Err returns ErrOption if the length of an option is illegal, else nil.
func (it *IPv4OptionIter) Err() error { return it.err }

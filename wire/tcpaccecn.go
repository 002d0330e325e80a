package wire

// AccECNOption is the option of Accurate ECN (RFC 9768, 3.2.3), in either of its orders:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  Kind = 172   |  Length = 11  |          EE0B field           |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| EE0B (cont'd) |           ECEB field                          |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                  EE1B field                   |             Order 0
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  Kind = 174   |  Length = 11  |          EE1B field           |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| EE1B (cont'd) |           ECEB field                          |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                  EE0B field                   |             Order 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// Fields may be left out at the end: the length is 2, 5, 8 or 11 (table 5). The zero value is an option that is absent.
type AccECNOption struct {
	Present bool
	Order   uint8     // 0 or 1
	Fields  uint8     // how many counters there are: 0 to 3
	Counter [3]uint32 // the counters in the order of the wire, of 24 bits
}

// AccECNMask is what a counter is sent modulo, less one.
const AccECNMask = 1<<24 - 1

// Len returns the octets of the option with its padding; 0: it is absent.
func (a *AccECNOption) Len() int {
	if !a.Present {
		return 0
	}
	return AccECNLen(int(a.Fields))
}

// AccECNLen returns the octets of an option with so many counters, padding included.
func AccECNLen(fields int) int { return (2 + 3*fields + 3) &^ 3 }

// parse reads the option from what follows kind and length. RFC 9768, 3.2.3: "if the AccECN Option is of any other length,
// implementations MUST use those whole 3-octet fields that fit within the length and ignore the remainder of the option,
// treating it as padding."
func (a *AccECNOption) parse(kind uint8, data []byte) {
	*a = AccECNOption{Present: true, Fields: uint8(min(len(data)/3, len(a.Counter)))}
	if kind == tcpOptAccECN1 {
		a.Order = 1
	}
	for i := range a.Counter[:a.Fields] {
		a.Counter[i] = uint32(data[3*i])<<16 | uint32(data[3*i+1])<<8 | uint32(data[3*i+2])
	}
}

// put writes the option and the padding behind it to b, which is as long as both.
func (a *AccECNOption) put(b []byte) {
	n := 2 + 3*int(a.Fields)
	b[0], b[1] = tcpOptAccECN0, uint8(n)
	if a.Order == 1 {
		b[0] = tcpOptAccECN1
	}
	for i, v := range a.Counter[:a.Fields] {
		b[2+3*i], b[3+3*i], b[4+3*i] = uint8(v>>16), uint8(v>>8), uint8(v)
	}
	for i := n; i < len(b); i++ {
		b[i] = tcpOptNOP
	}
}

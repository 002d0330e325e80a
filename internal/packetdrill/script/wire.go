package script

import "encoding/binary"

// Size is how many bytes the option has on the wire.
func (o *TCPOption) Size() int {
	if o.Kind == OptEOL || o.Kind == OptNOP {
		return 1
	}
	return len(o.Append(nil))
}

// Append adds the option to b as on the wire.
func (o *TCPOption) Append(b []byte) []byte {
	at := len(b)
	b = append(b, uint8(o.Kind))
	if o.Kind == OptEOL || o.Kind == OptNOP {
		return b
	}
	b = append(b, 0) // the length, below
	if o.Kind > 255 {
		b = binary.BigEndian.AppendUint16(b, uint16(o.Kind>>8))
	}
	switch kind := o.Kind; {
	case o.Raw:
		b = append(b, o.Data...)
	case kind == OptMSS:
		b = binary.BigEndian.AppendUint16(b, uint16(o.Value))
	case kind == OptWScale:
		b = append(b, uint8(o.Value))
	case kind == OptSACK:
		for _, k := range o.Blocks {
			b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, k.Left), k.Right)
		}
	case kind == OptTS:
		b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, o.TSVal), o.TSEcr)
	case accECNKind(kind):
		for _, n := range o.Counters {
			b = append(b, byte(n>>16), byte(n>>8), byte(n))
		}
	case kind == OptExpTARR:
		if o.HasValue {
			b = binary.BigEndian.AppendUint16(b, uint16(o.Value<<5))
		}
	default:
		b = append(b, o.Data...)
	}
	b[at+1] = uint8(len(b) - at)
	return b
}

// DecodeOptions returns the options of a segment as a script would write them. What does not have the form its kind
// asks for comes back as a bare kind and data; bytes behind a length that cannot be are one such option, too.
func DecodeOptions(b []byte) []TCPOption {
	var list []TCPOption
	for len(b) > 0 {
		kind := OptionKind(b[0])
		if kind == OptEOL || kind == OptNOP {
			list, b = append(list, TCPOption{Kind: kind}), b[1:]
			continue
		}
		if len(b) < 2 || int(b[1]) < 2 || int(b[1]) > len(b) {
			return append(list, TCPOption{Kind: kind, Raw: true, Data: append([]byte(nil), b[min(2, len(b)):]...)})
		}
		list = append(list, decodeOption(kind, b[2:b[1]]))
		b = b[b[1]:]
	}
	return list
}

// decodeOption is DecodeOptions for one option, of which data is what follows the length.
func decodeOption(kind OptionKind, data []byte) TCPOption {
	o := TCPOption{Kind: kind}
	if kind == OptExp && len(data) >= 2 {
		switch shared := OptionKind(binary.BigEndian.Uint16(data))<<8 | OptExp; shared {
		case OptExpFO, OptExpAccECN0, OptExpAccECN1, OptExpTARR:
			o.Kind, data = shared, data[2:]
		}
	}
	switch n := len(data); {
	case o.Kind == OptMSS && n == 2:
		o.Value = uint32(binary.BigEndian.Uint16(data))
	case o.Kind == OptWScale && n == 1:
		o.Value = uint32(data[0])
	case o.Kind == OptSACKOK && n == 0:
	case o.Kind == OptSACK && n > 0 && n%8 == 0:
		for ; len(data) > 0; data = data[8:] {
			o.Blocks = append(o.Blocks, Block{binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:])})
		}
	case o.Kind == OptTS && n == 8:
		o.TSVal, o.TSEcr = binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:])
	case o.Kind == OptMD5 && n <= 16, o.Kind == OptFO, o.Kind == OptExpFO:
		o.Data = append([]byte(nil), data...)
	case accECNKind(o.Kind) && n <= 9 && n%3 == 0:
		for ; len(data) > 0; data = data[3:] {
			o.Counters = append(o.Counters, uint32(data[0])<<16|uint32(data[1])<<8|uint32(data[2]))
		}
	case o.Kind == OptExpTARR && n == 0:
	case o.Kind == OptExpTARR && n == 2:
		o.HasValue, o.Value = true, uint32(binary.BigEndian.Uint16(data)>>5)
	case o.Kind > 255: // a shared kind in a form of its own
		o.Data = append(binary.BigEndian.AppendUint16(nil, uint16(o.Kind>>8)), data...)
		o.Kind, o.Raw = OptExp, true
	default:
		o.Data, o.Raw = append([]byte(nil), data...), true
	}
	return o
}

func accECNKind(k OptionKind) bool {
	return k == OptAccECN0 || k == OptAccECN1 || k == OptExpAccECN0 || k == OptExpAccECN1
}

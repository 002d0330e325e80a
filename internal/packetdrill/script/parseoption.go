package script

import (
	"encoding/hex"
	"strings"
)

// tcpOption reads one option of a segment.
func (p *parser) tcpOption() TCPOption {
	o := TCPOption{Pos: p.where()}
	off := p.tok.off
	name := p.optionName()
	switch strings.ToLower(name) {
	case "nop":
		o.Kind = OptNOP
	case "eol":
		o.Kind = OptEOL
	case "mss":
		o.Kind, o.Value = OptMSS, uint32(p.number("the MSS", 1<<16-1))
	case "wscale":
		o.Kind, o.Value = OptWScale, uint32(p.number("the shift of the window", 255))
	case "sackok":
		o.Kind = OptSACKOK
	case "sack":
		p.sack(&o)
	case "ts", "tsval":
		p.timestamps(&o, strings.EqualFold(name, "TSval"))
	case "md5":
		o.Kind = OptMD5
		if p.tok.kind == tokWord || p.tok.kind == tokInt || p.tok.kind == tokHex { // else the interpreter computes it
			o.Data = p.hex("the digest of MD5", 16)
		}
	case "fo":
		o.Kind, o.Data = OptFO, p.cookie(38)
	case "foexp", "exp-fo", "exp-fast-open":
		o.Kind, o.Data = OptExpFO, p.cookie(36)
	case "accecn0", "accecn1", "exp-accecn0", "exp-accecn1", "ecn", "exp-ecn":
		p.accECN(&o, strings.ToLower(name))
	case "exp-tarr":
		o.Kind = OptExpTARR
		if o.HasValue = p.tok.kind == tokInt; o.HasValue {
			o.Value = uint32(p.number("the rate of TARR", 1<<11-1))
		}
	case "kind":
		p.otherOption(&o)
	case "mp_capable", "mp_join_syn", "mp_join_syn_ack", "mp_join_ack", "mp_join", "dss", "add_address", "add_addr",
		"remove_address", "rm_addr", "mp_prio", "mp_fail", "mp_fastclose", "mp_reset":
		p.fail(off, "MPTCP is not supported: found its option %s", name)
	default:
		p.fail(off, "found %q, expected an option: mss, wscale, sackOK, sack, TS, nop, eol, FO, FOEXP, md5, AccECN0, AccECN1", shorten(name))
	}
	return o
}

// optionName reads the name of an option, in which there may be hyphens.
func (p *parser) optionName() string {
	if p.tok.kind != tokWord {
		p.expected("an option of a segment")
	}
	name := p.tok.text
	for p.off < len(p.src)-1 && p.src[p.off] == '-' && wordByte(p.src[p.off+1]) {
		p.off++
		name += "-" + p.run(wordByte)
	}
	p.advance()
	return name
}

func (p *parser) sack(o *TCPOption) {
	o.Kind = OptSACK
	for o.Blocks == nil || p.tok.kind == tokInt {
		left := p.number("the left edge of a SACK block", 1<<32-1)
		p.want(':', "between the edges of a SACK block")
		right := p.number("the right edge of a SACK block", 1<<32-1)
		o.Blocks = append(o.Blocks, Block{uint32(left), uint32(right)})
	}
}

// timestamps reads val 100 ecr 0, where val may be ... and ecr be followed by !. A name of TSval has said val.
func (p *parser) timestamps(o *TCPOption, val bool) {
	o.Kind = OptTS
	if !val && !p.takeWord("val") {
		p.expected("val and a timestamp")
	}
	if o.AnyTSVal = p.tok.kind == tokEllipsis; o.AnyTSVal {
		p.advance()
	} else {
		o.TSVal = uint32(p.number("the timestamp", 1<<32-1))
	}
	if !p.takeWord("ecr") && !p.takeWord("TSecr") {
		p.expected("ecr and a timestamp")
	}
	o.TSEcr = uint32(p.number("the timestamp echoed", 1<<32-1))
	o.AbsTSEcr = p.take('!')
}

// cookie reads a cookie of Fast Open, which may be empty.
func (p *parser) cookie(limit int) []byte {
	if p.tok.kind != tokWord && p.tok.kind != tokInt && p.tok.kind != tokHex {
		return nil
	}
	return p.hex("a cookie of Fast Open", limit)
}

// hex reads an even number of hexadecimal digits. The lexer takes them for a number or a word, as they come.
func (p *parser) hex(what string, limit int) []byte {
	if p.tok.kind != tokWord && p.tok.kind != tokInt && p.tok.kind != tokHex {
		p.expected("%s in hexadecimal", what)
	}
	data, err := hex.DecodeString(strings.TrimPrefix(p.tok.text, "0x"))
	switch {
	case err != nil:
		p.fail(p.tok.off, "found %s, expected %s: an even number of hexadecimal digits", p.found(), what)
	case len(data) > limit:
		p.fail(p.tok.off, "%s has %d bytes, %d fit", what, len(data), limit)
	}
	p.advance()
	return data
}

// accECN reads the counters of Accurate ECN's option in the order of the wire: of three, the first ones. The name ecn
// leaves it to the first counter which of the two orders it is.
func (p *parser) accECN(o *TCPOption, name string) {
	counters := map[string]string{"ee0b": "ee0b", "e0b": "ee0b", "eceb": "eceb", "ceb": "eceb", "ee1b": "ee1b", "e1b": "ee1b"}
	order := 0
	if first := counters[strings.ToLower(p.tok.text)]; strings.HasSuffix(name, "1") ||
		strings.HasSuffix(name, "ecn") && p.tok.kind == tokWord && first == "ee1b" {
		order = 1
	}
	o.Kind = [2]OptionKind{OptAccECN0, OptAccECN1}[order]
	if strings.HasPrefix(name, "exp-") {
		o.Kind = [2]OptionKind{OptExpAccECN0, OptExpAccECN1}[order]
	}
	for p.tok.kind == tokWord {
		if len(o.Counters) == 3 || counters[strings.ToLower(p.tok.text)] != accECNOrder[order][len(o.Counters)] {
			p.expected("the counters in the order %s", strings.Join(accECNOrder[order][:], ", "))
		}
		p.advance()
		o.Counters = append(o.Counters, uint32(p.number("a counter of Accurate ECN", 1<<24-1)))
	}
}

// otherOption reads an option that has no name: kind 99 data 0x0102.
func (p *parser) otherOption(o *TCPOption) {
	o.Kind = OptionKind(p.number("the kind of an option", 255))
	o.Raw = o.Kind != OptNOP && o.Kind != OptEOL
	if o.Raw && p.takeWord("data") {
		o.Data = p.hex("the data of an option", maxOptions-2)
	}
}

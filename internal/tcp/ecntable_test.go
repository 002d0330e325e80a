package tcp

import (
	"fmt"
	"testing"
	"time"

	"github.com/onlink-go/onlink/wire"
)

// RFC 9768, table 2, between hosts of all settings: both ends are in the same mode.
func TestECNNegotiation(t *testing.T) {
	// What a host asks for and what it accepts, by tcp_ecn.
	asks := [6]ecnMode{ecnNone, ecnClassic, ecnNone, ecnAccurate, ecnClassic, ecnNone}
	accepts := [6]ecnMode{ecnNone, ecnClassic, ecnClassic, ecnAccurate, ecnAccurate, ecnAccurate}
	for a := range 6 {
		for b := range 6 {
			p := newPair(t, 1)
			p.cfg[0].ECN, p.cfg[1].ECN = ecnSetting(a), ecnSetting(b)
			p.connect()
			// "the two ends use these three bits … to negotiate the most advanced feedback protocol that they can both support".
			want := min(asks[a], accepts[b])
			if x, y := p.ends[0].ecn.mode, p.ends[1].ecn.mode; x != want || y != want {
				t.Errorf("%d to %d: modes %d and %d, want %d", a, b, x, y, want)
			}
			p.transfer(0, pattern(50000), time.Minute)
			p.transfer(1, pattern(50000), time.Minute)
			for i, c := range p.ends {
				if info := c.Info(p.now); info.AccECNFailMode != 0 || info.AccurateECN != (want == ecnAccurate) {
					t.Errorf("%d to %d: end %d fails: %+v", a, b, i, info)
				}
			}
		}
	}
}

// ecnSetting returns Config.ECN for a value of tcp_ecn.
func ecnSetting(v int) int {
	if v == 0 {
		return -1
	}
	return v
}

// The control bits of SYNs: 3.1.2, 3.1.3.
func TestECNAgrees(t *testing.T) {
	for ace := range uint8(8) {
		for setting := range 6 {
			for field := range uint8(4) {
				cfg := (&Config{ECN: ecnSetting(setting)}).Complete()
				syn := &Segment{Flags: wire.SYN.WithACE(ace), ECN: field}
				want := ecnNone
				switch {
				case setting >= 3 && ace != 0b000 && ace != 0b011:
					want = ecnAccurate
				case setting >= 1 && ace == 0b111: // RFC 3168, to which AE is reserved
					want = ecnClassic
				case setting >= 1 && ace == 0b011 && field == NotECT:
					want = ecnClassic
				}
				if got := ecnAgrees(cfg, syn); got != want {
					t.Errorf("tcp_ecn=%d, ACE %03b, ECN field %d: %d, want %d", setting, ace, field, got, want)
				}
			}
		}
	}
}

// The control bits of SYN,ACKs: table 2.
func TestECNAnswered(t *testing.T) {
	for ace, want := range [8]ecnMode{ecnNone, ecnClassic, ecnAccurate, ecnAccurate, ecnAccurate, ecnAccurate, ecnAccurate, ecnNone} {
		if got := ecnAnswered(ecnAccurate, uint8(ace)); got != want {
			t.Errorf("asked for the accurate one, ACE %03b: %d, want %d", ace, got, want)
		}
		if got := ecnAnswered(ecnNone, uint8(ace)); got != ecnNone {
			t.Errorf("asked for nothing, ACE %03b: %d", ace, got)
		}
		classic := ecnNone
		if ace&0b011 == 0b001 {
			classic = ecnClassic // RFC 3168, 6.1.1: ECE, and not CWR
		}
		if got := ecnAnswered(ecnClassic, uint8(ace)); got != classic {
			t.Errorf("asked for the classic one, ACE %03b: %d, want %d", ace, got, classic)
		}
	}
}

// Each ECN field of a SYN or SYN,ACK is told and understood; what has no meaning is as if nothing had changed.
func TestECNTold(t *testing.T) {
	for field := range uint8(4) {
		flags := ecnSYNACKFlags(ecnAccurate, field)
		if ecnAnswered(ecnAccurate, flags.ACE()) != ecnAccurate || ecnTold(flags.ACE(), 77) != field {
			t.Errorf("ECN field %d: %v", field, flags)
		}
	}
	for _, ace := range []uint8{0b000, 0b001, 0b101, 0b111} {
		if got := ecnTold(ace, ECT0); got != ECT0 {
			t.Errorf("ACE %03b tells %d", ace, got)
		}
	}
}

// 3.2.2.3: "the Not-ECT codepoint changes; either ECT codepoint transitions to Not-ECT; the CE codepoint changes."
func TestECNMangled(t *testing.T) {
	valid := map[[2]uint8]bool{{NotECT, NotECT}: true, {ECT0, ECT0}: true, {ECT0, ECT1}: true, {ECT0, CE}: true,
		{ECT1, ECT1}: true, {ECT1, ECT0}: true, {ECT1, CE}: true, {CE, CE}: true}
	for sent := range uint8(4) {
		for arrived := range uint8(4) {
			if got := ecnMangled(sent, arrived); got == valid[[2]uint8{sent, arrived}] {
				t.Errorf("%d became %d: mangled %v", sent, arrived, got)
			}
		}
	}
}

// A handshake that loses its segments: 3.1.4.1 and 3.2.3.2.2. Both ends are in the same mode whatever is lost, or none uses ECT.
func TestECNHandshakeLosses(t *testing.T) {
	for lost := range 1 << 6 {
		t.Run(fmt.Sprintf("%06b", lost), func(t *testing.T) {
			p := newPair(t, 1)
			p.cfg[0].ECN, p.cfg[1].ECN = ecnAskAccurate, ecnAskAccurate
			n := [2]int{}
			for i := range p.chans {
				p.chans[i].drop = func(seg *Segment) bool {
					n[i]++
					return n[i] <= 3 && lost>>(3*i+n[i]-1)&1 != 0
				}
			}
			plain := true
			p.sent = func(_ int, seg *Segment) {
				if seg.Flags&wire.SYN != 0 && seg.ECN != NotECT {
					t.Errorf("a SYN with ECN field %d", seg.ECN)
				}
				plain = plain && seg.ECN == NotECT
			}
			p.connect()
			p.transfer(0, pattern(5000), time.Minute)
			p.transfer(1, pattern(5000), time.Minute)
			a, b := p.ends[0].ecn.mode, p.ends[1].ecn.mode
			if a != b && !plain {
				t.Errorf("modes %d and %d, and ECT was sent", a, b)
			}
			if a == ecnClassic || b == ecnClassic {
				t.Errorf("modes %d and %d: nobody asked for RFC 3168", a, b)
			}
		})
	}
}

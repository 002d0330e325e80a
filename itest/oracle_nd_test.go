package itest

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"pgregory.net/rapid"

	"github.com/onlink-go/onlink/wire"
)

// decodeND reads the ND message that put writes into a packet with gopacket.
func decodeND(t *rapid.T, n int, put func(b []byte)) gopacket.Packet {
	t.Helper()
	b := make([]byte, n)
	put(b)
	src, dst := addrs6.Draw(t, "src"), addrs6.Draw(t, "dst")
	wire.FinishICMPv6(b, src, dst)
	return decode(t, putIPv6(wire.ProtoICMPv6, src, dst, b), layers.LayerTypeIPv6)
}

// linkAddress is a link-layer address, or none.
var linkAddress = rapid.OneOf(macs, rapid.Just(wire.MAC{}))

// Options of ND for which gopacket has no name.
const (
	optNonce = 14 // RFC 3971, 5.3.2
	optRoute = 24 // RFC 4191, 2.3
	optRDNSS = 25 // RFC 8106, 5.1
	optDNSSL = 31 // RFC 8106, 5.2
)

// option takes the first option of a type from the list; nil: there is none.
func option(from *layers.ICMPv6Options, typ layers.ICMPv6Opt) []byte {
	for i, o := range *from {
		if o.Type == typ {
			*from = slices.Delete(slices.Clone(*from), i, i+1)
			return o.Data
		}
	}
	return nil
}

// eqLink checks the link-layer address option of a type.
func eqLink(t *rapid.T, from *layers.ICMPv6Options, typ layers.ICMPv6Opt, want wire.MAC) {
	t.Helper()
	got := option(from, typ)
	if want == (wire.MAC{}) {
		eq(t, "octets of a link-layer address", len(got), 0)
		return
	}
	eqBytes(t, "link-layer address", got, want[:])
}

func noMore(t *rapid.T, options layers.ICMPv6Options) {
	t.Helper()
	if len(options) > 0 {
		t.Errorf("options that were not written: %v", options)
	}
}

func TestOracleNeighborSolicitation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := wire.NeighborSolicitation{Target: unicast6.Draw(t, "target"), SourceLink: linkAddress.Draw(t, "link"),
			HasNonce: flags.Draw(t, "has nonce")}
		if m.HasNonce {
			m.Nonce = wire.Nonce(rapid.SliceOfN(octets, 6, 6).Draw(t, "nonce"))
		}
		g := layer[*layers.ICMPv6NeighborSolicitation](t, decodeND(t, m.Len(), m.Put))
		eqAddr(t, "target", g.TargetAddress, m.Target)
		eqLink(t, &g.Options, layers.ICMPv6OptSourceAddress, m.SourceLink)
		if nonce := option(&g.Options, optNonce); m.HasNonce || nonce != nil {
			eqBytes(t, "nonce", nonce, m.Nonce[:])
		}
		noMore(t, g.Options)
	})
}

func TestOracleNeighborAdvertisement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := wire.NeighborAdvertisement{Router: flags.Draw(t, "r"), Solicited: flags.Draw(t, "s"), Override: flags.Draw(t, "o"),
			Target: unicast6.Draw(t, "target"), TargetLink: linkAddress.Draw(t, "link")}
		g := layer[*layers.ICMPv6NeighborAdvertisement](t, decodeND(t, m.Len(), m.Put))
		eq(t, "router", g.Router(), m.Router)
		eq(t, "solicited", g.Solicited(), m.Solicited)
		eq(t, "override", g.Override(), m.Override)
		eqAddr(t, "target", g.TargetAddress, m.Target)
		eqLink(t, &g.Options, layers.ICMPv6OptTargetAddress, m.TargetLink)
		noMore(t, g.Options)
	})
}

func TestOracleRouterSolicitation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := wire.RouterSolicitation{SourceLink: linkAddress.Draw(t, "link")}
		g := layer[*layers.ICMPv6RouterSolicitation](t, decodeND(t, m.Len(), m.Put))
		eqLink(t, &g.Options, layers.ICMPv6OptSourceAddress, m.SourceLink)
		noMore(t, g.Options)
	})
}

func TestOracleRedirect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := wire.Redirect{Target: unicast6.Draw(t, "target"), Destination: unicast6.Draw(t, "destination"),
			TargetLink: linkAddress.Draw(t, "link"), Packet: rapid.SliceOfN(octets, 0, 200).Draw(t, "packet")}
		g := layer[*layers.ICMPv6Redirect](t, decodeND(t, m.Len(), m.Put))
		eqAddr(t, "target", g.TargetAddress, m.Target)
		eqAddr(t, "destination", g.DestinationAddress, m.Destination)
		eqLink(t, &g.Options, layers.ICMPv6OptTargetAddress, m.TargetLink)
		quoted := option(&g.Options, layers.ICMPv6OptRedirectedHeader)
		if whole := len(m.Packet) &^ 7; whole > 0 {
			// RFC 4861, 4.6.3: six reserved octets, then the packet, as much of it as makes a multiple of 8 octets.
			eqBytes(t, "redirected header", quoted, append(make([]byte, 6), m.Packet[:whole]...))
		} else if quoted != nil {
			t.Errorf("redirected header % x of a packet of %d octets", quoted, len(m.Packet))
		}
		noMore(t, g.Options)
	})
}

var preferences = rapid.SampledFrom([]wire.Preference{wire.PreferenceLow, wire.PreferenceMedium, wire.PreferenceHigh})

// preferenceBits are the two bits of RFC 4191, 2.1.
var preferenceBits = map[wire.Preference]uint8{wire.PreferenceHigh: 0b01, wire.PreferenceMedium: 0b00, wire.PreferenceLow: 0b11}

// masked returns the prefix of n bits of a.
func masked(a wire.Addr, n uint8) wire.Addr {
	p, _ := a.Netip().Prefix(int(n))
	return wire.AddrFrom(p.Addr())
}

var prefixLens = rapid.ByteRange(0, 128)

func TestOracleRouterAdvertisement(t *testing.T) {
	few := func(t *rapid.T, what string) int { return rapid.IntRange(0, 3).Draw(t, what) }
	rapid.Check(t, func(t *rapid.T) {
		m := wire.RouterAdvertisement{CurHopLimit: octets.Draw(t, "hops"), Managed: flags.Draw(t, "m"), OtherConfig: flags.Draw(t, "o"),
			Preference: preferences.Draw(t, "prf"), RouterLifetime: words.Draw(t, "lifetime"), ReachableTime: doubles.Draw(t, "reachable"),
			RetransTimer: doubles.Draw(t, "retrans"), SourceLink: linkAddress.Draw(t, "link"), MTU: doubles.Draw(t, "mtu")}
		for range few(t, "prefixes") {
			m.Prefixes = append(m.Prefixes, wire.PrefixInformation{Prefix: addrs6.Draw(t, "prefix"),
				PrefixLen: prefixLens.Draw(t, "length"), OnLink: flags.Draw(t, "l"),
				Autonomous: flags.Draw(t, "a"), Valid: doubles.Draw(t, "valid"), Preferred: doubles.Draw(t, "preferred")})
		}
		for range few(t, "routes") {
			m.Routes = append(m.Routes, wire.RouteInformation{Prefix: addrs6.Draw(t, "route"),
				PrefixLen: prefixLens.Draw(t, "length"), Preference: preferences.Draw(t, "prf"),
				Lifetime: doubles.Draw(t, "lifetime")})
		}
		for range few(t, "rdnss") {
			m.DNSServers = append(m.DNSServers, wire.RDNSS{Lifetime: doubles.Draw(t, "lifetime"), Servers: rapid.SliceOfN(addrs6, 1, 3).Draw(t, "servers")})
		}
		for range few(t, "dnssl") {
			m.DNSSearch = append(m.DNSSearch, wire.DNSSL{Lifetime: doubles.Draw(t, "lifetime"),
				Domains: rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,20}(\.[a-z]{1,20}){0,3}`), 1, 3).Draw(t, "domains")})
		}

		g := layer[*layers.ICMPv6RouterAdvertisement](t, decodeND(t, m.Len(), m.Put))
		eq(t, "hops", g.HopLimit, m.CurHopLimit)
		eq(t, "managed", g.ManagedAddressConfig(), m.Managed)
		eq(t, "other", g.OtherConfig(), m.OtherConfig)
		// RFC 4191, 2.2: "If the Router Lifetime is zero, the preference value MUST be set to (00) by the sender".
		if m.RouterLifetime == 0 {
			m.Preference = wire.PreferenceMedium
		}
		eq(t, "preference", g.Flags>>3&3, preferenceBits[m.Preference])
		eq(t, "lifetime", g.RouterLifetime, m.RouterLifetime)
		eq(t, "reachable", g.ReachableTime, m.ReachableTime)
		eq(t, "retrans", g.RetransTimer, m.RetransTimer)
		eqLink(t, &g.Options, layers.ICMPv6OptSourceAddress, m.SourceLink)
		if mtu := option(&g.Options, layers.ICMPv6OptMTU); m.MTU != 0 || mtu != nil {
			eqBytes(t, "mtu", mtu, binary.BigEndian.AppendUint32([]byte{0, 0}, m.MTU))
		}
		for _, p := range m.Prefixes {
			var bits byte
			if p.OnLink {
				bits |= 0x80
			}
			if p.Autonomous {
				bits |= 0x40
			}
			want := binary.BigEndian.AppendUint32([]byte{p.PrefixLen, bits}, p.Valid)
			want = binary.BigEndian.AppendUint32(want, p.Preferred)
			// RFC 4861, 4.6.2: "The bits in the prefix after the prefix length are reserved and MUST be initialized to zero
			// by the sender".
			want = append(append(want, 0, 0, 0, 0), addr16(masked(p.Prefix, p.PrefixLen))...)
			eqBytes(t, "prefix", option(&g.Options, layers.ICMPv6OptPrefixInfo), want)
		}
		for _, r := range m.Routes {
			want := binary.BigEndian.AppendUint32([]byte{r.PrefixLen, preferenceBits[r.Preference] << 3}, r.Lifetime)
			want = append(want, addr16(masked(r.Prefix, r.PrefixLen))[:(int(r.PrefixLen)+63)/64*8]...)
			eqBytes(t, "route", option(&g.Options, optRoute), want)
		}
		for _, s := range m.DNSServers {
			want := binary.BigEndian.AppendUint32([]byte{0, 0}, s.Lifetime)
			for _, a := range s.Servers {
				want = append(want, addr16(a)...)
			}
			eqBytes(t, "RDNSS", option(&g.Options, optRDNSS), want)
		}
		for _, s := range m.DNSSearch {
			want := binary.BigEndian.AppendUint32([]byte{0, 0}, s.Lifetime)
			for _, name := range s.Domains {
				for label := range bytes.SplitSeq([]byte(name), []byte(".")) {
					want = append(append(want, byte(len(label))), label...)
				}
				want = append(want, 0)
			}
			for (len(want)+2)%8 != 0 {
				want = append(want, 0)
			}
			eqBytes(t, "DNSSL", option(&g.Options, optDNSSL), want)
		}
		noMore(t, g.Options)
	})
}

func addr16(a wire.Addr) []byte {
	b := make([]byte, 16)
	a.Put16(b)
	return b
}

package itest

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"
	"pgregory.net/rapid"

	"github.com/onlink-go/onlink/wire"
)

var groups4 = rapid.Custom(func(t *rapid.T) wire.Addr {
	return wire.Addr4(byte(rapid.IntRange(224, 239).Draw(t, "first")), rapid.Byte().Draw(t, "b"), rapid.Byte().Draw(t, "c"), rapid.Byte().Draw(t, "d"))
})

// drawReport draws a report of groups and sources.
func drawReport(t *rapid.T, group, source *rapid.Generator[wire.Addr]) (r wire.GroupReport) {
	for range rapid.IntRange(0, 5).Draw(t, "records") {
		r.Records = append(r.Records, wire.GroupRecord{Type: wire.RecordType(rapid.IntRange(1, 6).Draw(t, "type")),
			Group: group.Draw(t, "group"), Sources: rapid.SliceOfN(source, 0, 6).Draw(t, "sources")})
	}
	return r
}

// A report of IGMPv3 is one to gopacket, and a query too.
func TestIGMPOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawReport(t, groups4, addrs4)
		b := make([]byte, r.IGMPReportLen())
		r.PutIGMPReport(b)
		wire.FinishIGMP(b)
		var got layers.IGMP
		if err := got.DecodeFromBytes(b, nopFeedback{}); err != nil {
			t.Fatalf("%v: % x", err, b)
		}
		eq(t, "records", len(got.GroupRecords), len(r.Records))
		for i, rec := range got.GroupRecords {
			want := r.Records[i]
			a, _ := netip.AddrFromSlice(rec.MulticastAddress)
			eq(t, "type", wire.RecordType(rec.Type), want.Type)
			eq(t, "group", wire.AddrFrom(a), want.Group)
			eq(t, "sources", len(rec.SourceAddresses), len(want.Sources))
			for k, s := range rec.SourceAddresses {
				a, _ := netip.AddrFromSlice(s)
				eq(t, "source", wire.AddrFrom(a), want.Sources[k])
			}
		}

		q := wire.GroupQuery{Version: 3, Group: groups4.Draw(t, "group"), MaxResp: time.Duration(rapid.IntRange(0, 127).Draw(t, "max")) * time.Second / 10,
			QRV: uint8(rapid.IntRange(0, 7).Draw(t, "QRV")), Suppress: rapid.Bool().Draw(t, "S"), Sources: rapid.SliceOfN(addrs4, 0, 6).Draw(t, "sources")}
		b = make([]byte, q.IGMPQueryLen())
		q.PutIGMPQuery(b)
		wire.FinishIGMP(b)
		if err := got.DecodeFromBytes(b, nopFeedback{}); err != nil {
			t.Fatalf("%v: % x", err, b)
		}
		eq(t, "max resp", got.MaxResponseTime, q.MaxResp)
		eq(t, "QRV", got.RobustnessValue, q.QRV)
		eq(t, "S", got.SupressRouterProcessing, q.Suppress)
		eq(t, "sources", int(got.NumberOfSources), len(q.Sources))
	})
}

// A report of MLDv2 is one to gopacket.
func TestMLDOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawReport(t, addrs6, addrs6)
		b := make([]byte, r.MLDReportLen())
		r.PutMLDReport(b)
		var got layers.MLDv2MulticastListenerReportMessage
		if err := got.DecodeFromBytes(b[4:], nopFeedback{}); err != nil {
			t.Fatalf("%v: % x", err, b)
		}
		eq(t, "records", len(got.MulticastAddressRecords), len(r.Records))
		for i, rec := range got.MulticastAddressRecords {
			want := r.Records[i]
			a, _ := netip.AddrFromSlice(rec.MulticastAddress)
			eq(t, "type", wire.RecordType(rec.RecordType), want.Type)
			eq(t, "group", wire.AddrFrom(a), want.Group)
			var sources []wire.Addr
			for _, s := range rec.SourceAddresses {
				a, _ := netip.AddrFromSlice(s)
				sources = append(sources, wire.AddrFrom(a))
			}
			if !slices.Equal(sources, want.Sources) {
				t.Fatalf("sources %v, want %v", sources, want.Sources)
			}
		}
	})
}

type nopFeedback struct{}

func (nopFeedback) SetTruncated() {}

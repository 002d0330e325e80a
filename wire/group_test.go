package wire

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

// TestGroupFloat is the table of RFC 3376, 4.1.1, and RFC 3810, 5.1.3: the first codes of every exponent.
func TestGroupFloat(t *testing.T) {
	for _, c := range []struct {
		mant int
		code uint32
		want uint32
	}{
		{4, 0, 0}, {4, 100, 100}, {4, 127, 127},
		{4, 0x80, 128}, {4, 0x81, 136}, {4, 0x8f, 248}, {4, 0x90, 256}, {4, 0xff, 31744},
		{12, 10000, 10000}, {12, 32767, 32767},
		{12, 0x8000, 32768}, {12, 0x8001, 32776}, {12, 0x9000, 65536}, {12, 0xffff, 8387584},
	} {
		if got := groupFloat(c.code, c.mant); got != c.want {
			t.Errorf("code %#x is %d, want %d", c.code, got, c.want)
		}
		if got := groupCode(uint64(c.want), c.mant); got != c.code {
			t.Errorf("%d has code %#x, want %#x", c.want, got, c.code)
		}
	}
	// RFC 3376, 8.8: "or the next lower value if the requested value is not exactly representable".
	for mant, top := range map[int]uint32{4: 40000, 12: 9000000} {
		last := uint32(0)
		for v := uint32(0); v < top; v += 1 + v/97 {
			got := groupFloat(groupCode(uint64(v), mant), mant)
			if got > v || got < last || v < 1<<(mant+3) && got != v {
				t.Fatalf("%d becomes %d", v, got)
			}
			last = got
		}
	}
}

var (
	group4, group6   = Addr4(239, 1, 2, 3), Addr{0xff0e << 48, 0x1234}
	source4, source6 = Addr4(192, 0, 2, 7), Addr{0x20010db8 << 32, 7}
)

// TestGroupQueryVersions: RFC 3376, 7.1, and RFC 3810, 8.1.
func TestGroupQueryVersions(t *testing.T) {
	v4 := func(n int, code byte) []byte {
		b := make([]byte, n)
		b[0], b[1] = IGMPQuery, code
		return b
	}
	v6 := func(n int, code byte) []byte {
		b := make([]byte, n)
		b[0], b[4] = ICMPv6MLDQuery, code
		return b
	}
	for _, c := range []struct {
		name    string
		b       []byte
		version uint8 // 0: an error
		max     time.Duration
	}{
		{"IGMPv1 Query: length = 8 octets AND Max Resp Code field is zero", v4(8, 0), 1, 10 * time.Second},
		{"IGMPv2 Query: length = 8 octets AND Max Resp Code field is non-zero", v4(8, 200), 2, 20 * time.Second},
		{"IGMPv3 Query: length >= 12 octets", v4(12, 0x81), 3, 13600 * time.Millisecond},
		{"RFC 3376, 4.1.10: additional data is ignored", v4(13, 10), 3, time.Second},
		{"a Query of length 10 octets", v4(10, 10), 0, 0},
		{"too short", v4(7, 10), 0, 0},
		{"MLDv1 Query: length = 24 octets", v6(24, 0x80), 1, 32768 * time.Millisecond},
		{"MLDv2 Query: length >= 28 octets", v6(28, 0x90), 2, 65536 * time.Millisecond},
		{"a Query of length 26 octets", v6(26, 1), 0, 0},
		{"too short", v6(23, 1), 0, 0},
	} {
		parse := ParseIGMPQuery
		if c.b[0] == ICMPv6MLDQuery {
			parse = ParseMLDQuery
		}
		q, err := parse(c.b)
		if (err == nil) != (c.version != 0) || err == nil && (q.Version != c.version || q.MaxResp != c.max) {
			t.Errorf("%s: %+v, %v", c.name, q, err)
		}
	}
	bad := v4(8, 1)
	source4.Put4(bad[4:])
	if _, err := ParseIGMPQuery(bad); err != ErrAddress {
		t.Errorf("query about a unicast address: %v", err)
	}
}

func TestGroupMessages(t *testing.T) {
	q := GroupQuery{Version: 3, MaxResp: time.Second, Group: group4, Suppress: true, QRV: 2, QQI: 125 * time.Second, Sources: []Addr{source4}}
	b := make([]byte, q.IGMPQueryLen())
	q.PutIGMPQuery(b)
	FinishIGMP(b)
	want := []byte{0x11, 10, b[2], b[3], 239, 1, 2, 3, 0x0a, 125, 0, 1, 192, 0, 2, 7}
	if !bytes.Equal(b, want) || !IGMPChecksumOK(b) {
		t.Errorf("% x", b)
	}
	for n := range b {
		if _, err := ParseIGMPQuery(b[:n]); err == nil && n != IGMPLen {
			t.Errorf("%d octets of %d are a query", n, len(b))
		}
	}
	r := GroupReport{[]GroupRecord{{ChangeToExclude, group4, nil}, {AllowNewSources, group4, []Addr{source4, source4}}}}
	b = make([]byte, r.IGMPReportLen())
	r.PutIGMPReport(b)
	want = []byte{0x22, 0, 0, 0, 0, 0, 0, 2, 4, 0, 0, 0, 239, 1, 2, 3, 5, 0, 0, 2, 239, 1, 2, 3, 192, 0, 2, 7, 192, 0, 2, 7}
	if !bytes.Equal(b, want) {
		t.Errorf("% x", b)
	}
	for n := range b {
		if _, err := ParseIGMPReport(b[:n]); err == nil {
			t.Errorf("%d octets of %d are a report", n, len(b))
		}
	}
	// RFC 3376, 4.2.10, 4.2.12: auxiliary data and unrecognized types are ignored.
	odd := []byte{0x22, 0, 0, 0, 0, 0, 0, 3, 7, 0, 0, 0, 239, 1, 2, 3, 1, 1, 0, 0, 239, 1, 2, 3, 9, 9, 9, 9, 2, 0, 0, 0, 239, 1, 2, 4}
	got, err := ParseIGMPReport(odd)
	if err != nil || len(got.Records) != 2 || got.Records[1].Group != Addr4(239, 1, 2, 4) {
		t.Errorf("%+v, %v", got, err)
	}
}

// FuzzGroups: what is read and written again is read the same, and no octets make a parser panic.
func FuzzGroups(f *testing.F) {
	for _, q := range []GroupQuery{{Version: 3, Group: group4, Sources: []Addr{source4}, QRV: 7}, {Version: 1}, {Version: 2, MaxResp: time.Second}} {
		b := make([]byte, q.IGMPQueryLen())
		q.PutIGMPQuery(b)
		f.Add(b)
	}
	for _, q := range []GroupQuery{{Version: 2, Group: group6, Sources: []Addr{source6}, QQI: time.Minute}, {Version: 1}} {
		b := make([]byte, q.MLDQueryLen())
		q.PutMLDQuery(b)
		f.Add(b)
	}
	r := GroupReport{[]GroupRecord{{ChangeToExclude, group6, nil}, {BlockOldSources, group6, []Addr{source6}}}}
	b := make([]byte, r.MLDReportLen())
	r.PutMLDReport(b)
	f.Add(b)
	f.Add([]byte{IGMPLeave, 0, 0, 0, 239, 1, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		again := func(what string, v any, n int, put func([]byte), parse func([]byte) (any, error)) {
			t.Helper()
			c := make([]byte, n)
			put(c)
			if w, err := parse(c); err != nil || !reflect.DeepEqual(v, w) {
				t.Errorf("%s: %+v becomes %+v, %v", what, v, w, err)
			}
		}
		if q, err := ParseIGMPQuery(b); err == nil {
			again("IGMP query", q, q.IGMPQueryLen(), q.PutIGMPQuery, func(b []byte) (any, error) { return ParseIGMPQuery(b) })
		}
		if q, err := ParseMLDQuery(b); err == nil {
			again("MLD query", q, q.MLDQueryLen(), q.PutMLDQuery, func(b []byte) (any, error) { return ParseMLDQuery(b) })
		}
		if r, err := ParseIGMPReport(b); err == nil {
			again("IGMP report", r, r.IGMPReportLen(), r.PutIGMPReport, func(b []byte) (any, error) { return ParseIGMPReport(b) })
		}
		if r, err := ParseMLDReport(b); err == nil {
			again("MLD report", r, r.MLDReportLen(), r.PutMLDReport, func(b []byte) (any, error) { return ParseMLDReport(b) })
		}
		if typ, g, err := ParseIGMPGroup(b); err == nil {
			c := make([]byte, IGMPLen)
			PutIGMPGroup(c, typ, g)
			if typ2, g2, err := ParseIGMPGroup(c); err != nil || typ2 != typ || g2 != g {
				t.Errorf("IGMP: %v", err)
			}
		}
		if typ, g, err := ParseMLDGroup(b); err == nil {
			c := make([]byte, MLDLen)
			PutMLDGroup(c, typ, g)
			if typ2, g2, err := ParseMLDGroup(c); err != nil || typ2 != typ || g2 != g {
				t.Errorf("MLD: %v", err)
			}
		}
	})
}

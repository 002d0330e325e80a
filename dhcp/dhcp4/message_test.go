package dhcp4

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

// full is a message with something everywhere.
func full() *Message {
	m := &Message{Op: BootReply, Hops: 1, XID: 0x01020304, Secs: 5, Broadcast: true, ClientAddr: netip.MustParseAddr("192.0.2.3"),
		YourAddr: netip.MustParseAddr("192.0.2.7"), ServerAddr: server2, RelayAddr: netip.MustParseAddr("198.51.100.1"),
		HardwareAddr: testMAC, ServerName: "boot", BootFile: "pxe"}
	m.Options.Set(OptMessageType, byte(ACK))
	m.Options.SetAddrs(OptServerID, server1)
	m.Options.SetAddrs(OptSubnetMask, mask(24))
	m.Options.SetSeconds(OptLeaseTime, time.Hour)
	return m
}

func TestMessageRoundTrip(t *testing.T) {
	m := full()
	b := m.Append(nil)
	if !bytes.Equal(b, m.Append(nil)) {
		t.Error("not the same octets twice")
	}
	again, err := Parse(b)
	if err != nil || !reflect.DeepEqual(again, m) {
		t.Errorf("%+v, %v", again, err)
	}
	if len(b) != minMessage {
		t.Errorf("%d octets", len(b))
	}
	if got := m.Append([]byte("before")); !bytes.Equal(got[6:], b) {
		t.Error("Append does not append")
	}
}

// RFC 2131, 2: where the fields are, octet by octet.
func TestMessageOctets(t *testing.T) {
	b := full().Append(nil)
	for at, want := range map[int]string{
		0: "02010601" + "01020304" + "00058000" + "c0000203" + "c0000207" + "c0000202" + "c6336401" + "020000000007", 34: "00000000000000000000",
		44: fmt.Sprintf("%x", "boot") + "00", 108: fmt.Sprintf("%x", "pxe") + "00",
		236: "63825363" + "350105" + "3604c0000201" + "0104ffffff00" + "330400000e10" + "ff" + "00",
	} {
		if got := fmt.Sprintf("%x", b[at:at+len(want)/2]); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

// All that ends too early is refused, or has all its options.
func TestMessageTruncated(t *testing.T) {
	m := full()
	b := m.Append(nil)
	b = b[:bytes.LastIndexByte(b, OptEnd)]
	whole := map[int]bool{}
	for at := atOptions; at <= len(b); at += 2 + int(b[at+1]) {
		whole[at] = true
		if at == len(b) {
			break
		}
	}
	for n := range b {
		if got, err := Parse(b[:n]); (err == nil) != whole[n] {
			t.Errorf("%d octets: %+v, %v", n, got, err)
		}
	}
}

func TestMessageMalformed(t *testing.T) {
	for _, tt := range []struct {
		at   int
		b    []byte
		want string
	}{
		{atOp, []byte{3}, "op 3"},
		{atHType, []byte{6}, "hardware type 6"},
		{atHLen, []byte{16}, "of 16 octets"},
		{atCookie, []byte{0}, "no magic cookie"},
		{atOptions, []byte{53, 255}, "option 53 is cut off"},
		{atOptions, []byte{OptOverload, 1, 4, OptEnd}, "option overload 04"},
		{atOptions, []byte{OptOverload, 1, 0, OptEnd}, "option overload 00"},
		{atOptions, []byte{OptOverload, 2, 1, 1, OptEnd}, "option overload 0101"},
		{atBootFile, append(append([]byte{53, 255}, make([]byte, atOptions-atBootFile-6)...), 99, 130, 83, 99, OptOverload, 1, 1, OptEnd),
			"option 53 is cut off"},
	} {
		b := full().Append(nil)
		copy(b[tt.at:], tt.b)
		if _, err := Parse(b); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
}

// RFC 2131, 4.1: "The options in the 'options' field MUST be interpreted first, so that any 'option overload' options may be
// interpreted. The 'file' field MUST be interpreted next (if the 'option overload' option indicates that the 'file' field contains DHCP
// options), followed by the 'sname' field." RFC 3396, 7: the parts of an option that was split are joined in that order.
func TestOverload(t *testing.T) {
	for overload, want := range map[byte]string{1: "one,file", 2: "one,sname", 3: "one,file,sname"} {
		b := full().Append(nil)
		clear(b[atServerName:atCookie])
		copy(b[atOptions:], []byte{OptMessageType, 1, 5, OptOverload, 1, overload, OptMessage, 3, 'o', 'n', 'e', OptEnd})
		copy(b[atBootFile:], []byte{OptMessage, 5, ',', 'f', 'i', 'l', 'e', OptEnd, 99})
		copy(b[atServerName:], []byte{OptPad, OptMessage, 6, ',', 's', 'n', 'a', 'm', 'e', OptEnd})
		m, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := m.Options.Get(OptMessage); string(got) != want {
			t.Errorf("overload %d: %q, want %q", overload, got, want)
		}
		if _, found := m.Options.Get(OptOverload); found {
			t.Error("the option is left, and would be sent")
		}
		if overload&1 != 0 && m.BootFile != "" || overload&2 != 0 && m.ServerName != "" {
			t.Errorf("overload %d: file %q, sname %q", overload, m.BootFile, m.ServerName)
		}
	}
}

// RFC 3396, 6: "No split portion of an option that has been split can contain more than 255 octets."
func TestLongOptions(t *testing.T) {
	for _, n := range []int{0, 1, 254, 255, 256, 510, 511, 1000} {
		m := full()
		data := bytes.Repeat([]byte{7}, n)
		m.Options.Set(OptMessage, data...)
		again, err := Parse(m.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if got, found := again.Options.Get(OptMessage); !found || !bytes.Equal(got, data) {
			t.Errorf("%d octets became %d", n, len(got))
		}
	}
}

// RFC 3442's examples of destination descriptors, and what it says of each.
func TestClasslessRoutes(t *testing.T) {
	gateway := []byte{192, 0, 2, 1}
	for want, b := range map[string][]byte{
		"0.0.0.0/0": {0}, "10.0.0.0/8": {8, 10}, "10.0.0.0/24": {24, 10, 0, 0}, "10.17.0.0/16": {16, 10, 17},
		"10.27.129.0/24": {24, 10, 27, 129}, "10.229.0.128/25": {25, 10, 229, 0, 128}, "10.198.122.47/32": {32, 10, 198, 122, 47},
		// "if the server sends a route with a destination of 129.210.177.132 (hexadecimal 81D4B184) and a subnet mask of
		// 255.255.255.128 (hexadecimal FFFFFF80), the client will install a route with a destination of 129.210.177.128"
		"129.210.177.128/25": {25, 129, 210, 177, 132},
	} {
		all, ok := classlessRoutes(append(b, gateway...))
		if !ok || len(all) != 1 || all[0].Prefix.String() != want || all[0].Gateway != server1 {
			t.Errorf("%v: %v, %v", b, all, ok)
		}
		var o Options
		o.SetRoutes(all...)
		if again, _ := classlessRoutes(o[0].Data); !reflect.DeepEqual(again, all) {
			t.Errorf("%v became %v", all, again)
		}
	}
	for _, b := range [][]byte{{}, {33, 1, 2, 3, 4, 5, 192, 0, 2, 1}, {24, 10, 0, 0, 192, 0, 2}, {0}, {0, 224, 0, 0, 1}} {
		if all, ok := classlessRoutes(b); ok {
			t.Errorf("%v is %v", b, all)
		}
	}
	// Local Subnet Routes: a router address of 0.0.0.0.
	if all, ok := classlessRoutes([]byte{8, 10, 0, 0, 0, 0}); !ok || all[0].Gateway.IsValid() {
		t.Errorf("%v, %v", all, ok)
	}
}

// RFC 3442: "If the DHCP server returns both a Classless Static Routes option and a Router option, the DHCP client MUST ignore the
// Router option. Similarly, if the DHCP server returns both a Classless Static Routes option and a Static Routes option, the DHCP client
// MUST ignore the Static Routes option."
func TestRoutesOf(t *testing.T) {
	a := netip.MustParseAddr
	var o Options
	o.SetAddrs(OptRouters, server1, server2)
	o.SetAddrs(OptStaticRoutes, a("10.0.0.0"), server1, a("172.16.5.1"), server2, a("0.0.0.0"), server1)
	text := func(o Options) string { all, bad := routesOf(o); return fmt.Sprint(all, bad) }
	// RFC 2132, 5.8: "The default route (0.0.0.0) is an illegal destination for a static route."
	if got := text(o); got != "[{10.0.0.0/8 192.0.2.1} {172.16.5.1/32 192.0.2.2} {0.0.0.0/0 192.0.2.1} {0.0.0.0/0 192.0.2.2}] 0" {
		t.Error(got)
	}
	o.SetRoutes(Route{netip.MustParsePrefix("198.51.100.0/24"), server2})
	if got := text(o); got != "[{198.51.100.0/24 192.0.2.2}] 0" {
		t.Error(got)
	}
	o.Set(OptClasslessRoutes, 99)
	o.Set(OptStaticRoutes, 1)
	if got := text(o); got != "[{0.0.0.0/0 192.0.2.1} {0.0.0.0/0 192.0.2.2}] 2" {
		t.Error("malformed ones:", got)
	}
}

// RFC 3397, 3: the example, with a pointer from the second name into the first; and what is no list.
func TestDomains(t *testing.T) {
	b := []byte("\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04")
	if all, ok := domains(b); !ok || fmt.Sprint(all) != "[eng.apple.com marketing.apple.com]" {
		t.Errorf("%q, %v", all, ok)
	}
	var o Options
	o.SetDomains(OptDomainSearch, "eng.apple.com", "example.org")
	if all, ok := domains(o[0].Data); !ok || fmt.Sprint(all) != "[eng.apple.com example.org]" {
		t.Errorf("%q, %v", all, ok)
	}
	for name, b := range map[string]string{
		"nothing": "", "no end": "\x03eng", "cut off": "\x05eng", "root": "\x00", "loop": "\xc0\x00", "forward": "\xc0\x02\x01a\x00",
		"pointer to itself": "\x01a\xc0\x02", "half a pointer": "\x01a\xc0", "reserved": "\x41a\x00", "a space": "\x03a b\x00",
		"an escape": "\x03a\x1bb\x00", "too long": strings.Repeat("\x3f"+strings.Repeat("a", 63), 4) + "\x00",
	} {
		if all, ok := domains([]byte(b)); ok {
			t.Errorf("%s: %q", name, all)
		}
	}
	// Pointers make few octets many names: there is a bound.
	many := "\x01a\x00" + strings.Repeat("\x01b\xc0\x00", 1000)
	if all, ok := domains([]byte(many)); !ok || len(all) != maxDomains {
		t.Errorf("%d names, %v", len(all), ok)
	}
}

// What a lease says beside its address, and that one malformed option does not spoil the others.
func TestLease(t *testing.T) {
	m := full()
	m.Options.SetAddrs(OptNameServers, server1, netip.MustParseAddr("224.0.0.1"), server2)
	m.Options.SetAddrs(OptNTPServers, server2)
	m.Options.Set(OptDomainName, []byte("example.org\x00")...)
	m.Options.Set(OptHostName, []byte("toaster.")...)
	m.Options.Set(OptInterfaceMTU, 1400>>8, 1400&0xff)
	l, bad, err := newLease(m)
	if err != nil || bad != 0 || l.Address.String() != "192.0.2.7/24" || fmt.Sprint(l.NameServers) != "[192.0.2.1 192.0.2.2]" ||
		fmt.Sprint(l.NTPServers) != "[192.0.2.2]" || l.Domain != "example.org" || fmt.Sprint(l.Search) != "[example.org]" ||
		l.HostName != "toaster" || l.MTU != 1400 || l.Server != server1 {
		t.Errorf("%+v, %d, %v", l, bad, err)
	}
	m.Options.SetDomains(OptDomainSearch, "a.example", "b.example")
	if l, _, _ := newLease(m); fmt.Sprint(l.Search) != "[a.example b.example]" || l.Domain != "example.org" {
		t.Errorf("%+v", l)
	}
	m.Options.Set(OptNameServers, 1, 2, 3)
	m.Options.Set(OptNTPServers, 1, 2, 3)
	m.Options.Set(OptDomainName, []byte("exa\x1b[2Jmple")...)
	m.Options.Set(OptHostName, []byte("a b")...)
	m.Options.Set(OptDomainSearch, 99)
	m.Options.Set(OptInterfaceMTU, 0, 67) // RFC 2132, 5.1: "The minimum legal value for the MTU is 68."
	l, bad, err = newLease(m)
	if err != nil || bad != 6 || l.MTU != 0 || l.NameServers != nil || l.Domain != "" || l.Search != nil || l.HostName != "" {
		t.Errorf("%+v, %d, %v", l, bad, err)
	}
}

// Without a mask the address's class says how long the prefix is (RFC 950).
func TestLeaseWithoutMask(t *testing.T) {
	for addr, want := range map[string]int{"10.1.2.3": 8, "172.16.1.1": 16, "192.0.2.7": 24} {
		m := full()
		m.Options.Delete(OptSubnetMask)
		m.YourAddr = netip.MustParseAddr(addr)
		if l, _, err := newLease(m); err != nil || l.Address.Bits() != want {
			t.Errorf("%v, %v", l, err)
		}
	}
	m := full()
	for _, bits := range []int{32, 31} { // no broadcast address in these (RFC 3021)
		m.Options.SetAddrs(OptSubnetMask, mask(bits))
		if l, _, err := newLease(m); err != nil || l.Address.Bits() != bits {
			t.Errorf("%v, %v", l, err)
		}
	}
}

// A lease is kept as JSON.
func TestLeaseJSON(t *testing.T) {
	m := full()
	m.Options.SetRoutes(Route{Prefix: netip.MustParsePrefix("10.0.0.0/8")}, Route{netip.MustParsePrefix("0.0.0.0/0"), server1})
	l, _, err := newLease(m)
	if err != nil {
		t.Fatal(err)
	}
	l.Acquired = time.Date(2000, 1, 1, 0, 0, 1, 5, time.UTC)
	b, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	var again Lease
	if err := json.Unmarshal(b, &again); err != nil || !reflect.DeepEqual(&again, l) {
		t.Errorf("%+v\n%+v\n%s\n%v", again, l, b, err)
	}
}

// Whatever comes, nothing panics, and what is read is written so that it is read again.
func FuzzParse(f *testing.F) {
	f.Add(full().Append(nil))
	overloaded := full().Append(nil)
	copy(overloaded[atOptions:], []byte{OptOverload, 1, 3, OptEnd})
	copy(overloaded[atBootFile:], []byte{OptDomainSearch, 3, 1, 'a', 0, OptEnd})
	copy(overloaded[atServerName:], []byte{OptClasslessRoutes, 5, 0, 192, 0, 2, 1, OptEnd})
	f.Add(overloaded)
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		m, err := Parse(b)
		if !bytes.Equal(b, before) {
			t.Fatal("it changed its input")
		}
		if err != nil {
			return
		}
		if l, _, err := newLease(m); err == nil {
			if l.T1 >= l.T2 && l.Duration != Forever || l.T2 > l.Duration || !isHost(l.Address.Addr()) {
				t.Errorf("%+v", l)
			}
			for _, d := range l.Search {
				if !IsName(d) {
					t.Errorf("%q", d)
				}
			}
		}
		clear(b)
		again, err := Parse(m.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if len(again.Options) != len(m.Options) || again.YourAddr != m.YourAddr || again.XID != m.XID {
			t.Errorf("%+v became %+v", m, again)
		}
	})
}

// Whatever comes, the machine goes on, and asks for nothing sooner than it did.
func FuzzArrive(f *testing.F) {
	f.Add(uint8(Selecting), full().Append(nil))
	f.Add(uint8(Renewing), full().Append(nil))
	f.Fuzz(func(t *testing.T, state uint8, b []byte) {
		r := newRig(t, MachineConfig{}).to(State(state % (uint8(Informed) + 1)))
		if len(b) >= atOptions { // make it one of ours
			answer := (&Message{Op: BootReply, XID: r.xid, HardwareAddr: testMAC}).Append(nil)
			copy(b[:atYour], answer)
			copy(b[atHardware:atServerName], answer[atHardware:])
			copy(b[atCookie:], answer[atCookie:atOptions])
		}
		r.Arrive(r.now, b)
		r.collect()
		r.run(10 * time.Minute)
		if n := len(r.sent); n > 700 {
			t.Errorf("%d messages in ten minutes", n)
		}
	})
}

package capture

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/linktest"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/packet"
	"github.com/onlink-go/onlink/trace"
	"github.com/onlink-go/onlink/wire"
)

// udp4 is an IPv4 packet with a UDP datagram of n octets of payload, its UDP checksum absent.
func udp4(n int) []byte {
	b := make([]byte, 28+n)
	b[0], b[8], b[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	copy(b[12:], []byte{192, 0, 2, 1, 192, 0, 2, 2})
	binary.BigEndian.PutUint16(b[10:], ^wire.Checksum(b[:20], 0))
	binary.BigEndian.PutUint16(b[20:], 4000)
	binary.BigEndian.PutUint16(b[22:], 5000)
	binary.BigEndian.PutUint16(b[24:], uint16(8+n))
	return b
}

func ethernet(dst, src wire.MAC, b []byte) *packet.Buffer {
	p := packet.From(b)
	h := p.Prepend(14)
	copy(h, dst[:])
	copy(h[6:], src[:])
	binary.BigEndian.PutUint16(h[12:], 0x0800)
	return p
}

// writeSample writes a file of two links, one of each medium, with a dropped frame.
func writeSample(t *testing.T, path string) {
	synctest.Test(t, func(t *testing.T) {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		rt := clock.NewReal()
		w := NewWriter(f, Config{})
		a, b := mem.Pair(mem.Config{Runtime: rt, Addr: []wire.MAC{{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}}})
		eth := New(rt, a, w, "eth0")
		c, d := mem.Pair(mem.Config{Runtime: rt, Medium: link.IP})
		tun := New(rt, c, w, "tun0")
		drop := false
		eth.Attach(&linktest.Recorder{OnDeliver: func(_ int, p *packet.Buffer) {
			if p.TrimFront(14); drop {
				eth.Trace(&trace.Event{Kind: trace.PacketDropped, Reason: "no UDP socket on the port", Packet: p})
			}
			p.Free()
		}})
		tun.Attach(&linktest.Recorder{})

		eth.Send(0, batch(ethernet(b.Info().Addr, a.Info().Addr, udp4(33))))
		time.Sleep(time.Microsecond + time.Nanosecond)
		b.Send(0, batch(ethernet(a.Info().Addr, b.Info().Addr, udp4(34))))
		drop = true
		time.Sleep(time.Second)
		b.Send(0, batch(ethernet(wire.BroadcastMAC, b.Info().Addr, udp4(35))))
		tun.Send(0, batch(packet.From(udp4(36))))
		d.Send(0, batch(packet.From(udp4(37))))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// tool runs a program of Wireshark's, or skips the test where it is not installed.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	var stderr strings.Builder
	cmd := exec.Command(path, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, &stderr)
	}
	return string(out)
}

func TestTshark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sample.pcapng")
	writeSample(t, path)
	got := tool(t, "tshark", "-r", path, "-o", "ip.check_checksum:TRUE", "-T", "fields", "-E", "separator=|",
		"-e", "frame.number", "-e", "frame.interface_name", "-e", "frame.packet_flags_direction", "-e",
		"frame.packet_flags_reception_type", "-e", "frame.time_epoch", "-e", "udp.length", "-e", "ip.checksum.status",
		"-e", "frame.comment", "-e", "_ws.malformed")
	want := `1|eth0|2|1|946684800.000000000|41|1||
2|eth0|1|1|946684800.000001001|42|1||
3|eth0|1|3|946684801.000001001|43|1|dropped: no UDP socket on the port|
4|tun0|2|0|946684801.000001001|44|1||
5|tun0|1|0|946684801.000001001|45|1||
`
	// Versions of tshark write the flags as 0x00000002 or 2.
	if got = strings.ReplaceAll(got, "0x0000000", ""); got != want {
		t.Errorf("tshark reads\n%swant\n%s", got, want)
	}
}

func TestCapinfos(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sample.pcapng")
	writeSample(t, path)
	got := tool(t, "capinfos", path)
	for _, want := range []string{
		"pcapng", "Number of packets:   5", "Number of interfaces in file: 2",
		"Name = eth0", "Name = tun0", "Encapsulation = Ethernet", "Encapsulation = Raw IP",
		"Time precision = nanoseconds (9)", "Number of packets = 3", "Number of packets = 2",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("capinfos does not say %q:\n%s", want, got)
		}
	}
}

func TestEqualInputGivesEqualFiles(t *testing.T) {
	dir := t.TempDir()
	var files [2][]byte
	for i, name := range []string{"a", "b"} {
		writeSample(t, filepath.Join(dir, name))
		var err error
		if files[i], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if string(files[0]) != string(files[1]) {
		t.Error("two runs wrote different files")
	}
}

package onlink

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/onlink-go/onlink/internal/tcp"
)

// Every figure of the machine reaches the user under its name.
func TestTCPInfoIsComplete(t *testing.T) {
	var in tcp.Info
	v := reflect.ValueOf(&in).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Bool:
			f.SetBool(true)
		case reflect.String:
			f.SetString("x")
		case reflect.Int, reflect.Int64:
			f.SetInt(int64(i + 1))
		case reflect.Uint8, reflect.Uint64:
			f.SetUint(uint64(i%10 + 1))
		}
	}
	out := reflect.ValueOf(newTCPInfo(in))
	if out.NumField() != v.NumField() {
		t.Errorf("%d fields of %d", out.NumField(), v.NumField())
	}
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		f := out.FieldByName(name)
		switch {
		case !f.IsValid():
			t.Errorf("%s is missing", name)
		case name == "State":
			if f.String() != in.State.String() {
				t.Errorf("State %v", f)
			}
		case !f.Equal(v.Field(i)):
			t.Errorf("%s is %v, want %v", name, f, v.Field(i))
		}
	}
}

// String writes what "ss -i" writes of the same figures; the line is one of iproute2's of a connection on the loopback.
func TestTCPInfoString(t *testing.T) {
	i := TCPInfo{State: "ESTABLISHED", Timestamps: true, SACK: true, Control: "cubic", WindowScale: true, SendScale: 10, ReceiveScale: 10,
		RTO: 208 * time.Millisecond, RTT: 4841 * time.Microsecond, RTTVar: 9623 * time.Microsecond, MSS: 47616, PathMTU: 65535,
		ReceiveMSS: 536, AdvertisedMSS: 65483, CongestionWindow: 10 * 47616, CongestionWindowSegments: 10,
		SlowStartThreshold: math.MaxInt32, SlowStartThresholdSegments: math.MaxInt32, BytesSent: 163190, BytesRetransmitted: 34518,
		BytesAcked: 128673, SegmentsOut: 7, SegmentsIn: 4, DataSegmentsOut: 5, LastDataSent: 48 * time.Millisecond,
		LastDataReceived: 304 * time.Millisecond, LastACKReceived: 48 * time.Millisecond, PacingRate: 196694291, MaxPacingRate: math.MaxUint64,
		Delivered: 6, BusyTime: 304 * time.Millisecond, WindowLimited: 304 * time.Millisecond, Retransmits: 1, DSACKDups: 1, Reordering: 3,
		ReceiveSpace: 65495, ReceiveThreshold: 65495, Unsent: 2494976, MinRTT: 21 * time.Microsecond}
	const want = "ts sack cubic wscale:10,10 rto:208 rtt:4.841/9.623 mss:47616 pmtu:65535 rcvmss:536 advmss:65483 cwnd:10 " +
		"bytes_sent:163190 bytes_retrans:34518 bytes_acked:128673 segs_out:7 segs_in:4 data_segs_out:5 send 786878744bps " +
		"lastsnd:48 lastrcv:304 lastack:48 pacing_rate 1573554328bps delivered:6 busy:304ms rwnd_limited:304ms(100.0%) " +
		"retrans:0/1 dsack_dups:1 rcv_space:65495 rcv_ssthresh:65495 notsent:2494976 minrtt:0.021"
	if got := i.String(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

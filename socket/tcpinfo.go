package socket

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/onlink-go/onlink/internal/tcp"
)

// sizeofInfo is the size of struct tcp_info, as of Linux 6.18.
const sizeofInfo = 280

// states are Linux's numbers of TCP's states.
var states = [...]uint8{tcp.Established: 1, tcp.SynSent: 2, tcp.SynReceived: 3, tcp.FinWait1: 4, tcp.FinWait2: 5,
	tcp.TimeWait: 6, tcp.Closed: 7, tcp.CloseWait: 8, tcp.LastAck: 9, tcp.Listen: 10, tcp.Closing: 11}

// recoveries are the names of tcpi_ca_state, by number.
var recoveries = [...]string{"open", "disorder", "cwr", "recovery", "loss"}

// Bits of tcpi_options.
const (
	infoTimestamps = 1 << iota
	infoSACK
	infoWindowScale
	infoECN
	infoECNSeen
	infoSYNData
)

// infoWriter fills a struct tcp_info from the front.
type infoWriter struct {
	b *[sizeofInfo]byte
	i int
}

func (w *infoWriter) u8(v ...uint8) { w.i += copy(w.b[w.i:], v) }

func (w *infoWriter) u16(v int) {
	binary.LittleEndian.PutUint16(w.b[w.i:], uint16(v))
	w.i += 2
}

func (w *infoWriter) u32(v ...int) {
	for _, v := range v {
		binary.LittleEndian.PutUint32(w.b[w.i:], uint32(v))
		w.i += 4
	}
}

func (w *infoWriter) u64(v ...uint64) {
	for _, v := range v {
		binary.LittleEndian.PutUint64(w.b[w.i:], v)
		w.i += 8
	}
}

func us(d time.Duration) int { return int(d / time.Microsecond) }
func ms(d time.Duration) int { return int(d / time.Millisecond) }

// putInfo writes the socket's struct tcp_info. mu locked.
func (s *stream) putInfo(b *[sizeofInfo]byte) {
	var i tcp.Info
	switch {
	case s.conn != nil:
		i = s.conn.Info()
	case s.listener != nil:
		// A listener tells the length of its queue in place of what it has not got.
		i.State, i.UnackedSegments, i.SackedSegments = tcp.Listen, s.listener.Waiting(), s.listener.Backlog()
	}
	if s.conn == nil {
		i.Reordering, i.CongestionWindowSegments = 3, 10
		i.PacingRate, i.MaxPacingRate = math.MaxUint64, math.MaxUint64
	}
	putInfo(b, &i)
}

func putInfo(b *[sizeofInfo]byte, i *tcp.Info) {
	w := infoWriter{b: b}
	var phase uint8
	for n, name := range recoveries {
		if name == i.Recovery {
			phase = uint8(n)
		}
	}
	w.u8(states[i.State], phase, uint8(i.Retries), uint8(i.Probes), uint8(i.Backoff), infoOptions(i),
		i.SendScale&15|i.ReceiveScale<<4, uint8(bit(i.AppLimited))|i.FastOpenFail&3<<1)
	w.u32(us(i.RTO), us(i.ATO), i.MSS, i.ReceiveMSS)
	w.u32(i.UnackedSegments, i.SackedSegments, i.LostSegments, i.AgainSegments, 0)
	w.u32(ms(i.LastDataSent), 0, ms(i.LastDataReceived), ms(i.LastACKReceived))
	w.u32(i.PathMTU, i.ReceiveThreshold, us(i.RTT), us(i.RTTVar), i.SlowStartThresholdSegments,
		i.CongestionWindowSegments, i.AdvertisedMSS, i.Reordering)
	w.u32(us(i.ReceiveRTT), i.ReceiveSpace, int(i.Retransmits))
	w.u64(i.PacingRate, i.MaxPacingRate, i.BytesAcked, i.BytesReceived)
	w.u32(int(i.SegmentsOut), int(i.SegmentsIn), i.Unsent, us(i.MinRTT), int(i.DataSegmentsIn), int(i.DataSegmentsOut))
	w.u64(i.DeliveryRate, uint64(us(i.BusyTime)), uint64(us(i.WindowLimited)), uint64(us(i.BufferLimited)))
	w.u32(int(i.Delivered), int(i.DeliveredCE))
	w.u64(i.BytesSent, i.BytesRetransmitted)
	w.u32(int(i.DSACKDups), int(i.Reorderings), int(i.OutOfOrder), i.SendWindow, i.ReceiveWindow, int(i.Rehashes))
	w.u16(int(i.Timeouts))
	w.u16(int(i.TimeoutRecoveries))
	w.u32(ms(i.TimeoutTime), int(i.ReceivedCE), int(i.DeliveredECT1Bytes), int(i.DeliveredECT0Bytes), int(i.DeliveredCEBytes),
		int(i.ReceivedECT1Bytes), int(i.ReceivedECT0Bytes), int(i.ReceivedCEBytes))
	w.u16(int(i.AccECNFailMode))
	w.u16(int(i.AccECNOptSeen))
}

func infoOptions(i *tcp.Info) (o uint8) {
	for _, f := range [...]struct {
		on  bool
		bit uint8
	}{{i.Timestamps, infoTimestamps}, {i.SACK, infoSACK}, {i.WindowScale, infoWindowScale}, {i.ECN, infoECN},
		{i.ECNSeen, infoECNSeen}, {i.SYNData, infoSYNData}} {
		if f.on {
			o |= f.bit
		}
	}
	return o
}

package onlink

import (
	"fmt"
	"math"
	"time"
)

// String writes the figures in one line as ss(8) does with -i: names, units and order are its, and what is 0 or unknown is
// left out. Times are in milliseconds unless they have a unit, windows in segments, rates in bits a second.
func (i TCPInfo) String() string {
	var w infoWriter
	w.handshake(&i)
	w.figures(&i)
	w.counts(&i)
	w.rates(&i)
	w.queues(&i)
	return string(w)
}

// infoWriter is the line so far.
type infoWriter []byte

// put appends a word.
func (w *infoWriter) put(format string, args ...any) {
	if len(*w) > 0 {
		*w = append(*w, ' ')
	}
	*w = fmt.Appendf(*w, format, args...)
}

// figure is what counts of an Info are.
type figure interface{ ~int | ~uint64 | ~int64 }

// count appends "name:n", if n is not 0.
func count[T figure](w *infoWriter, name string, n T) {
	if n != 0 {
		w.put("%s:%d", name, n)
	}
}

// flag appends a word, if on.
func (w *infoWriter) flag(on bool, word string) {
	if on {
		w.put("%s", word)
	}
}

// ms is a time in milliseconds, as ss writes it.
func ms(d time.Duration) string { return fmt.Sprintf("%.9g", float64(d.Microseconds())/1e3) }

func (w *infoWriter) handshake(i *TCPInfo) {
	w.flag(i.Timestamps, "ts")
	w.flag(i.SACK, "sack")
	w.flag(i.ECN, "ecn")
	w.flag(i.AccurateECN, "accecn")
	w.flag(i.ECNSeen, "ecnseen")
	w.flag(i.SYNData, "fastopen")
	w.flag(i.Control != "", i.Control)
	if i.WindowScale {
		w.put("wscale:%d,%d", i.SendScale, i.ReceiveScale)
	}
}

func (w *infoWriter) figures(i *TCPInfo) {
	w.put("rto:%s", ms(i.RTO))
	count(w, "backoff", i.Backoff)
	if i.RTT > 0 {
		w.put("rtt:%s/%s", ms(i.RTT), ms(i.RTTVar))
	}
	if i.ATO > 0 {
		w.put("ato:%s", ms(i.ATO))
	}
	count(w, "mss", i.MSS)
	count(w, "pmtu", i.PathMTU)
	count(w, "rcvmss", i.ReceiveMSS)
	count(w, "advmss", i.AdvertisedMSS)
	count(w, "cwnd", i.CongestionWindowSegments)
	if i.SlowStartThresholdSegments < math.MaxInt32 {
		count(w, "ssthresh", i.SlowStartThresholdSegments)
	}
}

func (w *infoWriter) counts(i *TCPInfo) {
	count(w, "bytes_sent", i.BytesSent)
	count(w, "bytes_retrans", i.BytesRetransmitted)
	count(w, "bytes_acked", i.BytesAcked)
	count(w, "bytes_received", i.BytesReceived)
	count(w, "segs_out", i.SegmentsOut)
	count(w, "segs_in", i.SegmentsIn)
	count(w, "data_segs_out", i.DataSegmentsOut)
	count(w, "data_segs_in", i.DataSegmentsIn)
}

func (w *infoWriter) rates(i *TCPInfo) {
	if i.RTT > 0 && i.CongestionWindow > 0 {
		w.put("send %.0fbps", float64(i.CongestionWindow)*8/i.RTT.Seconds())
	}
	count(w, "lastsnd", i.LastDataSent.Milliseconds())
	count(w, "lastrcv", i.LastDataReceived.Milliseconds())
	count(w, "lastack", i.LastACKReceived.Milliseconds())
	if i.PacingRate > 0 && i.PacingRate != math.MaxUint64 {
		w.put("pacing_rate %.0fbps", float64(i.PacingRate)*8)
		if i.MaxPacingRate != math.MaxUint64 {
			*w = fmt.Appendf(*w, "/%.0fbps", float64(i.MaxPacingRate)*8)
		}
	}
	if i.DeliveryRate > 0 {
		w.put("delivery_rate %.0fbps", float64(i.DeliveryRate)*8)
	}
	count(w, "delivered", i.Delivered)
	count(w, "delivered_ce", i.DeliveredCE)
	w.flag(i.AppLimited, "app_limited")
	w.limited("busy", i.BusyTime, 0)
	w.limited("rwnd_limited", i.WindowLimited, i.BusyTime)
	w.limited("sndbuf_limited", i.BufferLimited, i.BusyTime)
}

// limited appends a time, and which part of another it is.
func (w *infoWriter) limited(name string, d, of time.Duration) {
	if d <= 0 {
		return
	}
	w.put("%s:%dms", name, d.Milliseconds())
	if of > 0 {
		*w = fmt.Appendf(*w, "(%.1f%%)", 100*d.Seconds()/of.Seconds())
	}
}

func (w *infoWriter) queues(i *TCPInfo) {
	count(w, "unacked", i.UnackedSegments)
	if i.AgainSegments > 0 || i.Retransmits > 0 {
		w.put("retrans:%d/%d", i.AgainSegments, i.Retransmits)
	}
	count(w, "lost", i.LostSegments)
	if i.State != "LISTEN" {
		count(w, "sacked", i.SackedSegments)
	}
	count(w, "dsack_dups", i.DSACKDups)
	if i.Reordering != 3 {
		count(w, "reordering", i.Reordering)
	}
	count(w, "reord_seen", i.Reorderings)
	if i.ReceiveRTT > 0 {
		w.put("rcv_rtt:%s", ms(i.ReceiveRTT))
	}
	count(w, "rcv_space", i.ReceiveSpace)
	count(w, "rcv_ssthresh", i.ReceiveThreshold)
	count(w, "notsent", i.Unsent)
	if i.MinRTT > 0 {
		w.put("minrtt:%s", ms(i.MinRTT))
	}
	count(w, "rcv_ooopack", i.OutOfOrder)
	count(w, "snd_wnd", i.SendWindow)
	count(w, "rcv_wnd", i.ReceiveWindow)
	count(w, "rehash", i.Rehashes)
}

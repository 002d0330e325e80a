package tcp

import (
	"time"

	"github.com/onlink-go/onlink/clock"
)

// rateSampler measures how fast segments are delivered, as draft-cheng-iccrg-delivery-rate-estimation has it: of each
// segment sent is kept what had been delivered at that time; when it has arrived, what was delivered since, by the
// time that took or that the sending of it took, is the rate.
type rateSampler struct {
	round       clock.Instant // C.first_sent_time: when the segment delivered last was sent
	deliveredAt clock.Instant // C.delivered_time: when that was
	limited     uint64        // C.app_limited: until so many are delivered, the application had too little to send; 0: it has enough

	count    uint64        // the latest sample: segments,
	interval time.Duration // in this time,
	ofLimit  bool          // with too little to send

	told *RateSample // what Control is given, if the algorithm is one that controls
}

// RateSample is what an ACK tells of the delivery rate.
type RateSample struct {
	Prior     uint64        // segments that had been delivered when the latest segment delivered was sent; 0: there is none
	Delivered int           // segments delivered since; -1: nothing is known
	Interval  time.Duration // in this time; negative: nothing is known
	RTT       time.Duration // of the last segment delivered, or negative
	Acked     int           // segments this ACK has delivered
	Lost      int           // segments newly deemed lost
	InFlight  int           // segments in flight before the ACK
	Limited   bool          // the application had too little to send
	Again     bool          // the segment had been retransmitted
	Delayed   bool          // the peer has perhaps delayed the ACK

	SentInFlight int // segments in flight when the latest segment delivered was sent, it included
	LostSince    int // segments deemed lost since

	losses uint32 // when it was sent
	end    Seq
	prior  clock.Instant // when Prior was counted
	sent   time.Duration // how long the sending took
}

// sent takes in that r is sent, with delivered segments delivered till now and nothing else in flight if first.
func (s *rateSampler) sent(r *sent, delivered uint64, first bool) {
	if first {
		s.round, s.deliveredAt = r.at, r.at
	}
	r.round, r.delivered, r.count = s.round, s.deliveredAt, delivered
	r.flags &^= sentLimited | sentRated
	if s.limited > 0 {
		r.flags |= sentLimited
	}
}

// arrived takes in that r has arrived.
func (s *rateSampler) arrived(a *RateSample, r *sent) {
	if r.flags&sentRated != 0 || a.Prior != 0 && !sentAfter(r.at, r.end, s.round, a.end) {
		return
	}
	a.Prior, a.prior, a.end = r.count, r.delivered, r.end
	a.Limited, a.Again = r.flags&sentLimited != 0, r.flags&sentTwice != 0
	a.SentInFlight, a.losses = int(r.inFlight), r.losses
	a.sent = r.at.Sub(r.round)
	s.round = r.at
}

// finish completes the sample of an ACK that delivered n segments, of delivered in all.
func (s *rateSampler) finish(now clock.Instant, a *RateSample, n int, delivered uint64, least time.Duration, reneged bool) {
	if s.limited > 0 && int64(delivered-s.limited) > 0 {
		s.limited = 0
	}
	if n > 0 {
		s.deliveredAt = now
	}
	a.Acked = n
	if a.Prior == 0 || reneged {
		a.Delivered, a.Interval = -1, -1
		return
	}
	a.Delivered = int(delivered - a.Prior)
	// "the delivery rate … is bounded by the rate at which data was sent, and by that at which it was acknowledged."
	if a.Interval = max(a.sent, now.Sub(a.prior)); a.Interval < least || a.Interval == 0 {
		a.Interval = -1
		return
	}
	if !a.Limited || uint64(a.Delivered)*uint64(s.interval) >= s.count*uint64(a.Interval) {
		s.count, s.interval, s.ofLimit = uint64(a.Delivered), a.Interval, a.Limited
	}
}

// octets returns the latest rate in octets a second, with segments of mss.
func (s *rateSampler) octets(mss int) uint64 {
	if s.interval <= 0 {
		return 0
	}
	return uint64(float64(s.count) * float64(mss) * float64(time.Second) / float64(s.interval))
}

// noteLimited notes it if the application has too little to send: less than a segment, with room in the window, and nothing
// to retransmit. It is for when more is written, an ACK arrives or a timer expires: draft-ietf-ccwg-bbr-05, 4.1.2.4,
// CheckIfApplicationLimited.
func (c *TCB) noteLimited() {
	if c.unsent() < c.snd.mss && c.board.pipe() < c.cw.Window && c.board.pending == 0 {
		c.markLimited()
	}
}

// markLimited is 4.1.2.4, MarkConnectionAppLimited: what is in flight counts as limited by the application.
func (c *TCB) markLimited() {
	c.rate.limited = max(c.stats.delivered+uint64(max(c.board.pipe(), 0)), 1)
}

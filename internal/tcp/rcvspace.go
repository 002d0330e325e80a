package tcp

import "math/bits"

// recvSpace is the account of a receive buffer. It counts octets of memory, of which received data takes more than it
// has octets, so that windows come out as Linux's do: the share of memory that is data is measured, and the window is
// that share of the memory left. The account decides about windows only; data within the window that was offered is
// never refused for lack of it.
type recvSpace struct {
	size     int   // the whole buffer (Linux's sk_rcvbuf)
	used     int   // taken by what is received and not read, in order or not (sk_rmem_alloc)
	octets   int   // of data in used
	slack    int   // octets of data that the memory of the last segment still has room for
	ssthresh int   // the largest window for now; it grows as data comes (rcv_ssthresh)
	clamp    int   // the largest window (window_clamp)
	fixed    bool  // the user set size
	plain    bool  // half of the memory is data, always (Config.FreeBSD)
	share    uint8 // of 256 octets of memory so many are data (scaling_ratio)
}

const (
	startShare    = 128          // until a segment was measured
	leastBuffer   = 2304         // of a receive buffer that the user sets (SOCK_MIN_RCVBUF)
	segmentHead   = 64 + 20 + 20 // room in front of a segment, IP and TCP header
	segmentTail   = 320          // bookkeeping at the end of its memory
	segmentRecord = 256          // bookkeeping apart
	leastSegment  = 704          // of its memory without segmentRecord
)

// window returns the window that n octets of memory allow.
func (s *recvSpace) window(n int) int { return max(n, 0) * int(s.share) >> 8 }

// memory returns the memory that a window of n octets takes.
func (s *recvSpace) memory(n int) int { return n << 8 / int(s.share) }

// free returns the window that the memory not taken allows, full that of the whole buffer.
func (s *recvSpace) free() int { return s.window(s.size - s.used) }
func (s *recvSpace) full() int { return s.window(s.size) }

// segmentMemory returns how much memory a received segment of n octets of data takes, and how many octets more would
// fit into it. A segment lies in a block of a power of two with its headers, as a packet from a device does in Linux; from
// a page on, in pages.
func segmentMemory(n int) (size, slack int) {
	head := n + segmentHead
	if head > 4096 {
		return leastSegment + segmentRecord + (head+4095)&^4095, 0
	}
	size = (head+63)&^63 + segmentTail
	if size <= leastSegment {
		size = leastSegment
	} else {
		size = 1 << bits.Len(uint(size-1))
	}
	return size + segmentRecord, size - segmentTail - head
}

// hold takes the memory for a segment of n octets, which joins the one before if that has room, and returns how much its
// own would be.
func (s *recvSpace) hold(n int) int {
	size, slack := segmentMemory(n)
	if s.plain {
		size, slack = plainSegment(n), 0
	}
	s.octets += n
	if n <= s.slack {
		s.slack -= n
		return size
	}
	s.used += size
	s.slack = slack
	return size
}

// holdAlike is hold for k more segments of n octets each, of which each takes size octets of memory of its own.
func (s *recvSpace) holdAlike(n, size, k int) {
	s.used += k * size
	s.octets += k * n
}

// release gives back the memory of n octets that were read; of all, if nothing is left.
func (s *recvSpace) release(n int, empty bool) {
	if n <= 0 && !empty {
		return
	}
	if empty || n >= s.octets {
		s.used, s.octets, s.slack = 0, 0, 0
		return
	}
	s.used -= s.used * n / s.octets
	s.octets -= n
}

// begin sets the buffer up as cfg has it: fixed, or of its first size. It returns the scale to ask for.
func (s *recvSpace) begin(cfg *Config, scale bool) (shift uint8) {
	*s = recvSpace{size: cfg.RMem[1], share: startShare, plain: cfg.FreeBSD}
	s.fix(cfg.ReceiveBuffer)
	return s.offer(cfg.WindowClamp, max(cfg.RMem[2], cfg.RMemMax), scale)
}

// fix makes the buffer one of memory for n octets of data; 0: it stays as it is, and is tuned.
func (s *recvSpace) fix(n int) {
	if s.fixed = n > 0; s.fixed {
		s.size = min(max(2*n, leastBuffer), maxBuffer)
	}
}

// offer sets the window to begin with and the clamp, and returns the scale to ask for. limit bounds the window, if it is
// not 0; largest is what the buffer may ever be.
//
// RFC 7323, 2.2: "This option is an offer, not a promise": the scale has to be chosen now for all windows to come
// (tcp_select_initial_window).
func (s *recvSpace) offer(limit, largest int, scale bool) (shift uint8) {
	if s.fixed && (limit == 0 || limit > s.full()) {
		limit = s.full()
	}
	if limit == 0 {
		limit = maxBuffer
	}
	s.ssthresh = min(s.full(), limit)
	if scale {
		shift = windowShift(min(max(s.ssthresh, largest), limit))
	}
	s.clamp = min(limit, 65535<<shift)
	return shift
}

// firstOffer returns the window and the scale that a SYN,ACK offers where ours is the MSS mss.
func firstOffer(cfg *Config, mss int, scale, timestamps bool) (wnd uint16, shift uint8) {
	var s recvSpace
	shift = s.begin(cfg, scale)
	s.align(alignment(mss, timestamps))
	return s.field(cfg), shift
}

// field returns the window of a SYN or SYN,ACK. RFC 7323, 2.2: "The window field in a segment where the SYN bit is set …
// MUST NOT be scaled."
func (s *recvSpace) field(cfg *Config) uint16 {
	if cfg.SignedWindows {
		return uint16(min(s.ssthresh, 32767))
	}
	return uint16(min(s.ssthresh, 65535))
}

// alignment returns the size of a full segment of ours.
func alignment(mss int, timestamps bool) int {
	if timestamps {
		mss -= timestampsLen
	}
	return mss
}

// takes returns the payload of the largest segment that the peer can send (Linux's advmss).
func (c *TCB) takes() int { return alignment(c.rcv.maxSeg, c.ts.on) }

// align makes the window to begin with a multiple of the segment size, if it has one segment.
func (s *recvSpace) align(mss int) {
	if s.ssthresh > mss && !s.plain {
		s.ssthresh -= s.ssthresh % mss
	}
}

// establish bounds the clamp by the buffer: a segment is kept in reserve, and 1/2^keep of the window (tcp_app_win), if
// keep is not 0.
func (s *recvSpace) establish(mss, keep int) {
	if s.plain {
		return
	}
	full := s.full()
	if s.clamp >= full {
		s.clamp = full
		if keep > 0 && full > 4*mss {
			s.clamp = max(full-full>>keep, 4*mss)
		}
	}
	if keep > 0 && s.clamp > 2*mss && s.clamp+mss > full {
		s.clamp = max(2*mss, full-mss)
	}
	s.ssthresh = min(s.ssthresh, s.clamp)
}

// setClamp sets the clamp when the window is wnd.
func (s *recvSpace) setClamp(n, wnd int) {
	n = max(n, leastBuffer/2)
	switch {
	case n < s.clamp:
		s.ssthresh = min(s.ssthresh, n)
	case n > s.clamp:
		s.ssthresh = max(s.ssthresh, min(wnd, n))
	}
	s.clamp = n
}

// measure takes the share of data from a segment of n octets that takes size octets of memory.
func (s *recvSpace) measure(n, size, wnd int) {
	share := uint8(min(max(n<<8/size, 1), 255))
	if share != s.share && !s.plain {
		s.share = share
		s.setClamp(s.full(), wnd)
	}
}

// room returns how much the largest window may grow for now; 0 or less: not at all.
func (s *recvSpace) room() int { return min(s.clamp, s.free()) - s.ssthresh }

// grow lets the window grow for a segment of n octets of data in size octets of memory: by two segments if such
// segments fill the window well, less if much of the buffer would go for overhead (tcp_grow_window).
func (s *recvSpace) grow(n, size, mss, recvMSS, largest int) bool {
	room := s.room()
	if room <= 0 {
		return false
	}
	step := 0
	if s.window(size) <= n {
		step = 2 * mss
	} else {
		cost, window := s.window(size)/2, s.window(largest)/2
		for ; s.ssthresh <= window; cost, window = cost/2, window/2 {
			if cost <= n {
				step = 2 * recvMSS
				break
			}
		}
	}
	if step == 0 {
		return false
	}
	s.ssthresh += min(room, max(step, 2*n))
	return true
}

// overrun is for the case that more memory is taken than there is, by segments of little data: the buffer becomes as
// large as what is taken, up to largest; beyond, the data is thought packed, and the window becomes small.
func (s *recvSpace) overrun(mss, largest int) {
	if !s.fixed {
		s.size = min(max(s.size, s.used), max(largest, s.size))
	}
	if s.used > s.size {
		size, _ := segmentMemory(mss)
		s.used = min(s.used, s.octets+(s.octets/mss+1)*(size-mss))
		s.slack = 0
	}
	if s.used > s.size {
		s.ssthresh = min(s.clamp, 2*mss)
	}
}

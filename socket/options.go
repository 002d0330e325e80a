package socket

import (
	"encoding/binary"
	"syscall"
	"time"
)

// options are the options of levels SOL_SOCKET, IPPROTO_IP and IPPROTO_IPV6, which TCP and UDP sockets share. Where a
// layer below heeds them, it is told when they change.
type options struct {
	reuseAddr, reusePort bool
	broadcast            bool  // a datagram may be sent to a broadcast address
	zerocopy             bool  // MSG_ZEROCOPY is allowed
	timestamping         int   // SO_TIMESTAMPING of a TCP socket
	debug                bool  // SO_DEBUG, which has no effect, as in Linux
	mark, priority       int   // SO_MARK, of rules; SO_PRIORITY: kept, no queue of the stack looks at it
	device               int32 // SO_BINDTODEVICE: an interface's index
	oobInline            bool
	rcvbuf, sndbuf       int           // as they read, which is twice what was set; 0: not set
	rcvlowat             int           // at least 1
	rcvtimeo, sndtimeo   timeout       // of blocking calls
	linger               bool          // SO_LINGER is on
	lingerTime           time.Duration // and so long

	ttl       int // -1: the default
	tos       uint8
	pmtudisc  int
	hops      int // -1: the default
	tclass    uint8
	pmtudisc6 int
	dontFrag6 bool        // IPV6_DONTFRAG
	sources   sourcePrefs // IPV6_ADDR_PREFERENCES
	segment   uint16      // UDP_SEGMENT
	coalesce  bool        // UDP_GRO

	// What Recvmsg reports.
	recvErr, recvTTL, recvTOS, pktInfo       bool
	recvErr4884, recvErr48846                bool
	recvErr6, recvHops, recvTClass, pktInfo6 bool
	recvFlow                                 bool

	sticky pktinfo6 // IPV6_PKTINFO
}

func (o *options) init() {
	o.rcvlowat, o.ttl, o.hops = 1, -1, -1
	o.pmtudisc, o.pmtudisc6 = IP_PMTUDISC_WANT, IP_PMTUDISC_WANT
}

// timeout is how long blocking calls wait.
type timeout struct {
	set bool // false: for ever
	d   time.Duration
}

// Sizes of C types, in octets.
const (
	sizeofInt     = 4
	sizeofTimeval = 16
	sizeofLinger  = 8
)

// The least buffers, as Linux's SOCK_MIN_RCVBUF and SOCK_MIN_SNDBUF on amd64 are.
const (
	minRcvbuf = 2304
	minSndbuf = 4608
)

// intValue reads an option's int. Errors: EINVAL if there are fewer octets.
func intValue(b []byte) (int, error) {
	if len(b) < sizeofInt {
		return 0, syscall.EINVAL
	}
	return int(int32At(b)), nil
}

// byteValue reads an option that IPPROTO_IP takes as an int or as an unsigned char.
func byteValue(b []byte) int {
	switch {
	case len(b) >= sizeofInt:
		return int(int32At(b))
	case len(b) > 0:
		return int(b[0])
	}
	return 0
}

// boolValue reads an option's int as a boolean.
func boolValue(b []byte, v *bool) error {
	n, err := intValue(b)
	if err == nil {
		*v = n != 0
	}
	return err
}

// intInto reads an option's int into v.
func intInto(b []byte, v *int) error {
	n, err := intValue(b)
	if err == nil {
		*v = n
	}
	return err
}

// put writes an int cut off at len(b), and returns how many octets it wrote.
func put(b []byte, v int) (int, error) {
	var o [sizeofInt]byte
	putInt32(o[:], int32(v))
	return copy(b, o[:]), nil
}

func putBool(b []byte, v bool) (int, error) {
	if v {
		return put(b, 1)
	}
	return put(b, 0)
}

// putByte writes an option of IPPROTO_IP: into less than an int, one octet if that is enough.
func putByte(b []byte, v int) (int, error) {
	if len(b) > 0 && len(b) < sizeofInt && v >= 0 && v <= 255 {
		b[0] = byte(v)
		return 1, nil
	}
	return put(b, v)
}

// timeValue reads a struct timeval as SO_RCVTIMEO takes it. Errors: EINVAL, EDOM.
func timeValue(b []byte) (timeout, error) {
	if len(b) < sizeofTimeval {
		return timeout{}, syscall.EINVAL
	}
	sec, usec := int64(binary.LittleEndian.Uint64(b)), int64(binary.LittleEndian.Uint64(b[8:]))
	switch {
	case usec < 0 || usec >= 1e6:
		return timeout{}, syscall.EDOM
	case sec < 0:
		return timeout{set: true}, nil // nothing waits
	case sec == 0 && usec == 0 || sec > int64(longest/time.Second):
		return timeout{}, nil
	}
	return timeout{true, time.Duration(sec)*time.Second + time.Duration(usec)*time.Microsecond}, nil
}

// longest is the longest time that is not for ever.
const longest = time.Duration(1<<63-1) - time.Second

func putTime(b []byte, t timeout) (int, error) {
	var o [sizeofTimeval]byte
	binary.LittleEndian.PutUint64(o[:], uint64(t.d/time.Second))
	binary.LittleEndian.PutUint64(o[8:], uint64(t.d%time.Second/time.Microsecond))
	return copy(b, o[:]), nil
}

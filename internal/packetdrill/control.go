package packetdrill

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// Control messages as Linux lays them out on a 64-bit machine (cmsg(3)): a header of length (8 octets), level and type (4
// each), then the data, padded to 8.
const cmsgHeader = 16

// Levels and types of the messages whose data are compared field by field.
const (
	solSocket            = 1
	solIP                = 0
	solIPv6              = 41
	ipRecvErr            = 11
	ipv6RecvErr          = 25
	scmTimestamping      = 37
	scmTimestampingStats = 54
)

var le = binary.LittleEndian

func putInt(b []byte, v int) { le.PutUint32(b, uint32(v)) }
func getInt(b []byte) int    { return int(int32(le.Uint32(b))) }

// control lays out [{cmsg_level = SOL_SOCKET, cmsg_type = SCM_TIMESTAMPING, cmsg_data = {…}}, …].
func (a args) control(x script.Expr) ([]byte, error) {
	l, ok := x.(*script.List)
	if !ok {
		return nil, fmt.Errorf("%v is no list of control messages", x)
	}
	var b []byte
	for _, e := range l.Elems {
		s, ok := e.(*script.Struct)
		if !ok {
			return nil, fmt.Errorf("%v is no control message", e)
		}
		level, err := a.r.eval().int32(s.Field("cmsg_level"))
		if err != nil {
			return nil, fmt.Errorf("cmsg_level: %w", err)
		}
		typ, err := a.r.eval().int32(s.Field("cmsg_type"))
		if err != nil {
			return nil, fmt.Errorf("cmsg_type: %w", err)
		}
		data, err := a.controlData(level, s.Field("cmsg_data"))
		if err != nil {
			return nil, fmt.Errorf("cmsg_data: %w", err)
		}
		b = appendControl(b, level, typ, data)
	}
	return b, nil
}

func appendControl(b []byte, level, typ int, data []byte) []byte {
	b = le.AppendUint64(b, uint64(cmsgHeader+len(data)))
	b = le.AppendUint32(b, uint32(level))
	b = le.AppendUint32(b, uint32(typ))
	b = append(b, data...)
	return append(b, make([]byte, -len(data)&7)...)
}

// controlData lays out the data of a message.
func (a args) controlData(level int, x script.Expr) ([]byte, error) {
	switch x := x.(type) {
	case *script.List:
		return a.statistics(x)
	case *script.Struct:
		if x.Field("ee_errno") != nil {
			return a.extendedErr(level, x)
		}
		if x.Field("scm_sec") != nil {
			return a.timestamping(x)
		}
		return nil, fmt.Errorf("%s is of a form unknown", x)
	}
	v, err := a.r.eval().int32(x)
	return le.AppendUint32(nil, uint32(v)), err
}

// timestamping lays out struct scm_timestamping: three times, of which the first is the software's.
func (a args) timestamping(x *script.Struct) ([]byte, error) {
	b := make([]byte, 3*16)
	sec, err := a.r.eval().num(x.Field("scm_sec"))
	if err != nil {
		return nil, err
	}
	nsec, err := a.r.eval().num(x.Field("scm_nsec"))
	le.PutUint64(b, uint64(sec))
	le.PutUint64(b[8:], uint64(nsec))
	return b, err
}

// extendedErr lays out struct sock_extended_err, which an address of the socket's family follows.
func (a args) extendedErr(level int, x *script.Struct) ([]byte, error) {
	const size, addr4, addr6 = 16, 16, 28
	b := make([]byte, size+addr6)
	if level == solIP {
		b = b[:size+addr4]
	}
	for _, f := range []struct {
		name string
		at   int
		wide bool
	}{{"ee_errno", 0, true}, {"ee_origin", 4, false}, {"ee_type", 5, false}, {"ee_code", 6, false}, {"ee_info", 8, true},
		{"ee_data", 12, true}} {
		v, err := a.r.eval().num(x.Field(f.name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		if f.wide {
			putInt(b[f.at:], int(v))
		} else {
			b[f.at] = byte(v)
		}
	}
	return b, nil
}

// nextControl takes the first message off b.
func nextControl(b []byte) (level, typ int, data, rest []byte, ok bool) {
	if len(b) < cmsgHeader {
		return 0, 0, nil, nil, false
	}
	n := int(le.Uint64(b))
	if n < cmsgHeader || n > len(b) {
		return 0, 0, nil, nil, false
	}
	return getInt(b[8:]), getInt(b[12:]), b[cmsgHeader:n], b[min((n+7)&^7, len(b)):], true
}

// compareControl compares the control messages that came with those expected.
func (r *runner) compareControl(want, got []byte) error {
	for i := 0; ; i++ {
		wl, wt, wd, wrest, wok := nextControl(want)
		gl, gt, gd, grest, gok := nextControl(got)
		switch {
		case !wok && !gok:
			return nil
		case !wok:
			return fmt.Errorf("control message %d (level %d, type %d) came, and was not expected", i, gl, gt)
		case !gok:
			return fmt.Errorf("control message %d (level %d, type %d) is missing", i, wl, wt)
		case gl != wl || gt != wt:
			return fmt.Errorf("control message %d is of level %d and type %d, expected %d and %d", i, gl, gt, wl, wt)
		case len(gd) != len(wd):
			return fmt.Errorf("control message %d has %d octets of data, expected %d", i, len(gd), len(wd))
		}
		if err := r.compareData(wl, wt, wd, gd); err != nil {
			return fmt.Errorf("control message %d: %w", i, err)
		}
		want, got = wrest, grest
	}
}

func (r *runner) compareData(level, typ int, want, got []byte) error {
	switch {
	case level == solIP && typ == ipRecvErr, level == solIPv6 && typ == ipv6RecvErr:
		return compareExtendedErr(want, got)
	case level == solSocket && typ == scmTimestamping:
		return r.compareTimes(want, got)
	case level == solSocket && typ == scmTimestampingStats:
		return r.compareStatistics(want, got)
	case !bytes.Equal(want, got):
		return fmt.Errorf("the data are % x, expected % x", got, want)
	}
	return nil
}

// compareExtendedErr compares all but the address behind it.
func compareExtendedErr(want, got []byte) error {
	if len(want) < 16 || len(got) < 16 {
		return fmt.Errorf("the error has %d octets", len(got))
	}
	return first(
		differ("ee_errno", getInt(want), getInt(got)),
		differ("ee_origin", want[4], got[4]),
		differ("ee_type", want[5], got[5]),
		differ("ee_code", want[6], got[6]),
		differ("ee_info", le.Uint32(want[8:]), le.Uint32(got[8:])),
		differ("ee_data", le.Uint32(want[12:]), le.Uint32(got[12:])))
}

// compareTimes compares times since the script began; those that are 0 in the script are not looked at.
func (r *runner) compareTimes(want, got []byte) error {
	for at := 0; at+16 <= len(want); at += 16 {
		w := timespec(want[at:])
		if w == 0 {
			continue
		}
		g := r.world.SinceBegin(timespec(got[at:]))
		if d := g - w; d > r.cfg.Tolerance || -d > r.cfg.Tolerance {
			return fmt.Errorf("time %d is %s, expected %s, give or take %v", at/16, seconds(g), seconds(w), r.cfg.Tolerance)
		}
	}
	return nil
}

func timespec(b []byte) time.Duration {
	return time.Duration(le.Uint64(b))*time.Second + time.Duration(le.Uint64(b[8:]))
}

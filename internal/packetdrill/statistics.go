package packetdrill

import (
	"fmt"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// Statistics that come with timestamps (SCM_TIMESTAMPING_OPT_STATS) are netlink attributes: length and type of 16 bits
// each, then the value, padded to 4.
const nlaHeader = 4

// statistic is the size of an attribute and how it is compared.
type statistic struct {
	size  int
	micro bool // a time in microseconds, to be met within the tolerance
}

// statisticOf describes an attribute by its number in Linux's linux/tcp.h, TCP_NLA_…; size 0: unknown.
func statisticOf(typ int) statistic {
	switch typ {
	case 1, 2, 3: // BUSY, RWND_LIMITED, SNDBUF_LIMITED
		return statistic{8, true}
	case 4, 5, 6, 7, 18, 19: // DATA_SEGS_OUT, TOTAL_RETRANS, PACING_RATE, DELIVERY_RATE, BYTES_SENT, BYTES_RETRANS
		return statistic{8, false}
	case 8, 9, 10, 13, 15, 16, 17, 20, 21, 22: // SND_CWND, REORDERING, MIN_RTT, SNDQ_SIZE, SND_SSTHRESH, DELIVERED,
		return statistic{4, false} // DELIVERED_CE, DSACK_DUPS, REORD_SEEN, SRTT
	case 11, 12, 14: // RECUR_RETRANS, DELIVERY_RATE_APP_LMT, CA_STATE
		return statistic{1, false}
	}
	return statistic{}
}

// ignored is the value of an attribute that is not looked at.
const ignored = 0xffff_ffff

// statistics lays out [TCP_NLA_BUSY = 1000, TCP_NLA_SND_CWND = …].
func (a args) statistics(l *script.List) ([]byte, error) {
	var b []byte
	for _, e := range l.Elems {
		x, ok := e.(*script.Assign)
		if !ok {
			return nil, fmt.Errorf("%s is no statistic", e)
		}
		typ, err := a.r.eval().word(x.Name)
		if err != nil {
			return nil, err
		}
		size := statisticOf(int(typ)).size
		if size == 0 {
			return nil, fmt.Errorf("statistic %s is not supported", x.Name)
		}
		v := int64(ignored)
		if _, any := x.Value.(*script.Ellipsis); !any {
			if v, err = a.r.eval().num(x.Value); err != nil {
				return nil, err
			}
		}
		b = le.AppendUint16(b, uint16(nlaHeader+size))
		b = le.AppendUint16(b, uint16(typ))
		b = append(b, le.AppendUint64(nil, uint64(v))[:size]...)
		b = append(b, make([]byte, -size&3)...)
	}
	return b, nil
}

// compareStatistics compares attributes, which must come in the order of the script.
func (r *runner) compareStatistics(want, got []byte) error {
	for len(want) >= nlaHeader && len(got) >= nlaHeader {
		wn, wt := int(le.Uint16(want)), int(le.Uint16(want[2:]))
		gn, gt := int(le.Uint16(got)), int(le.Uint16(got[2:]))
		if wn != gn || wt != gt || wn < nlaHeader || gn > len(got) || wn > len(want) {
			return fmt.Errorf("statistic %d of %d octets came, expected %d of %d", gt, gn, wt, wn)
		}
		w, g := value(want[nlaHeader:wn]), value(got[nlaHeader:gn])
		if !r.sameStatistic(wt, w, g) {
			return fmt.Errorf("statistic %d is %d, expected %d", wt, g, w)
		}
		next := (wn + 3) &^ 3
		want, got = want[min(next, len(want)):], got[min(next, len(got)):]
	}
	return nil
}

func value(b []byte) uint64 {
	var all [8]byte
	copy(all[:], b)
	return le.Uint64(all[:])
}

func (r *runner) sameStatistic(typ int, want, got uint64) bool {
	s := statisticOf(typ)
	mask := uint64(ignored)
	if s.size == 1 {
		mask = 0xff
	}
	if want == mask || want == got {
		return true
	}
	d := int64(want - got)
	return s.micro && want != 0 && max(d, -d) <= r.cfg.Tolerance.Microseconds()
}

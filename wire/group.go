package wire

import "time"

// IGMP and MLD say the same in two formats. What they say is here: a [GroupQuery] of a router, and a [GroupReport] of a
// host, in version 3 of IGMP and version 2 of MLD. The older versions have messages about one group, of 8 or 24 octets.

// GroupQuery is a Membership Query (RFC 3376, 4.1) or a Multicast Listener Query (RFC 3810, 5.1).
type GroupQuery struct {
	Version  uint8         // 1, 2 or 3 of IGMP; 1 or 2 of MLD
	MaxResp  time.Duration // within which an answer is wanted
	Group    Addr          // unspecified: a General Query
	Suppress bool          // S: routers that hear it do not update their timers
	QRV      uint8         // the querier's Robustness Variable, 0 to 7; 0: not told
	QQI      time.Duration // the querier's Query Interval; 0: not told
	Sources  []Addr        // not empty: a Group-and-Source-Specific Query
}

// RecordType is the type of a GroupRecord (RFC 3376, 4.2.12; RFC 3810, 5.2.12).
type RecordType uint8

// The types: Current-State, Filter-Mode-Change and Source-List-Change Records.
const (
	ModeIsInclude RecordType = iota + 1
	ModeIsExclude
	ChangeToInclude
	ChangeToExclude
	AllowNewSources
	BlockOldSources
)

// String returns the notation of RFC 3376, 4.2.15.
func (t RecordType) String() string {
	if t < ModeIsInclude || t > BlockOldSources {
		return "?"
	}
	return [...]string{"IS_IN", "IS_EX", "TO_IN", "TO_EX", "ALLOW", "BLOCK"}[t-1]
}

// GroupRecord is what a GroupReport says of one group.
type GroupRecord struct {
	Type    RecordType
	Group   Addr
	Sources []Addr
}

// GroupReport is a Version 3 Membership Report (RFC 3376, 4.2) or a Version 2 Multicast Listener Report (RFC 3810,
// 5.2).
type GroupReport struct{ Records []GroupRecord }

// groupFloat reads a code whose highest bit says that the rest is a floating-point number: of mant bits of mantissa and
// three of exponent (RFC 3376, 4.1.1; RFC 3810, 5.1.3).
func groupFloat(code uint32, mant int) uint32 {
	if code < 1<<(mant+3) {
		return code
	}
	exp := code >> mant & 7
	return (code&(1<<mant-1) | 1<<mant) << (exp + 3)
}

// groupCode is the inverse of groupFloat: the code for v, or for the next lower value that has one.
//
// RFC 3376, 8.8: "it is recommended to use the exact value if possible, or the next lower value if the requested value is
// not exactly representable."
func groupCode(v uint64, mant int) uint32 {
	if v < 1<<(mant+3) {
		return uint32(v)
	}
	for exp := range uint64(8) {
		if m := v >> (exp + 3); m < 2<<mant {
			return uint32(1<<(mant+3) | exp<<mant | m&(1<<mant-1))
		}
	}
	return 1<<(mant+4) - 1
}

// groupFormat is how a family writes messages.
type groupFormat struct {
	addr   int // octets of an address
	head   int // of a query before its version's own part: type, code, checksum, and what follows to the end of the group
	unit   time.Duration
	mant   int  // bits of the mantissa of Max Resp Code
	report byte // type of the newest version's report
}

const (
	groupQueryTail  = 4 // of the newest version's queries behind the group: S, QRV, QQIC, Number of Sources
	groupReportHead = 8
	groupRecordHead = 4 // before the group: Record Type, Aux Data Len, Number of Sources
)

func (f *groupFormat) read(b []byte) Addr {
	if f.addr == 4 {
		return AddrFrom4(b)
	}
	return AddrFrom16(b)
}

func (f *groupFormat) put(b []byte, a Addr) {
	if f.addr == 4 {
		a.Put4(b)
	} else {
		a.Put16(b)
	}
}

// addrs reads n addresses, or returns ErrShort.
func (f *groupFormat) addrs(b []byte, n int) ([]Addr, error) {
	if n*f.addr > len(b) {
		return nil, ErrShort
	}
	var as []Addr
	for i := range n {
		as = append(as, f.read(b[i*f.addr:]))
	}
	return as, nil
}

// tail reads what the newest version's queries have behind the group.
func (f *groupFormat) tail(q *GroupQuery, b []byte) (err error) {
	q.Suppress, q.QRV = b[0]&8 != 0, b[0]&7
	q.QQI = time.Duration(groupFloat(uint32(b[1]), 4)) * time.Second
	q.Sources, err = f.addrs(b[groupQueryTail:], int(b[2])<<8|int(b[3]))
	return err
}

// putTail writes it.
func (f *groupFormat) putTail(q *GroupQuery, b []byte) {
	b[0] = q.QRV & 7
	if q.Suppress {
		b[0] |= 8
	}
	b[1] = byte(groupCode(uint64(q.QQI/time.Second), 4))
	b[2], b[3] = byte(len(q.Sources)>>8), byte(len(q.Sources))
	for i, a := range q.Sources {
		f.put(b[groupQueryTail+i*f.addr:], a)
	}
}

// parseReport reads the records of a report.
func (f *groupFormat) parseReport(b []byte) (GroupReport, error) {
	var r GroupReport
	if len(b) < groupReportHead {
		return r, ErrShort
	}
	if b[0] != f.report {
		return r, ErrCode
	}
	n := int(b[6])<<8 | int(b[7])
	for b = b[groupReportHead:]; n > 0; n-- {
		if len(b) < groupRecordHead+f.addr {
			return r, ErrShort
		}
		size := groupRecordHead + f.addr
		sources, err := f.addrs(b[size:], int(b[2])<<8|int(b[3]))
		if err != nil {
			return r, err
		}
		rec := GroupRecord{Type: RecordType(b[0]), Group: f.read(b[groupRecordHead:]), Sources: sources}
		// RFC 3376, 4.2.10: "MUST ignore any auxiliary data present in any received Group Record."
		size += len(sources)*f.addr + 4*int(b[1])
		if size > len(b) {
			return r, ErrShort
		}
		b = b[size:]
		// RFC 3376, 4.2.12: "Unrecognized Record Type values MUST be silently ignored."
		if rec.Type >= ModeIsInclude && rec.Type <= BlockOldSources {
			r.Records = append(r.Records, rec)
		}
	}
	return r, nil
}

func (f *groupFormat) recordLen(sources int) int { return groupRecordHead + (1+sources)*f.addr }

func (f *groupFormat) reportLen(r *GroupReport) int {
	n := groupReportHead
	for i := range r.Records {
		n += f.recordLen(len(r.Records[i].Sources))
	}
	return n
}

func (f *groupFormat) putReport(r *GroupReport, b []byte) {
	b = b[:f.reportLen(r)]
	clear(b[:groupReportHead])
	b[0] = f.report
	b[6], b[7] = byte(len(r.Records)>>8), byte(len(r.Records))
	b = b[groupReportHead:]
	for i := range r.Records {
		rec := &r.Records[i]
		b[0], b[1], b[2], b[3] = byte(rec.Type), 0, byte(len(rec.Sources)>>8), byte(len(rec.Sources))
		f.put(b[groupRecordHead:], rec.Group)
		for k, a := range rec.Sources {
			f.put(b[groupRecordHead+(1+k)*f.addr:], a)
		}
		b = b[f.recordLen(len(rec.Sources)):]
	}
}

package onlink

import (
	"encoding/json"
	"io"
	"math"
	"sync"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/internal/tcp"
)

// StartLog has w written a log of what the connection does from now on, until stop is called: its states, congestion
// window, slow-start threshold, round-trip times and octets in flight whenever they change, each retransmission, and each
// recovery episode. The log begins with how the connection stands. A second StartLog ends the first.
//
// The format is qlog's (draft-ietf-quic-qlog-main-schema) as a sequence of JSON texts (RFC 7464), with the events of its
// recovery namespace, and tcp:connection_state_updated and tcp:segment_retransmitted beside them. Times are in milliseconds since
// StartLog; docs/tcp.md has the list of events.
//
// w is written to by one goroutine at a time, outside all locks of the stack. stop returns when all is written, with the first
// error of w; after an error nothing more is written.
func (c *TCPConn) StartLog(w io.Writer) (stop func() error) {
	l := &qlog{rt: c.stack.rt, w: w, start: c.stack.rt.Now()}
	l.append(&qlogHeader{
		Schema: "urn:ietf:params:qlog:file:sequential", Format: "application/qlog+json-seq",
		Title: c.LocalAddr().String() + " - " + c.RemoteAddr().String(),
		Trace: qlogTrace{
			Common: qlogCommon{Group: c.LocalAddr().String() + "-" + c.RemoteAddr().String(), TimeFormat: "relative_to_epoch", Reference: qlogReference{
				Clock: "monotonic", Epoch: "unknown", Wall: c.stack.rt.Wall().UTC().Format(time.RFC3339Nano)}},
			Vantage: qlogVantage{"onlink", "unknown"},
			Schemas: []string{"urn:ietf:params:qlog:events:recovery-12", "urn:onlink:qlog:events:tcp"},
		},
	})
	c.conn.SetLog(l)
	return func() error {
		c.conn.SetLog(nil)
		l.flush()
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.err
	}
}

// qlog is one log. It implements tcpsock.Log: what it is told is queued, and written from a goroutine of its own.
type qlog struct {
	rt    clock.Runtime
	w     io.Writer
	start clock.Instant

	mu      sync.Mutex // guards all below
	queue   []byte
	pending bool // flush has been asked for
	err     error

	writing sync.Mutex // held while w is written to
}

// The first record of a log.
type qlogHeader struct {
	Schema string    `json:"file_schema"`
	Format string    `json:"serialization_format"`
	Title  string    `json:"title"`
	Trace  qlogTrace `json:"trace"`
}

type qlogTrace struct {
	Common  qlogCommon  `json:"common_fields"`
	Vantage qlogVantage `json:"vantage_point"`
	Schemas []string    `json:"event_schemas"`
}

type qlogCommon struct {
	Group      string        `json:"group_id"`
	TimeFormat string        `json:"time_format"`
	Reference  qlogReference `json:"reference_time"`
}

type qlogReference struct {
	Clock string `json:"clock_type"`
	Epoch string `json:"epoch"`
	Wall  string `json:"wall_clock_time"`
}

type qlogVantage struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// qlogEvent is any other record.
type qlogEvent struct {
	Time float64 `json:"time"` // ms
	Name string  `json:"name"`
	Data any     `json:"data"`
}

type qlogChange struct {
	Old string `json:"old,omitempty"`
	New string `json:"new"`
}

type qlogRetransmit struct {
	Seq     uint32 `json:"seq"`
	Length  int    `json:"length"`
	Trigger string `json:"trigger"`
}

// qlogMetrics are times in milliseconds and amounts in octets.
type qlogMetrics struct {
	MinRTT     float64 `json:"min_rtt,omitempty"`
	SRTT       float64 `json:"smoothed_rtt,omitempty"`
	RTTVar     float64 `json:"rtt_variance,omitempty"`
	RTO        float64 `json:"rto"`
	Timeouts   int     `json:"pto_count"`
	CWND       int     `json:"congestion_window"`
	InFlight   int     `json:"bytes_in_flight"`
	SSThresh   int     `json:"ssthresh,omitempty"`
	Segments   int     `json:"packets_in_flight"`
	Lost       int     `json:"packets_lost"`
	PacingRate uint64  `json:"pacing_rate,omitempty"` // bits a second
	SendWindow int     `json:"send_window"`
}

// append queues a record: RFC 7464, 2.2: each is preceded by a record separator and followed by a line feed.
func (l *qlog) append(v any) {
	b, err := json.Marshal(v)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err // of our own types, which is never
	}
	if l.err != nil {
		return
	}
	l.queue = append(append(append(l.queue, 0x1e), b...), '\n')
	if !l.pending {
		l.pending = true
		l.rt.Go(l.flush)
	}
}

// flush writes what is queued.
func (l *qlog) flush() {
	l.writing.Lock()
	defer l.writing.Unlock()
	for {
		l.mu.Lock()
		b := l.queue
		l.queue = nil
		if len(b) == 0 || l.err != nil {
			l.pending = false
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		if _, err := l.w.Write(b); err != nil {
			l.mu.Lock()
			l.err = err
			l.mu.Unlock()
		}
	}
}

func (l *qlog) event(now clock.Instant, name string, data any) {
	l.append(&qlogEvent{float64(now.Sub(l.start)) / 1e6, name, data})
}

// State implements tcpsock.Log.
func (l *qlog) State(now clock.Instant, from, to tcp.State) {
	l.event(now, "tcp:connection_state_updated", qlogChange{from.String(), to.String()})
}

// Recovery implements tcpsock.Log.
func (l *qlog) Recovery(now clock.Instant, from, to string) {
	l.event(now, "recovery:congestion_state_updated", qlogChange{from, to})
}

// Retransmitted implements tcpsock.Log.
func (l *qlog) Retransmitted(now clock.Instant, seq tcp.Seq, n int, why string) {
	l.event(now, "tcp:segment_retransmitted", qlogRetransmit{uint32(seq), n, why})
}

// qlogPath is something that recovery came to do.
type qlogPath struct {
	Trigger  string `json:"trigger"`
	Source   string `json:"source,omitempty"`
	Segments int    `json:"segments,omitempty"`
}

// qlogEpisode is an episode that is over. Times are in milliseconds.
type qlogEpisode struct {
	State         string  `json:"state"`
	Began         float64 `json:"began"`
	From          uint32  `json:"from"`
	To            uint32  `json:"to"`
	Detected      string  `json:"detected"`
	Lost          int     `json:"packets_lost"`
	Retransmitted int     `json:"packets_retransmitted"`
	Undone        string  `json:"undone,omitempty"`
}

// Path implements tcpsock.Log.
func (l *qlog) Path(now clock.Instant, p tcp.Path, n int) {
	name := "tcp:recovery_path_taken"
	switch {
	case p.Detects():
		name = "tcp:loss_detected"
	case p.Undoes():
		name = "tcp:reduction_undone"
	}
	l.event(now, name, qlogPath{p.String(), p.Source(), n})
}

// Episode implements tcpsock.Log.
func (l *qlog) Episode(now clock.Instant, e *tcp.Episode) {
	q := qlogEpisode{State: e.State, Began: float64(e.Began.Sub(l.start)) / 1e6, From: e.From, To: e.To, Detected: e.Detected.String(),
		Lost: e.Lost, Retransmitted: e.Retransmitted}
	if e.Undone != tcp.PathNone {
		q.Undone = e.Undone.String()
	}
	l.event(now, "tcp:recovery_episode_ended", &q)
}

// Metrics implements tcpsock.Log.
func (l *qlog) Metrics(now clock.Instant, m *tcp.Metrics) {
	q := qlogMetrics{MinRTT: millis(m.MinRTT), SRTT: millis(m.RTT), RTTVar: millis(m.RTTVar), RTO: millis(m.RTO), Timeouts: m.Timeouts,
		CWND: m.CongestionWindow, InFlight: m.InFlight, Segments: m.SegmentsInFlight, Lost: m.Lost, PacingRate: 8 * m.PacingRate,
		SendWindow: m.SendWindow}
	if m.SlowStartThreshold < math.MaxInt32 {
		q.SSThresh = m.SlowStartThreshold
	}
	l.event(now, "recovery:metrics_updated", &q)
}

func millis(d time.Duration) float64 { return float64(d) / 1e6 }

package sim_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/sim"
)

// record is a record of a qlog, as a reader has it.
type record struct {
	Schema string         `json:"file_schema"`
	Format string         `json:"serialization_format"`
	Time   float64        `json:"time"`
	Name   string         `json:"name"`
	Data   map[string]any `json:"data"`
}

// readLog takes a sequence of JSON texts apart, each between a record separator (0x1e) and a line feed: RFC 7464, 2.2.
func readLog(t *testing.T, log []byte) (records []record) {
	t.Helper()
	if len(log) == 0 || log[0] != 0x1e {
		t.Fatal("no record separator at the beginning")
	}
	for _, text := range bytes.Split(log[1:], []byte{0x1e}) {
		if len(text) == 0 || text[len(text)-1] != '\n' {
			t.Fatalf("a record without its end: %q", text)
		}
		var r record
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

// A log tells of a lossy transfer: every retransmission, each recovery episode, and how the windows and times went.
func TestLog(t *testing.T) {
	eachFamily(t, func(t *testing.T, n *sim.Network, address string) {
		a, b := lan(n, sim.Line{Delay: 20 * time.Millisecond, Rate: 10e6, Loss: 0.02, Queue: 100})
		serve(t, b, func(c *onlink.TCPConn) { discard(t, c) })
		var log bytes.Buffer
		var info onlink.TCPInfo
		a.Go("client", func() {
			c := dial(t, a, address)
			stop := c.StartLog(&log)
			c.Write(make([]byte, 300_000))
			c.CloseWrite()
			io.Copy(io.Discard, c)
			info = c.Info()
			if err := stop(); err != nil {
				t.Error(err)
			}
			length := log.Len()
			c.Close()
			if log.Len() != length {
				t.Error("it goes on after its end")
			}
		})
		run(t, n)
		records := readLog(t, log.Bytes())
		if r := records[0]; r.Schema != "urn:ietf:params:qlog:file:sequential" || r.Format != "application/qlog+json-seq" {
			t.Fatalf("%+v", r)
		}
		again, lost, episodes, ended, cwnd, state := 0, 0, 0, 0, math.NaN(), ""
		open := true
		before := 0.0
		for _, r := range records[1:] {
			if r.Time < before {
				t.Fatalf("%v after %v", r.Time, before)
			}
			before = r.Time
			switch r.Name {
			case "tcp:segment_retransmitted":
				again++
				if r.Data["length"].(float64) <= 0 || r.Data["trigger"] == "" {
					t.Errorf("%+v", r)
				}
			case "recovery:congestion_state_updated":
				if to := r.Data["new"]; open && (to == "recovery" || to == "loss") {
					open = false
					episodes++
				} else if to == "open" {
					open = true
				}
			case "recovery:metrics_updated":
				cwnd = r.Data["congestion_window"].(float64)
				if rtt := r.Data["smoothed_rtt"].(float64); rtt < 40 || rtt > 1000 || r.Data["bytes_in_flight"].(float64) > 300_000 {
					t.Errorf("%+v", r)
				}
			case "tcp:loss_detected":
				lost += int(r.Data["segments"].(float64))
				fallthrough
			case "tcp:recovery_path_taken":
				if r.Data["trigger"] == "" || !strings.HasPrefix(r.Data["source"].(string), "RFC ") {
					t.Errorf("%+v", r)
				}
			case "tcp:recovery_episode_ended":
				ended++
				if r.Data["from"].(float64) == r.Data["to"].(float64) || r.Data["detected"] == "" || r.Data["packets_lost"].(float64) == 0 {
					t.Errorf("%+v", r)
				}
			case "tcp:connection_state_updated":
				state = r.Data["new"].(string)
			default:
				t.Errorf("%+v", r)
			}
		}
		if again != int(info.Retransmits) || again == 0 || lost == 0 || episodes == 0 || ended != episodes || int(cwnd) != info.CongestionWindow || state != "TIME-WAIT" {
			t.Errorf("%d retransmissions, %d lost, %d episodes, %d ended, window %v, state %s; %s %+v", again, lost, episodes, ended, cwnd, state, info.State, info)
		}
	})
}

// A writer that fails ends the log and not the connection.
func TestLogFails(t *testing.T) {
	eachFamily(t, func(t *testing.T, n *sim.Network, address string) {
		a, b := lan(n, sim.Line{Delay: 20 * time.Millisecond})
		got := 0
		serve(t, b, func(c *onlink.TCPConn) { got = discard(t, c) })
		full := errors.New("full")
		a.Go("client", func() {
			c := dial(t, a, address)
			stop := c.StartLog(failing{full})
			c.Write(make([]byte, 30_000))
			c.CloseWrite()
			io.Copy(io.Discard, c)
			if err := stop(); err != full {
				t.Errorf("stop: %v", err)
			}
			c.Close()
		})
		run(t, n)
		if got != 30_000 {
			t.Errorf("%d octets arrived", got)
		}
	})
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/mib"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// watched returns a stack with a connection to itself.
func watched(t *testing.T) *onlink.Stack {
	t.Helper()
	s, err := onlink.New(onlink.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // nobody waits for the connections
		s.Close(ctx)
	})
	if _, err := s.Listen(t.Context(), "tcp", "[::1]:80"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Dial("tcp", "[::1]:80"); err != nil {
		t.Fatal(err)
	}
	return s
}

// parsed returns the families that Prometheus's own parser reads from text.
func parsed(t *testing.T, text []byte) map[string]*dto.MetricFamily {
	t.Helper()
	p := expfmt.NewTextParser(model.UTF8Validation)
	all, err := p.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return all
}

// The parser of Prometheus reads the metrics, its linter finds nothing, and the values are those of the snapshot.
func TestMetrics(t *testing.T) {
	s := watched(t).Snapshot()
	text := metrics(s)
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if err != nil {
		t.Error(err)
	}
	all := parsed(t, text)
	for _, c := range mib.Counters() {
		f := all[metricName(c.String())]
		if f.GetType() != dto.MetricType_COUNTER || len(f.Metric) != 1 || uint64(f.Metric[0].Counter.GetValue()) != s.Counters.Get(c) || f.GetHelp() == "" {
			t.Errorf("%v: %v", c, f)
		}
	}
	if f := all["onlink_drops_total"]; len(f.Metric) != len(mib.Reasons()) {
		t.Errorf("%d reasons of %d", len(f.Metric), len(mib.Reasons()))
	}
	for _, w := range []struct {
		name, label string
		want        float64
	}{{"onlink_sockets", "LISTEN", 1}, {"onlink_sockets", "ESTABLISHED", 2}, {"onlink_if_up", "lo", 1}, {"onlink_rules", "ipv4", 2},
		{"onlink_if_mtu_bytes", "lo", 65535}, {"onlink_neighbors", "STALE", 0}, {"onlink_gateways", "unreachable", 0}} {
		if got := gauge(all[w.name], w.label); got != w.want {
			t.Errorf("%s of %s: %v, want %v", w.name, w.label, got, w.want)
		}
	}
}

// gauge sums the samples that have a label of the given value.
func gauge(f *dto.MetricFamily, label string) (sum float64) {
	for _, m := range f.GetMetric() {
		for _, l := range m.Label {
			if l.GetValue() == label {
				sum += m.Gauge.GetValue()
			}
		}
	}
	return sum
}

// Names are the MIB's words.
func TestMetricName(t *testing.T) {
	for counter, want := range map[string]string{"IpInReceives": "onlink_ip_in_receives_total", "Ip6OutForwDatagrams": "onlink_ip6_out_forw_datagrams_total",
		"IpReasmOKs": "onlink_ip_reasm_oks_total", "Icmp6RALimited": "onlink_icmp6_ra_limited_total", "TcpExtTCPLossProbes": "onlink_tcp_ext_loss_probes_total",
		"TcpExtIPReversePathFilter": "onlink_tcp_ext_ip_reverse_path_filter_total", "TcpExtTW": "onlink_tcp_ext_tw_total",
		"TcpExtTCPSpuriousRTOs": "onlink_tcp_ext_spurious_rtos_total", "TcpExtTCPMTUPFail": "onlink_tcp_ext_mtup_fail_total",
		"TcpExtTCPChallengeACK": "onlink_tcp_ext_challenge_ack_total", "Icmp6InPktTooBigs": "onlink_icmp6_in_pkt_too_bigs_total"} {
		if got := metricName(counter); got != want {
			t.Errorf("%s: %s, want %s", counter, got, want)
		}
	}
	seen := map[string]bool{}
	for _, c := range mib.Counters() {
		if n := metricName(c.String()); seen[n] {
			t.Errorf("two counters are %s", n)
		} else {
			seen[n] = true
		}
	}
}

// What a label says is quoted.
func TestMetricLabels(t *testing.T) {
	w := &metricsWriter{}
	w.family("x", "gauge", "An x.")
	w.sample("x", 1, "interface", "a\"b\\c\nd")
	if f := parsed(t, w.Bytes())["x"]; f.GetMetric()[0].Label[0].GetValue() != "a\"b\\c\nd" {
		t.Errorf("%v from %s", f, w.Bytes())
	}
}

// They are served over HTTP, and expvar's JSON beside them.
func TestMetricsServed(t *testing.T) {
	srv := httptest.NewServer(metricsHandler(watched(t)))
	defer srv.Close()
	get := func(path string) (int, string, []byte) {
		r, err := http.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, r.Header.Get("Content-Type"), b
	}
	if code, typ, b := get("/metrics"); code != 200 || typ != metricsType || len(parsed(t, b)) < 100 {
		t.Errorf("%d, %s: %s", code, typ, b)
	}
	var vars struct {
		Onlink struct {
			Counters struct{ Counters map[string]int }
		}
	}
	if code, _, b := get("/debug/vars"); code != 200 || json.Unmarshal(b, &vars) != nil || vars.Onlink.Counters.Counters["TcpPassiveOpens"] != 1 {
		t.Errorf("%d: %s", code, b)
	}
	if code, _, _ := get("/x"); code != 404 {
		t.Error(code)
	}
}

// An address that cannot be listened on is told in the error.
func TestMetricsAddress(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, bad := range []string{"nonsense", "127.0.0.1:99999", ln.Addr().String()} {
		if l, err := listenMetrics(bad); err == nil || !strings.Contains(err.Error(), "--metrics "+bad) {
			t.Errorf("%s: %v, %v", bad, l, err)
		}
	}
}

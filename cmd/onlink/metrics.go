package main

import (
	"bytes"
	"expvar"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/mib"
)

// The metrics of a host, in Prometheus's text format. Counters have the names that nstat(8) and the MIBs have, in Prometheus's manner:
// IpInReceives is onlink_ip_in_receives_total, TcpExtTCPLossProbes onlink_tcp_ext_loss_probes_total.

// metricsType is the content type of the text format.
const metricsType = "text/plain; version=0.0.4; charset=utf-8"

// metrics writes what there is to be watched of a snapshot.
func metrics(s *onlink.Snapshot) []byte {
	w := &metricsWriter{}
	w.counters(&s.Counters)
	w.interfaces(s.Interfaces)
	w.sockets(s.Sockets)
	w.neighbors(s)
	w.routing(s)
	return w.Bytes()
}

// metricsWriter writes families of metrics.
type metricsWriter struct{ bytes.Buffer }

// family begins a family of the given type.
func (w *metricsWriter) family(name, typ, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, typ)
}

// sample writes a sample; labels are names and values in turn.
func (w *metricsWriter) sample(name string, value uint64, labels ...string) {
	w.WriteString(name)
	for i := 0; i < len(labels); i += 2 {
		sep := ","
		if i == 0 {
			sep = "{"
		}
		fmt.Fprintf(w, `%s%s="%s"`, sep, labels[i], labelEscape.Replace(labels[i+1]))
	}
	if len(labels) > 0 {
		w.WriteString("}")
	}
	fmt.Fprintf(w, " %d\n", value)
}

// labelEscape makes the value of a label of a text: "backslash …, double-quote …, and line feed".
var labelEscape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// counters writes the counters of the MIBs, and the drops by reason.
func (w *metricsWriter) counters(v *mib.Values) {
	for _, c := range mib.Counters() {
		name := metricName(c.String())
		w.family(name, "counter", fmt.Sprintf("%s (%s).", c, counterSource(c.String())))
		w.sample(name, v.Get(c))
	}
	const drops = "onlink_drops_total"
	w.family(drops, "counter", "Packets dropped, by reason.")
	for _, r := range mib.Reasons() {
		w.sample(drops, v.Dropped(r), "reason", r.String())
	}
}

// counterSource says where a counter is defined.
func counterSource(name string) string {
	switch {
	case strings.HasPrefix(name, "TcpExt"):
		return "Linux's nstat"
	case strings.HasPrefix(name, "Tcp"):
		return "RFC 4022"
	case strings.HasPrefix(name, "Udp"):
		return "RFC 4113"
	case strings.HasPrefix(name, "Arp"):
		return "ARP packets"
	}
	return "RFC 4293"
}

// metricName returns the metric of a counter: its words in lower case, joined by underscores.
func metricName(counter string) string {
	counter = strings.Replace(counter, "TcpExtTCP", "TcpExt", 1)
	var b strings.Builder
	b.WriteString("onlink")
	upper := func(i int) bool { return i < len(counter) && 'A' <= counter[i] && counter[i] <= 'Z' }
	for i := range len(counter) {
		c := counter[i]
		if upper(i) {
			// A word begins with a capital behind a small letter, or before one: "InDestUnreachs", "IPReversePath".
			if i == 0 || !upper(i-1) || i+1 < len(counter) && !upper(i+1) && counter[i+1] != 's' {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String() + "_total"
}

// interfaces writes what RFC 2863 has of interfaces.
func (w *metricsWriter) interfaces(all []onlink.InterfaceState) {
	each := func(name, typ, help string, value func(i *onlink.InterfaceState) uint64) {
		w.family(name, typ, help)
		for k := range all {
			w.sample(name, value(&all[k]), "interface", all[k].Name)
		}
	}
	each("onlink_if_up", "gauge", "1 if the interface is up and its link has a carrier (ifOperStatus).", func(i *onlink.InterfaceState) uint64 { return one(i.Up) })
	each("onlink_if_mtu_bytes", "gauge", "Largest packet (ifMtu).", func(i *onlink.InterfaceState) uint64 { return uint64(i.MTU) })
	for _, d := range [...]struct {
		name, mib string
		of        func(i *onlink.InterfaceState) *onlink.LinkStats
	}{{"in", "ifHCIn", func(i *onlink.InterfaceState) *onlink.LinkStats { return &i.Received }},
		{"out", "ifHCOut", func(i *onlink.InterfaceState) *onlink.LinkStats { return &i.Sent }}} {
		short := strings.Replace(d.mib, "HC", "", 1)
		each("onlink_if_"+d.name+"_octets_total", "counter", "Octets, link headers included ("+d.mib+"Octets).", func(i *onlink.InterfaceState) uint64 { return d.of(i).Octets })
		each("onlink_if_"+d.name+"_pkts_total", "counter", "Frames ("+d.mib+"UcastPkts, MulticastPkts and BroadcastPkts).", func(i *onlink.InterfaceState) uint64 { return d.of(i).Frames })
		each("onlink_if_"+d.name+"_errors_total", "counter", "Frames with errors ("+short+"Errors).", func(i *onlink.InterfaceState) uint64 { return d.of(i).Errors })
		each("onlink_if_"+d.name+"_discards_total", "counter", "Frames of no use, or without room ("+short+"Discards).", func(i *onlink.InterfaceState) uint64 { return d.of(i).Discarded })
	}
	const addresses = "onlink_if_addresses"
	w.family(addresses, "gauge", "Addresses of the interface, by family and state (RFC 4862).")
	for k := range all {
		n := map[[2]string]uint64{}
		for _, a := range all[k].Addresses {
			n[[2]string{familyName(a.Prefix.Addr().Is4()), a.State}]++
		}
		for _, f := range [...]string{"ipv4", "ipv6"} {
			for _, s := range [...]string{"preferred", "deprecated", "tentative", "duplicate"} {
				w.sample(addresses, n[[2]string{f, s}], "interface", all[k].Name, "family", f, "state", s)
			}
		}
	}
}

func one(is bool) uint64 {
	if is {
		return 1
	}
	return 0
}

func familyName(four bool) string {
	if four {
		return "ipv4"
	}
	return "ipv6"
}

// metricStates are those that sockets of a network can be in.
var metricStates = [...]struct {
	network string
	states  []string
}{{"tcp", []string{"LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT", "CLOSED"}},
	{"udp", []string{"UNCONNECTED", "ESTABLISHED"}}}

// sockets writes how many sockets there are, by state.
func (w *metricsWriter) sockets(all []onlink.SocketState) {
	n := map[[2]string]uint64{}
	for _, s := range metricStates {
		for _, state := range s.states {
			n[[2]string{s.network, state}] = 0
		}
	}
	for i := range all {
		n[[2]string{all[i].Network, all[i].State}]++
	}
	w.counted("onlink_sockets", "Sockets, by network and state (RFC 9293, 3.3.2).", n, "network", "state")
}

// counted writes a family of gauges by two labels.
func (w *metricsWriter) counted(name, help string, n map[[2]string]uint64, first, second string) {
	w.family(name, "gauge", help)
	for _, k := range slices.SortedFunc(maps.Keys(n), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		w.sample(name, n[k], first, k[0], second, k[1])
	}
}

// neighbors writes how many neighbors there are, by state, and groups.
func (w *metricsWriter) neighbors(s *onlink.Snapshot) {
	n, groups := map[[2]string]uint64{}, map[[2]string]uint64{}
	for _, i := range s.Interfaces {
		for _, state := range [...]string{"INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "PERMANENT", "FAILED"} {
			n[[2]string{i.Name, state}] = 0
		}
		for _, f := range [...]string{"ipv4", "ipv6"} {
			groups[[2]string{i.Name, f}] = 0
		}
	}
	for _, o := range s.Neighbors {
		n[[2]string{o.Interface, o.State}]++
	}
	for _, g := range s.Groups {
		groups[[2]string{g.Interface, familyName(g.Group.Is4())}]++
	}
	w.counted("onlink_neighbors", "Neighbors, by interface and state (RFC 4861, 7.3.2).", n, "interface", "state")
	w.counted("onlink_groups", "Multicast groups that the interface receives.", groups, "interface", "family")
}

// routing writes how many routes, rules and gateways there are.
func (w *metricsWriter) routing(s *onlink.Snapshot) {
	routes, gateways, rules := map[[2]string]uint64{}, map[string]uint64{"reachable": 0, "unknown": 0, "unreachable": 0}, map[string]uint64{"ipv4": 0, "ipv6": 0}
	for _, r := range s.Routes {
		routes[[2]string{familyName(r.Prefix.Addr().Is4()), fmt.Sprint(r.Table)}]++
	}
	for _, g := range s.Gateways {
		gateways[g.State]++
	}
	for _, r := range s.Rules {
		rules[familyName(!r.IPv6)]++
	}
	w.counted("onlink_routes", "Routes, by family and table (254 is the main table).", routes, "family", "table")
	for _, f := range [...]struct {
		name, help, label string
		n                 map[string]uint64
	}{{"onlink_gateways", "Routers that routes lead through, by whether they answer.", "state", gateways},
		{"onlink_rules", "Rules of policy routing, by family.", "family", rules}} {
		w.family(f.name, "gauge", f.help)
		for _, k := range slices.Sorted(maps.Keys(f.n)) {
			w.sample(f.name, f.n[k], f.label, k)
		}
	}
}

// metricsHandler serves the metrics of a stack, and its snapshot as a variable of package expvar.
func metricsHandler(s *onlink.Stack) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", metricsType)
		w.Write(metrics(s.Snapshot())) // a scraper that has gone away needs no word
	})
	mux.HandleFunc("GET /debug/vars", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		fmt.Fprintf(w, "{\"onlink\":%s}\n", expvar.Func(func() any { return s.Snapshot() }))
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "/metrics     Prometheus\n/debug/vars  expvar")
	})
	return mux
}

// listenMetrics listens on an address of the machine, not of the host that is on the device.
func listenMetrics(address string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--metrics %s: %w", address, err)
	}
	return ln, nil
}

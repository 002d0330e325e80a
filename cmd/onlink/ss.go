package main

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/onlink-go/onlink"
)

// ssCmd is `onlink ss`: sockets as ss(8) lists them.
type ssCmd struct {
	runningFlags `embed:""`
	TCP          bool     `help:"TCP sockets." name:"tcp" short:"t"`
	UDP          bool     `help:"UDP sockets." name:"udp" short:"u"`
	Raw          bool     `help:"Raw sockets." name:"raw" short:"w"`
	Packet       bool     `help:"Packet sockets." name:"packet" short:"0"`
	All          bool     `help:"Listening and others." short:"a"`
	Listening    bool     `help:"Only listening sockets." short:"l"`
	Numeric      bool     `help:"Ports as numbers, which they always are." short:"n"`
	Info         bool     `help:"What TCP knows of its connections." short:"i"`
	Memory       bool     `help:"How much memory the sockets take." short:"m"`
	Extended     bool     `help:"To which interface the sockets are bound." short:"e"`
	Processes    bool     `help:"The process that has the sockets: the one whose host this is." short:"p"`
	IPv4         bool     `help:"Only IPv4." name:"ipv4" short:"4"`
	IPv6         bool     `help:"Only IPv6." name:"ipv6" short:"6"`
	Summary      bool     `help:"How many sockets there are." short:"s"`
	NoHeader     bool     `help:"No line of headings." name:"no-header" short:"H"`
	Oneline      bool     `help:"Each socket in one line." short:"O"`
	JSON         bool     `help:"Print JSON." name:"json" short:"j"`
	Words        []string `arg:"" optional:"" help:"state STATE, exclude STATE, and an expression like '( dport = :443 or dst 2001:db8::/32 )'."`
}

// Run has the command work on the host that the flags say.
func (c *ssCmd) Run(ctx context.Context) error { return c.target(ctx, c) }

func (c *ssCmd) run(s *session) error {
	states, expr, err := readSocketFilter(withoutShow(c.Words))
	if err != nil {
		return err
	}
	if c.IPv4 && c.IPv6 {
		return usagef("-4 and -6: one of them")
	}
	all := s.stack.Snapshot().Sockets
	if c.Summary {
		return c.summarize(s, all)
	}
	if states == nil {
		states = c.defaultStates()
	}
	var list []socketRow
	for i := range all {
		k := &all[i]
		if c.wants(k) && slices.Contains(states, stateName(k)) && (expr == nil || expr(k)) {
			list = append(list, newSocketRow(k))
		}
	}
	slices.SortStableFunc(list, func(a, b socketRow) int { return netidOrder(a.Netid) - netidOrder(b.Netid) })
	call := &call{session: s, ipFlags: &ipFlags{JSON: c.JSON}}
	if list == nil {
		list = []socketRow{}
	}
	return call.print(list, func(b *bytes.Buffer) { c.table(b, list) })
}

// withoutShow leaves out the verb of the commands in the manner of ip, for those who say it here, too.
func withoutShow(words []string) []string {
	if len(words) > 0 && words[0] == "show" {
		return words[1:]
	}
	return words
}

// The states of sockets, with ss's names.
var (
	socketStates = []string{"ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "UNCONN", "CLOSE-WAIT",
		"LAST-ACK", "LISTEN", "CLOSING"}
	connectedStates = []string{"ESTAB", "SYN-SENT", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "LAST-ACK", "CLOSING"}
)

// defaultStates are the states that are listed if nothing is said of them.
func (c *ssCmd) defaultStates() []string {
	switch {
	case c.All:
		return socketStates
	case c.Listening:
		return []string{"LISTEN", "UNCONN"}
	}
	return connectedStates
}

// stateName returns the state of a socket as ss names it.
func stateName(k *onlink.SocketState) string {
	switch k.State {
	case "ESTABLISHED":
		return "ESTAB"
	case "SYN-RECEIVED":
		return "SYN-RECV"
	case "UNCONNECTED", "CLOSED":
		return "UNCONN"
	}
	return k.State
}

// wants reports whether k is of a kind that is asked for.
func (c *ssCmd) wants(k *onlink.SocketState) bool {
	if four := k.Local.Addr().Is4(); k.Network != "packet" && (c.IPv4 && !four && !k.Dual || c.IPv6 && four) {
		return false
	}
	if !c.TCP && !c.UDP && !c.Raw && !c.Packet {
		return k.Network != "packet" || !c.IPv4 && !c.IPv6
	}
	return map[string]bool{"tcp": c.TCP, "udp": c.UDP, "raw": c.Raw, "packet": c.Packet}[k.Network]
}

// netidOrder is the order in which kinds of sockets are listed.
func netidOrder(netid string) int {
	return slices.Index([]string{"p_raw", "raw", "icmp", "udp", "tcp"}, netid)
}

// socketRow is a socket as it is listed.
type socketRow struct {
	Netid   string          `json:"netid"`
	State   string          `json:"state"`
	Recv    int             `json:"recv_q"`
	Send    int             `json:"send_q"`
	Local   socketEnd       `json:"local"`
	Peer    socketEnd       `json:"peer"`
	Device  string          `json:"dev,omitempty"`
	RecvBuf int             `json:"rcvbuf,omitempty"`
	SendBuf int             `json:"sndbuf,omitempty"`
	Info    *onlink.TCPInfo `json:"tcp_info,omitempty"`
}

// socketEnd is an end of a socket.
type socketEnd struct {
	Addr string `json:"address"`
	Port string `json:"port"`
}

func newSocketRow(k *onlink.SocketState) socketRow {
	r := socketRow{Netid: k.Network, State: stateName(k), Recv: k.ReceiveQueue, Send: k.SendQueue, Local: newSocketEnd(k, k.Local),
		Peer: newSocketEnd(k, k.Remote), Device: k.Interface, RecvBuf: k.ReceiveBuffer, SendBuf: k.SendBuffer, Info: k.Info}
	if k.Network == "packet" {
		device := k.Interface
		if device == "" {
			device = "*"
		}
		r.Netid, r.Local, r.Peer = "p_raw", socketEnd{etherTypeName(k.Protocol), device}, socketEnd{"*", ""}
	}
	if k.Network == "raw" {
		r.Local.Port = protocolName(k.Protocol)
	}
	return r
}

// newSocketEnd writes an end as ss does: a wildcard that takes both families is "*", one of a family has its address.
func newSocketEnd(k *onlink.SocketState, a netip.AddrPort) socketEnd {
	e := socketEnd{Port: "*"}
	if a.Port() != 0 {
		e.Port = strconv.Itoa(int(a.Port()))
	}
	local := k.Local.Addr()
	switch ip := a.Addr(); {
	case ip.IsValid() && !ip.IsUnspecified():
		e.Addr = bracketed(ip)
	case k.Dual && (!local.IsValid() || local.IsUnspecified()):
		e.Addr = "*"
	case local.Is4():
		e.Addr = "0.0.0.0"
	default:
		e.Addr = "[::]"
	}
	return e
}

func bracketed(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// protocolName returns the name that ss has for an IP protocol.
func protocolName(n int) string {
	if name, ok := map[int]string{1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp", 255: "raw"}[n]; ok {
		return name
	}
	return strconv.Itoa(n)
}

// etherTypeName returns the name that ss has for an EtherType.
func etherTypeName(n int) string {
	if name, ok := map[int]string{0: "*", 0x0800: "ip", 0x0806: "arp", 0x86dd: "ipv6"}[n]; ok {
		return name
	}
	return fmt.Sprintf("[%d]", n)
}

// table writes the list as ss does: each column as wide as it must be, addresses to the right and ports to the left of their
// colons.
func (c *ssCmd) table(b *bytes.Buffer, list []socketRow) {
	rows := [][]string{{"Netid", "State", "Recv-Q", "Send-Q", "Local Address", "Port", "Peer Address", "Port"}}
	kinds := make(map[string]bool)
	for _, r := range list {
		kinds[r.Netid] = true
		rows = append(rows, []string{r.Netid, r.State, strconv.Itoa(r.Recv), strconv.Itoa(r.Send), r.Local.Addr, r.Local.Port, r.Peer.Addr, r.Peer.Port})
	}
	widths := make([]int, len(rows[0]))
	for i, row := range rows {
		for k, cell := range row {
			if i > 0 || !c.NoHeader {
				widths[k] = max(widths[k], len(cell))
			}
		}
	}
	one := len(kinds) == 1 && (c.TCP || c.UDP || c.Raw || c.Packet) || c.one()
	for i, row := range rows {
		if i == 0 && c.NoHeader {
			continue
		}
		if one {
			row = row[1:]
		}
		writeSocketRow(b, row, widths[len(widths)-len(row):])
		if i > 0 {
			c.details(b, &list[i-1])
		} else {
			b.WriteByte('\n')
		}
	}
}

// one reports whether one kind of sockets is asked for: that need not be written in each line.
func (c *ssCmd) one() bool {
	n := 0
	for _, on := range [...]bool{c.TCP, c.UDP, c.Raw, c.Packet} {
		if on {
			n++
		}
	}
	return n == 1
}

func writeSocketRow(b *bytes.Buffer, row []string, widths []int) {
	var line strings.Builder
	ends := len(row) - 4
	for k := range ends {
		fmt.Fprintf(&line, "%-*s ", widths[k], row[k])
	}
	for k := ends; k < len(row); k += 2 {
		fmt.Fprintf(&line, "%*s:%-*s ", widths[k], row[k], widths[k+1], row[k+1])
	}
	b.WriteString(strings.TrimRight(line.String(), " "))
}

// details writes what else is said of a socket, and ends its line.
func (c *ssCmd) details(b *bytes.Buffer, r *socketRow) {
	if c.Processes {
		fmt.Fprintf(b, ` users:(("onlink",pid=%d))`, os.Getpid())
	}
	if c.Extended && r.Device != "" {
		b.WriteString(" dev:" + r.Device)
	}
	var below []string
	if c.Memory {
		recv, send := r.Recv, r.Send
		if r.State == "LISTEN" {
			recv, send = 0, 0 // those are connections
		}
		below = append(below, fmt.Sprintf("skmem:(r%d,rb%d,t%d,tb%d)", recv, r.RecvBuf, send, r.SendBuf))
	}
	if c.Info && r.Info != nil {
		below = append(below, r.Info.String())
	}
	if len(below) > 0 {
		sep := "\n\t "
		if c.Oneline {
			sep = " "
		}
		b.WriteString(sep + strings.Join(below, " "))
	}
	b.WriteByte('\n')
}

// summarize tells how many sockets there are.
func (c *ssCmd) summarize(s *session, all []onlink.SocketState) error {
	type count struct {
		Total int `json:"total"`
		IPv4  int `json:"ip"`
		IPv6  int `json:"ipv6"`
	}
	counts := make(map[string]*count)
	for _, network := range [...]string{"raw", "udp", "tcp", "packet"} {
		counts[network] = new(count)
	}
	established, closed, timeWait := 0, 0, 0
	for i := range all {
		k := &all[i]
		n := counts[k.Network]
		if n == nil {
			n = new(count)
			counts[k.Network] = n
		}
		if n.Total++; k.Local.Addr().Is4() {
			n.IPv4++
		} else {
			n.IPv6++
		}
		switch state := stateName(k); {
		case k.Network != "tcp":
		case state == "ESTAB":
			established++
		case state == "TIME-WAIT":
			closed, timeWait = closed+1, timeWait+1
		case state == "UNCONN":
			closed++
		}
	}
	call := &call{session: s, ipFlags: &ipFlags{JSON: c.JSON}}
	return call.print(counts, func(b *bytes.Buffer) {
		fmt.Fprintf(b, "Total: %d\nTCP:   %d (estab %d, closed %d, timewait %d)\n\nTransport Total     IP        IPv6\n", len(all), counts["tcp"].Total,
			established, closed, timeWait)
		for _, network := range [...]string{"raw", "udp", "tcp"} {
			n := counts[network]
			fmt.Fprintf(b, "%-9s %-9d %-9d %d\n", strings.ToUpper(network), n.Total, n.IPv4, n.IPv6)
		}
	})
}

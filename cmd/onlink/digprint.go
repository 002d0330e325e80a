package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/onlink-go/onlink/dns"
)

// digServer writes a server as dig does, "192.0.2.53#53".
func digServer(a netip.AddrPort) string { return fmt.Sprintf("%v#%d", a.Addr(), a.Port()) }

// printCommand prints what was asked for.
func (d *digger) printCommand() {
	o := &d.q.options
	if o.nocmd || o.short {
		return
	}
	fmt.Fprintf(&d.text, "\n; <<>> onlink dig <<>> %s\n", strings.Join(d.q.words, " "))
	if d.q.server != "" {
		s := "s"
		if len(d.servers) == 1 {
			s = ""
		}
		fmt.Fprintf(&d.text, "; (%d server%s found)\n", len(d.servers), s)
	}
	d.text.WriteString(";; global options: +cmd\n")
}

// print prints the response in dig's sections.
func (d *digger) print() {
	o, r := &d.q.options, d.response
	d.printCommand()
	opt := d.takeOPT()
	if !o.nocomments {
		d.text.WriteString(";; Got answer:\n")
		d.printHeader(opt)
		if opt != nil {
			d.printOPT(opt)
		}
	}
	if !o.noquestion && len(r.Questions) > 0 {
		d.heading("QUESTION")
		for _, q := range r.Questions {
			l := columns{}
			l.add(0, dns.NameText(q.Name))
			l.add(32, dns.ClassName(q.Class))
			l.add(40, dns.TypeName(q.Type))
			fmt.Fprintln(&d.text, ";"+l.text)
		}
		d.gap()
	}
	d.section("ANSWER", o.noanswer, r.Answers)
	d.section("AUTHORITY", o.noauthority, r.Authorities)
	d.section("ADDITIONAL", o.noadditional, r.Additionals)
	if !o.nostats {
		fmt.Fprintf(&d.text, ";; Query time: %d msec\n", r.took.Milliseconds())
		fmt.Fprintf(&d.text, ";; SERVER: %s(%v) (%s)\n", digServer(r.server), r.server.Addr(), strings.ToUpper(r.network))
		fmt.Fprintf(&d.text, ";; WHEN: %s\n", r.at.Format("Mon Jan 02 15:04:05 MST 2006"))
		fmt.Fprintf(&d.text, ";; MSG SIZE  rcvd: %d\n\n", r.size)
	}
}

// takeOPT takes the OPT record, which has a section of its own, out of the additional ones; nil: there is none.
func (d *digger) takeOPT() *dnsmessage.Resource {
	all := d.response.Additionals
	for i := range all {
		if all[i].Header.Type == dnsmessage.TypeOPT {
			opt := all[i]
			d.response.Additionals = append(all[:i:i], all[i+1:]...)
			return &opt
		}
	}
	return nil
}

// digFlags returns the flags of the header that are set.
func digFlags(h *dnsmessage.Header) (all []string) {
	for _, f := range [...]struct {
		on   bool
		name string
	}{{h.Response, "qr"}, {h.Authoritative, "aa"}, {h.Truncated, "tc"}, {h.RecursionDesired, "rd"}, {h.RecursionAvailable, "ra"},
		{h.AuthenticData, "ad"}, {h.CheckingDisabled, "cd"}} {
		if f.on {
			all = append(all, f.name)
		}
	}
	return all
}

// digStatus returns the response code, with what the OPT record adds to it.
func digStatus(h *dnsmessage.Header, opt *dnsmessage.Resource) string {
	code := h.RCode
	if opt != nil {
		code = opt.Header.ExtendedRCode(code)
	}
	return dns.StatusName(code)
}

// opcodes are the names of the operations.
var opcodes = [16]string{"QUERY", "IQUERY", "STATUS", "RESERVED3", "NOTIFY", "UPDATE", "RESERVED6", "RESERVED7", "RESERVED8", "RESERVED9",
	"RESERVED10", "RESERVED11", "RESERVED12", "RESERVED13", "RESERVED14", "RESERVED15"}

func (d *digger) printHeader(opt *dnsmessage.Resource) {
	r := d.response
	additional := len(r.Additionals)
	if opt != nil {
		additional++
	}
	fmt.Fprintf(&d.text, ";; ->>HEADER<<- opcode: %s, status: %s, id: %d\n", opcodes[r.OpCode&15], digStatus(&r.Header, opt), r.ID)
	fmt.Fprintf(&d.text, ";; flags: %s; QUERY: %d, ANSWER: %d, AUTHORITY: %d, ADDITIONAL: %d\n", strings.Join(digFlags(&r.Header), " "),
		len(r.Questions), len(r.Answers), len(r.Authorities), additional)
	if r.RecursionDesired && !r.RecursionAvailable {
		d.text.WriteString(";; WARNING: recursion requested but not available\n")
	}
	d.text.WriteByte('\n')
}

// The fields of an OPT record's TTL (RFC 6891, 6.1.3), and the options that are put into words.
const (
	ednsVersionShift = 16
	ednsDNSSEC       = 1 << 15
	ednsExtended     = 15 // an extended error (RFC 8914)
)

func (d *digger) printOPT(opt *dnsmessage.Resource) {
	flags := ""
	if opt.Header.TTL&ednsDNSSEC != 0 {
		flags = " do"
	}
	fmt.Fprintf(&d.text, ";; OPT PSEUDOSECTION:\n; EDNS: version: %d, flags:%s; udp: %d\n", opt.Header.TTL>>ednsVersionShift&0xff, flags, opt.Header.Class)
	body, ok := opt.Body.(*dnsmessage.OPTResource)
	if !ok {
		return
	}
	for _, o := range body.Options {
		if o.Code == ednsExtended && len(o.Data) >= 2 {
			fmt.Fprintf(&d.text, "; EDE: %s\n", extendedError(int(o.Data[0])<<8|int(o.Data[1]), o.Data[2:]))
			continue
		}
		fmt.Fprintf(&d.text, "; OPT=%d: % x\n", o.Code, o.Data)
	}
}

// extendedErrors are the codes of RFC 8914, 4, in words.
var extendedErrors = [...]string{"Other", "Unsupported DNSKEY Algorithm", "Unsupported DS Digest Type", "Stale Answer", "Forged Answer",
	"DNSSEC Indeterminate", "DNSSEC Bogus", "Signature Expired", "Signature Not Yet Valid", "DNSKEY Missing", "RRSIGs Missing",
	"No Zone Key Bit Set", "NSEC Missing", "Cached Error", "Not Ready", "Blocked", "Censored", "Filtered", "Prohibited",
	"Stale NXDOMAIN Answer", "Not Authoritative", "Not Supported", "No Reachable Authority", "Network Error", "Invalid Data"}

// extendedError writes an extended error, "14 (Not Ready): (starting)".
func extendedError(code int, text []byte) string {
	s := fmt.Sprint(code)
	if code < len(extendedErrors) {
		s += " (" + extendedErrors[code] + ")"
	}
	if len(text) > 0 {
		s += fmt.Sprintf(": (%s)", strings.Trim(strconv.QuoteToASCII(string(text)), `"`))
	}
	return s
}

func (d *digger) heading(name string) {
	if !d.q.options.nocomments {
		fmt.Fprintf(&d.text, ";; %s SECTION:\n", name)
	}
}

// gap ends a section.
func (d *digger) gap() {
	if !d.q.options.nocomments {
		d.text.WriteByte('\n')
	}
}

func (d *digger) section(name string, not bool, all []dnsmessage.Resource) {
	if not || len(all) == 0 {
		return
	}
	d.heading(name)
	for i := range all {
		h := &all[i].Header
		l := columns{}
		l.add(0, dns.NameText(h.Name))
		l.add(24, fmt.Sprint(h.TTL))
		l.add(32, dns.ClassName(h.Class))
		l.add(40, dns.TypeName(h.Type))
		l.add(48, dns.DataText(all[i].Body))
		fmt.Fprintln(&d.text, l.text)
	}
	d.gap()
}

// columns is a line whose parts begin at columns, reached by tabs; what is past its column gets a blank.
type columns struct {
	text string
	at   int
}

func (l *columns) add(column int, part string) {
	const tab = 8
	switch {
	case l.text == "":
	case l.at >= column:
		l.text += " "
		l.at++
	default:
		n := column/tab - l.at/tab
		l.text += strings.Repeat("\t", n)
		l.at = column
	}
	l.text += part
	l.at += len(part)
}

// printShort prints the data of the answers.
func (d *digger) printShort() {
	for i := range d.response.Answers {
		fmt.Fprintln(&d.text, dns.DataText(d.response.Answers[i].Body))
	}
}

// digRecord is a record in JSON.
type digRecord struct {
	Name  string  `json:"name"`
	TTL   *uint32 `json:"ttl,omitempty"` // not of a question
	Class string  `json:"class"`
	Type  string  `json:"type"`
	Data  string  `json:"data,omitempty"`
}

func digRecords(all []dnsmessage.Resource) []digRecord {
	list := []digRecord{}
	for i := range all {
		h := &all[i].Header
		list = append(list, digRecord{dns.NameText(h.Name), &h.TTL, dns.ClassName(h.Class), dns.TypeName(h.Type), dns.DataText(all[i].Body)})
	}
	return list
}

// printJSON prints the response as one object.
func (d *digger) printJSON() error {
	r := d.response
	opt := d.takeOPT()
	type edns struct {
		Version int  `json:"version"`
		DNSSEC  bool `json:"dnssec"`
		UDP     int  `json:"udp"`
	}
	o := struct {
		Server     string      `json:"server"`
		Network    string      `json:"network"`
		QueryTime  float64     `json:"query_time_ms"`
		When       time.Time   `json:"when"`
		Size       int         `json:"size"`
		ID         uint16      `json:"id"`
		Opcode     string      `json:"opcode"`
		Status     string      `json:"status"`
		Flags      []string    `json:"flags"`
		EDNS       *edns       `json:"edns,omitempty"`
		Question   []digRecord `json:"question"`
		Answer     []digRecord `json:"answer"`
		Authority  []digRecord `json:"authority"`
		Additional []digRecord `json:"additional"`
	}{r.server.String(), r.network, float64(r.took) / float64(time.Millisecond), r.at, r.size, r.ID, opcodes[r.OpCode&15],
		digStatus(&r.Header, opt), digFlags(&r.Header), nil, []digRecord{}, digRecords(r.Answers), digRecords(r.Authorities), digRecords(r.Additionals)}
	if opt != nil {
		o.EDNS = &edns{int(opt.Header.TTL >> ednsVersionShift & 0xff), opt.Header.TTL&ednsDNSSEC != 0, int(opt.Header.Class)}
	}
	for _, q := range r.Questions {
		o.Question = append(o.Question, digRecord{Name: dns.NameText(q.Name), Class: dns.ClassName(q.Class), Type: dns.TypeName(q.Type)})
	}
	e := json.NewEncoder(&d.text)
	e.SetIndent("", "  ")
	return e.Encode(o)
}

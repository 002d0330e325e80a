package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// icmpNames are the names of a type, and of its codes by their place in the list.
type icmpNames struct {
	name  string
	typ   uint8
	codes []string
}

// icmp4Types are the names of ICMP's types (RFC 792, RFC 1122, RFC 1812).
var icmp4Types = []icmpNames{
	{"echo_reply", 0, nil},
	{"unreachable", 3, []string{"net_unreachable", "host_unreachable", "protocol_unreachable", "port_unreachable",
		"frag_needed", "source_route_failed", "net_unknown", "host_unknown", "source_host_isolated", "net_prohibited",
		"host_prohibited", "net_unreachable_for_tos", "host_unreachable_for_tos", "packet_filtered",
		"precedence_violation", "precedence_cutoff"}},
	{"source_quench", 4, nil},
	{"redirect", 5, nil},
	{"echo_request", 8, nil},
	{"time_exceeded", 11, []string{"exceeded_ttl", "exceeded_frag_time"}},
	{"parameter_problem", 12, nil},
	{"timestamp_request", 13, nil},
	{"timestamp_reply", 14, nil},
	{"information_request", 15, nil},
	{"information_reply", 16, nil},
	{"address_mask_request", 17, nil},
	{"address_mask_reply", 18, nil},
}

// icmp6Types are the names of ICMPv6's types (RFC 4443).
var icmp6Types = []icmpNames{
	{"unreachable", 1, []string{"no_route", "admin_prohibited", "not_neighbour", "address_unreachable",
		"port_unreachable"}},
	{"packet_too_big", 2, nil},
	{"time_exceeded", 3, []string{"exceeded_hop_limit", "exceeded_frag_time"}},
	{"parameter_problem", 4, []string{"header_field", "unknown_next_header", "unknown_option"}},
	{"echo_request", 128, nil},
	{"echo_reply", 129, nil},
}

// Numbers returns the type and the code as on the wire, of ICMPv6 if v6. Types and codes without a name are type_9 and
// code_3. The error names what is not known.
func (i *ICMP) Numbers(v6 bool) (typ, code uint8, err error) {
	types, name := icmp4Types, "ICMP"
	if v6 {
		types, name = icmp6Types, "ICMPv6"
	}
	var known icmpNames
	if at := slices.IndexFunc(types, func(n icmpNames) bool { return n.name == i.Type }); at >= 0 {
		known = types[at]
	} else if n, ok := numbered(i.Type, "type_"); ok {
		known.typ = n
	} else {
		return 0, 0, fmt.Errorf("found %q, expected a type of %s", shorten(i.Type), name)
	}
	if i.Code == "" {
		return known.typ, 0, nil
	}
	for n, c := range known.codes {
		if c == i.Code {
			return known.typ, uint8(n), nil
		}
	}
	if i.Code == "net_unreachable" && i.Type == "unreachable" { // what IPv4 calls no_route
		return known.typ, 0, nil
	}
	code, ok := numbered(i.Code, "code_")
	if !ok {
		return 0, 0, fmt.Errorf("found %q, expected a code of %s's %s", shorten(i.Code), name, i.Type)
	}
	return known.typ, code, nil
}

// numbered reads the number of type_9.
func numbered(text, prefix string) (uint8, bool) {
	digits, ok := strings.CutPrefix(text, prefix)
	n, err := strconv.ParseUint(digits, 10, 8)
	return uint8(n), ok && err == nil
}

// ICMPNames returns the names of a type and a code on the wire, for messages.
func ICMPNames(v6 bool, typ, code uint8) (string, string) {
	types := icmp4Types
	if v6 {
		types = icmp6Types
	}
	typeName, codeName := fmt.Sprintf("type_%d", typ), ""
	if code != 0 {
		codeName = fmt.Sprintf("code_%d", code)
	}
	for _, known := range types {
		if known.typ != typ {
			continue
		}
		if typeName = known.name; int(code) < len(known.codes) {
			codeName = known.codes[code]
		}
	}
	return typeName, codeName
}

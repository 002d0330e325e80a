package dhcp4

import (
	"net/netip"
	"slices"
)

// parameters puts into r what a client is told beside an address and times: what it asked for, or all if it did not say.
//
// RFC 2131, 4.3.1: "IF the server has been explicitly configured with a default value for the parameter, the server MUST include that
// value in an appropriate option in the 'option' field".
func (p *Pool) parameters(m, r *Message) {
	list, asked := m.Options.Get(OptParameters)
	// RFC 3442: "When a DHCP client requests the Classless Static Routes option and also requests either or both of the Router option
	// and the Static Routes option, and the DHCP server is sending Classless Static Routes options to that client, the server SHOULD NOT
	// include the Router or Static Routes options."
	all := p.options(asked && slices.Contains(list, OptClasslessRoutes))
	for _, o := range all {
		_, there := r.Options.Get(o.Code)
		if !there && (!asked || slices.Contains(list, o.Code) || o.Code == OptSubnetMask) {
			r.Options = append(r.Options, o)
		}
	}
}

// options returns all that there is to be told; classless says that the client understands routes with masks.
func (p *Pool) options(classless bool) (o Options) {
	l := &p.cfg.Parameters
	o.Set(OptSubnetMask, maskOctets(p.cfg.Server.Bits())...)
	var routers []netip.Addr
	for _, r := range l.Routes {
		if r.Prefix.Bits() == 0 && r.Gateway.IsValid() {
			routers = append(routers, r.Gateway)
		}
	}
	if classless && len(l.Routes) > len(routers) {
		o.SetRoutes(l.Routes...)
	} else if len(routers) > 0 {
		o.SetAddrs(OptRouters, routers...)
	}
	if len(l.NameServers) > 0 {
		o.SetAddrs(OptNameServers, l.NameServers...)
	}
	if l.Domain != "" {
		o.Set(OptDomainName, []byte(l.Domain)...)
	}
	if len(l.Search) > 0 {
		o.SetDomains(OptDomainSearch, l.Search...)
	}
	if l.MTU != 0 {
		o.Set(OptInterfaceMTU, byte(l.MTU>>8), byte(l.MTU))
	}
	if len(l.NTPServers) > 0 {
		o.SetAddrs(OptNTPServers, l.NTPServers...)
	}
	return append(o, l.Options...)
}

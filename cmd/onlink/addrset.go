package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"

	"github.com/onlink-go/onlink"
)

// How addresses are changed.

// addrSpec reads an address with what is said of it.
func (c *call) addrSpec() (i *onlink.Interface, p netip.Prefix, opt onlink.AddressOptions) {
	c.is("local")
	p = c.prefix("", c.family)
	device := ""
	for len(c.rest) > 0 && c.fault == nil {
		switch {
		case c.is("dev"):
			device = c.device("dev", c.stack)
		case c.is("valid_lft"):
			opt.Valid = c.lifetime("valid_lft")
			if opt.Valid == 0 && c.fault == nil {
				c.fail("valid_lft 0: an address has to last")
			}
		case c.is("preferred_lft"):
			if opt.Preferred = c.lifetime("preferred_lft"); opt.Preferred == 0 {
				opt.Preferred = -1
			}
		case c.is("nodad"):
			opt.NoDAD = true
		case c.is("optimistic"):
			opt.Optimistic = true
		case c.is("anycast"):
			opt.Anycast = true
		case c.is("temporary"):
			opt.Temporary = true
		case c.is("noprefixroute"):
			opt.NoPrefixRoute = true
		case c.is("brd", "broadcast"):
			c.broadcast(p)
		case c.is("scope"):
			if s := c.value("scope"); c.fault == nil && s != (onlink.AddressState{Prefix: p}).Scope() {
				c.fail("scope %s: the scope of %v is %s", s, p.Addr(), onlink.AddressState{Prefix: p}.Scope())
			}
		case c.is("label"):
			if l := c.value("label"); c.fault == nil && device != "" && l != device {
				c.fail("label %s: addresses have no labels but the name of their device", l)
			}
		default:
			c.unknown()
		}
	}
	if c.fault == nil && device == "" {
		c.fail("address %v: say on which device, with dev DEVICE", p)
	}
	if valid := opt.Valid; c.fault == nil && valid != 0 && opt.Preferred > valid {
		c.fail("preferred_lft %d: longer than valid_lft %d", seconds(opt.Preferred), seconds(valid))
	}
	return c.stack.Interface(device), p, endless(opt)
}

// broadcast takes the broadcast address of p: there is only one that it can be.
func (c *call) broadcast(p netip.Prefix) {
	v := c.value("broadcast")
	if c.fault != nil || v == "+" || v == "-" {
		return
	}
	if a, err := netip.ParseAddr(v); err != nil || !p.Addr().Is4() || a != lastOf(p) {
		c.fail("broadcast %s: it is the last address of the prefix; leave it out", v)
	}
}

// lastOf returns the last address of an IPv4 prefix.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

// endless writes lifetimes that do not end as AddressOptions has them.
func endless(opt onlink.AddressOptions) onlink.AddressOptions {
	if opt.Valid == onlink.Forever {
		opt.Valid = 0
	}
	if opt.Preferred == onlink.Forever {
		opt.Preferred = 0
	}
	return opt
}

func addAddr(c *call) error {
	i, p, opt := c.addrSpec()
	if c.fault != nil {
		return c.fault
	}
	return i.AddAddressWith(p, opt)
}

func changeAddr(c *call) error {
	i, p, opt := c.addrSpec()
	if c.fault != nil {
		return c.fault
	}
	if err := has(i, p); err != nil {
		return err
	}
	return i.ChangeAddress(p.Addr(), opt)
}

func replaceAddr(c *call) error {
	i, p, opt := c.addrSpec()
	if c.fault != nil {
		return c.fault
	}
	err := i.ChangeAddress(p.Addr(), opt)
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		err = i.AddAddressWith(p, opt)
	}
	return err
}

// has returns an error if i does not have the address with this prefix length.
func has(i *onlink.Interface, p netip.Prefix) error {
	for _, a := range i.Addresses() {
		if a == p {
			return nil
		}
		if a.Addr() == p.Addr() {
			return fmt.Errorf("address %v: interface %s has it with another prefix length, as %v", p, i.Name(), a)
		}
	}
	return fmt.Errorf("address %v: not on interface %s", p, i.Name())
}

func deleteAddr(c *call) error {
	bare := !strings.Contains(c.peek(), "/")
	i, p, _ := c.addrSpec()
	if c.fault != nil {
		return c.fault
	}
	if !bare {
		if err := has(i, p); err != nil {
			return err
		}
	}
	return i.RemoveAddress(p.Addr())
}

func flushAddrs(c *call) error {
	if len(c.rest) == 0 {
		return usagef("addr flush: say which addresses, as in addr flush dev DEVICE")
	}
	all := c.filtered()
	if c.fault != nil {
		return c.fault
	}
	for _, i := range all {
		for _, a := range i.Addresses {
			err := c.stack.Interface(i.Name).RemoveAddress(a.Prefix.Addr())
			if err != nil && !errors.Is(err, syscall.EADDRNOTAVAIL) { // gone meanwhile
				return err
			}
		}
	}
	return nil
}

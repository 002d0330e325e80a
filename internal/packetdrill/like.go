package packetdrill

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// Like is whose defaults a script counts on: --like.
type Like uint8

// The systems.
const (
	LikeAuto Like = iota // found out from the script
	LikeLinux
	LikeFreeBSD
)

var likeNames = [...]string{"auto", "linux", "freebsd"}

// String returns the system as --like has it.
func (l Like) String() string { return likeNames[l] }

// setLike reads --like.
func (c *Config) setLike(v string) error {
	i := slices.Index(likeNames[:], v)
	if i < 0 {
		return errors.New("must be linux, freebsd or auto")
	}
	c.Like = Like(i)
	return nil
}

// What only a script for FreeBSD says: in its commands its programs and its settings' names; in a comment its name.
var (
	freeBSDCommand  = regexp.MustCompile(`\b(kld(un)?load|kldstat)\b|\b(net\.inet6?|kern)\.[a-z]`)
	freeBSDPlatform = regexp.MustCompile(`(?i)^\s*(//|#|/?\*).*(\b(platform|system|os|target)\s*[:=]\s*freebsd|__FreeBSD__)`)
)

// likeOf finds out whose defaults a script counts on. A script for FreeBSD says so, or loads modules or sets settings of
// FreeBSD, or expects SYNs with their options in its order, which puts the window scale in front of SACK-permitted.
func likeOf(s *script.Script) Like {
	for n := 1; n <= s.Lines(); n++ {
		if freeBSDPlatform.MatchString(s.Line(n)) {
			return LikeFreeBSD
		}
	}
	for _, c := range s.Init {
		if freeBSDCommand.MatchString(c.Text) {
			return LikeFreeBSD
		}
	}
	for _, e := range s.Events {
		switch a := e.Action.(type) {
		case *script.Command:
			if freeBSDCommand.MatchString(a.Text) {
				return LikeFreeBSD
			}
		case *script.Packet:
			if a.Dir == script.Outbound && a.TCP != nil && a.TCP.Flags&script.SYN != 0 && scaleBeforeSACK(a.TCP.Options) {
				return LikeFreeBSD
			}
		}
	}
	return LikeLinux
}

func scaleBeforeSACK(options []script.TCPOption) bool {
	at := func(k script.OptionKind) int {
		return slices.IndexFunc(options, func(o script.TCPOption) bool { return o.Kind == k })
	}
	scale, sack := at(script.OptWScale), at(script.OptSACKOK)
	return scale >= 0 && scale < sack
}

// setting is a setting by name.
type setting struct{ name, value string }

// freeBSD is what a host of FreeBSD begins with, by its names where it has one.
var freeBSD = []setting{
	{"net.inet.tcp.functions_default", "freebsd"}, // ACKs, PSH, windows and timeouts; no tail loss probes, no RACK
	{"net.ipv4.tcp_frto", "0"},
	{"net.ipv4.tcp_comp_sack_nr", "0"},
	{"net.ipv4.tcp_invalid_ratelimit", "0"},
	{"net.ipv4.tcp_syn_linear_timeouts", "4"}, // SYNs at 1, 2, 3, 4, 5, 7, 11, … s
	{"net.ipv4.tcp_syn_retries", "12"},
	{"net.inet.tcp.keepinit", "75000"},
	{"net.inet.tcp.syncache.rexmtlimit", "3"},
	{"net.inet.tcp.delacktime", "40"},
	{"net.inet.tcp.rexmit_initial", "1000"},
	{"net.inet.tcp.rexmit_min", "30"},
	{"net.inet.tcp.rexmit_slop", "200"},
	{"net.ipv4.tcp_rto_max_ms", "64000"},
	{"net.inet.tcp.retries", "12"},
	{"net.inet.tcp.msl", "30000"},
	{"net.inet.tcp.finwait2_timeout", "60000"},
	{"net.inet.tcp.keepcnt", "8"},
	{"net.inet.tcp.minmss", "216"},
	{"net.inet.tcp.sendspace", "32768"},
	{"net.inet.tcp.sendbuf_max", "2097152"},
	{"net.inet.tcp.recvspace", "65536"},
	{"net.inet.tcp.recvbuf_max", "2097151"}, // a window scale of 6
	{"net.inet.tcp.ecn.enable", "2"},
	{"net.ipv4.tcp_fastopen", "0"},
	{"net.inet.tcp.cc.algorithm", "cubic"},
}

// linux is where the stack's defaults follow an RFC, and Linux's do not.
var linux = []setting{
	{"net.ipv4.tcp_hystart", "2"}, // RFC 9438, 4.10, has HyStart++ instead
}

// behave gives a stack the defaults that the script counts on.
func (w *simWorld) behave(l Like) error {
	all := linux
	if l == LikeFreeBSD {
		all = freeBSD
	}
	for _, s := range all {
		if err := w.SetSysctl(s.name, s.value); err != nil {
			return fmt.Errorf("--like=%v: %w", l, err)
		}
	}
	return nil
}

// sameSet compares options without regard to their order and to padding, to which RFC 9293, 3.2, gives no meaning.
func (x *comparer) sameSet(want *script.TCP, got []option) bool {
	left := slices.DeleteFunc(slices.Clone(got), padding)
	for i, o := range encodeOptions(want.Options) {
		if padding(o) {
			continue
		}
		at := slices.IndexFunc(left, func(g option) bool {
			return g.kind == o.kind && x.sameOption(&want.Options[i], o, g)
		})
		if at < 0 {
			return false
		}
		left = slices.Delete(left, at, at+1)
	}
	return len(left) == 0
}

func padding(o option) bool {
	k := script.OptionKind(o.kind)
	return k == script.OptNOP || k == script.OptEOL
}

// freeBSDModule reports whether a kernel module of FreeBSD is something that the stack has: a congestion control, or the
// TCP stack called rack.
func (w *simWorld) freeBSDModule(name string) bool {
	name = strings.TrimSuffix(name, ".ko")
	if name == "tcp_rack" || name == "if_tun" || name == "if_tuntap" {
		return true
	}
	available, err := w.Sysctl("net.inet.tcp.cc.available")
	algorithm, ok := strings.CutPrefix(name, "cc_")
	return err == nil && ok && slices.Contains(strings.Split(available, ", "), algorithm)
}

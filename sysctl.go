package onlink

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// Sysctl is a setting of a stack by the name it has in Linux ("net.ipv4.tcp_sack") or FreeBSD ("net.inet.tcp.sack.enable").
type Sysctl struct {
	Name  string
	Value string // as sysctl -n prints it
	Doc   string // what it is, its unit and range
}

// Sysctls returns all settings, by name.
func (s *Stack) Sysctls() []Sysctl {
	var all []Sysctl
	for _, k := range knobs() {
		all = append(all, Sysctl{Name: k.name, Value: k.get(s), Doc: k.doc})
	}
	all = append(all, s.allConf()...)
	slices.SortFunc(all, func(a, b Sysctl) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Sysctl returns the value of one setting. Errors: ENOENT for a name there is not.
func (s *Stack) Sysctl(name string) (string, error) {
	k, err := s.findKnob(name)
	if err != nil {
		return "", err
	}
	return k.get(s), nil
}

// SetSysctl sets a setting, in the syntax and unit that Linux, or FreeBSD, has for the name: numbers, and lists of them
// with blanks between. It holds for what is opened after; a listener's next connection follows it in what the listener
// was not told otherwise. The name may also be a path under /proc/sys.
//
// Errors name the setting: ENOENT for one there is not, EINVAL for a value that is malformed, out of range, or asks for
// something that the stack does not do, EPERM for a setting that can only be read.
func (s *Stack) SetSysctl(name, value string) error {
	k, err := s.findKnob(name)
	if err != nil {
		return err
	}
	if k.set == nil {
		return fmt.Errorf("onlink: sysctl %s can only be read: %w", k.name, syscall.EPERM)
	}
	if err := k.set(s, strings.TrimSpace(value)); err != nil {
		return fmt.Errorf("onlink: sysctl %s=%q: %w", k.name, value, err)
	}
	return nil
}

// knob is an entry of the table of settings.
type knob struct {
	name string
	doc  string
	get  func(*Stack) string
	set  func(*Stack, string) error // nil: it can only be read
}

// as is the same setting by another name. The description is the name that it is better known by.
func (k knob) as(name, doc string) knob {
	k.name, k.doc = name, doc
	return k
}

// sysctls holds the settings. It is made when one is first asked for, so that a program that never does is not linked with it.
var sysctls struct {
	once  sync.Once
	knobs []knob     // by name
	confs []confKnob // those that each interface has, by family and name
}

func fillSysctls() {
	sysctls.knobs = slices.Concat(routeKnobs(), tcpKnobs(), tcpOpeningKnobs(), tcpRecoveryKnobs(), ipKnobs(), multicastKnobs(),
		freeBSDKnobs(), idleKnobs(), idleFreeBSDKnobs())
	slices.SortFunc(sysctls.knobs, func(a, b knob) int { return strings.Compare(a.name, b.name) })
	sysctls.confs = slices.Concat(ipv6Knobs(), routerKnobs())
	slices.SortFunc(sysctls.confs, compareConf)
}

func knobs() []knob {
	sysctls.once.Do(fillSysctls)
	return sysctls.knobs
}

func confKnobs() []confKnob {
	sysctls.once.Do(fillSysctls)
	return sysctls.confs
}

func (s *Stack) findKnob(name string) (*knob, error) {
	plain := strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(name), "/proc/sys/"), "/", ".")
	if k, ok, err := s.findConf(plain); ok {
		return k, err
	}
	plain = ofAll(plain)
	all := knobs()
	i, ok := slices.BinarySearchFunc(all, plain, func(k knob, name string) int { return strings.Compare(k.name, name) })
	if !ok {
		return nil, fmt.Errorf("onlink: no sysctl %q: %w", name, syscall.ENOENT)
	}
	return &all[i], nil
}

// ofAll returns the name of a setting of all interfaces for that of one of them, or of those to come: of the settings
// that are not in confKnobs, the stack's interfaces have none of their own.
func ofAll(name string) string {
	for _, family := range [...]string{"net.ipv4.conf.", "net.ipv6.conf."} {
		if rest, ok := strings.CutPrefix(name, family); ok {
			if _, setting, ok := strings.Cut(rest, "."); ok {
				return family + "all." + setting
			}
		}
	}
	return name
}

package conform

import (
	"os"
	"strings"
	"testing"
	"time"
)

// text returns what a node sent, described.
func text(c *Case, sent []Sent) []string {
	var all []string
	for _, s := range sent {
		switch {
		case c.Answers && answers(s.Frame):
			all = append(all, describeAnswer(s))
		case c.Answers:
		case c.Chatter || !chatter(s.Frame):
			all = append(all, Describe(s, c.Steps))
		}
	}
	return all
}

// askStack asks a new stack.
func askStack(t *testing.T, c *Case) []string {
	t.Helper()
	s, err := NewStack(c.Kind)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return text(c, s.Ask(c.Steps))
}

// every is all cases.
func every() (all []Case) {
	for _, g := range groups {
		all = append(all, g()...)
	}
	return all
}

var groups = []func() []Case{Headers6, Fragments, Addresses, Headers4, Messages, Forwarding, PathMTU, Solicitations, ARPs}

// What the cases want is what onlink does.
func TestStack(t *testing.T) {
	for _, c := range every() {
		if c.Want == nil {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			if got := strings.Join(askStack(t, &c), "\n"); got != strings.Join(c.Want, "\n") {
				t.Errorf("%s\ngot  %s\nwant %s", c.Rule, got, strings.Join(c.Want, "\n"))
			}
		})
	}
}

// The kernel gives the same answers, but where a case says why not.
func TestKernel(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	kernels, used := map[Kind]*Kernel{}, map[string]bool{}
	for _, c := range every() {
		k := kernels[c.Kind]
		if strings.HasPrefix(c.Name, "path MTU") {
			k = nil // one that has learned nothing
		}
		if k == nil {
			var err error
			if k, err = NewKernel(c.Kind); err != nil {
				t.Skip(err)
			}
			defer k.Close()
			kernels[c.Kind] = k
		}
		t.Run(c.Name, func(t *testing.T) {
			theirs := strings.Join(text(&c, k.Ask(c.Steps)), "\n")
			ours := strings.Join(askStack(t, &c), "\n")
			if ours == theirs {
				return
			}
			if why := c.Differs + differs(c.Name); why != "" {
				used[why] = true
				t.Logf("%s\nonlink %s\nLinux  %s", why, ours, theirs)
				return
			}
			t.Errorf("%s\nonlink %s\nLinux  %s", c.Name, ours, theirs)
		})
	}
	for _, d := range differences {
		if !used[d.why] {
			t.Errorf("no difference, though %q: %s", d.prefix, d.why)
		}
	}
}

// When fragments are given up, the stack tells the sender what the kernel does. The kernel is made to wait for a second only.
func TestSlowFragments(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	for _, c := range SlowFragments() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			k, err := NewKernel(c.Kind)
			if err != nil {
				t.Skip(err)
			}
			defer k.Close()
			for _, name := range []string{"net/ipv4/ipfrag_time", "net/ipv6/ip6frag_time"} {
				if err := k.set(name, "1"); err != nil {
					t.Fatal(err)
				}
			}
			ours := strings.Join(askStack(t, &c), "\n")
			c.Steps[len(c.Steps)-1].Then -= reassembly - 500*time.Millisecond
			if theirs := strings.Join(text(&c, k.Ask(c.Steps)), "\n"); ours != theirs {
				t.Errorf("onlink %s\nLinux  %s", ours, theirs)
			}
		})
	}
}

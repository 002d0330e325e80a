package core6

import (
	"slices"
	"testing"
)

// groups are all cases.
var groups = map[string]func() []Case{
	"resolution":     resolution,
	"reachability":   reachability,
	"solicitations":  solicitations,
	"advertisements": advertisements,
	"invalid":        invalid,
	"routers":        routers,
	"choice":         choice,
	"redirects":      redirects,
	"duplicates":     duplicates,
	"addresses":      addresses,
	"paths":          paths,
	"anycast":        anycast,
	"redirecting":    redirecting,
	"listeners":      listeners,
	"advertising":    advertising,
	"forwarding":     forwarding,
	"messages":       messages,
	"headers":        headers,
	"fragments":      fragments,
}

// Each case, on a node of its own.
func TestCore(t *testing.T) {
	n := 0
	for _, g := range sorted(groups) {
		names := map[string]bool{}
		t.Run(g, func(t *testing.T) {
			for _, c := range groups[g]() {
				if n++; names[c.Name] {
					t.Errorf("two cases are named %q", c.Name)
				}
				names[c.Name] = true
				t.Run(c.Name, func(t *testing.T) {
					t.Cleanup(func() {
						if t.Failed() {
							t.Log(c.Rule)
						}
					})
					c.Run(NewBench(t, c.Node))
				})
			}
		})
	}
	t.Logf("%d cases", n)
}

// What one case asks does not spoil the next: a suite puts all of its questions to one node, as fast as they are answered.
func TestOneAfterTheOther(t *testing.T) {
	b := NewBench(t, Node{})
	b.shared = true
	for range 2 {
		for _, c := range append(headers(), messages()...) {
			if c.Name == "ten thousand at once" {
				continue // that is about the limit itself
			}
			t.Run(c.Name, func(t *testing.T) {
				b.TB, b.answers = t, nil
				b.answering(router1)
				c.Run(b)
			})
		}
	}
	b.TB = t
}

func sorted[V any](m map[string]V) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

package mem

import (
	"testing"

	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/linktest"
)

func TestConformance(t *testing.T) {
	t.Run("Pair", func(t *testing.T) {
		linktest.Test(t, func(t *testing.T) (a, b link.Link) { return Pair(Config{}) })
	})
	t.Run("PairOfIP", func(t *testing.T) {
		linktest.Test(t, func(t *testing.T) (a, b link.Link) { return Pair(Config{Medium: link.IP, Limit: 10}) })
	})
	t.Run("PairOfQueues", func(t *testing.T) {
		linktest.Test(t, func(t *testing.T) (a, b link.Link) { return Pair(Config{Queues: 3}) })
	})
	t.Run("Switch", func(t *testing.T) {
		linktest.Test(t, func(t *testing.T) (a, b link.Link) {
			s := NewSwitch(3, Config{Limit: 1 << 20}) // a switch drops what it cannot hold; here it holds everything
			return s.Port(0), s.Port(2)
		}, "Close") // a station does not see another's port go down
	})
}

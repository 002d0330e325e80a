package ip

import (
	"slices"

	"github.com/onlink-go/onlink/internal/route"
)

// learn makes rs all the routes that the routers on the link of the interface with the given index have told of: default
// routers (prefix ::/0 with a gateway), on-link prefixes (without one) and route information (RFC 4191, 2.3). Their Out
// and Origin are set here. What was learned before and is not in rs is gone. Control locked.
func (l *Layer) learn(index int32, rs []route.Route) {
	d, err := l.find(index)
	if err != nil {
		return // it was removed, and its routes with it
	}
	learned := make([]route.Route, 0, len(rs))
	for _, r := range rs {
		r.Out, r.Origin = index, route.RouterAdvertisement
		if r, err := r.Check(); err == nil {
			learned = append(learned, r)
		}
	}
	if slices.Equal(learned, d.learned) {
		return
	}
	d.learned = learned
	l.rebuild()
}

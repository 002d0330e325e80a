package tcp

import "github.com/onlink-go/onlink/clock"

// Episode is what loss recovery or the answer to a congestion mark came to, from when the window began to be reduced until
// all of what had been sent by then was acknowledged or the reduction was taken back.
type Episode struct {
	State         string        // the worst of "cwr", "recovery" and "loss" that it came to
	Began, Ended  clock.Instant // Ended is 0 while it goes on
	From, To      uint32        // SND.UNA and SND.NXT at the beginning
	Detected      Path          // what it began with
	Lost          int           // segments deemed lost, some perhaps more than once
	Retransmitted int           // segments
	Undone        Path          // what took the reduction back; PathNone: nothing did
}

// episodes are the episodes of a connection.
type episodes struct {
	count  uint64
	last   Episode
	lost   uint64 // recovery.lost and
	resent uint64 // stats.segsAgain before it

	undos, spuriousTimeouts, probeRecoveries, reneges uint64 // see Info
}

// history returns what there was of episodes.
func (c *TCB) history() *episodes {
	if c.episodes == nil {
		c.episodes = new(episodes)
	}
	return c.episodes
}

// watch follows loss recovery from one state to another.
func (c *TCB) watch(now clock.Instant, from, to RecoveryState) {
	r := &c.recovery
	r.noted = 0
	was, is := from > stateDisorder, to > stateDisorder
	if !was && !is {
		return
	}
	e := c.history()
	switch {
	case is && !was:
		e.count++
		e.lost, e.resent = r.lost-min(uint64(max(c.board.lost, 0)), r.lost), c.stats.segsAgain
		e.last = Episode{State: to.String(), Began: now, From: uint32(c.snd.una), To: uint32(c.snd.nxt), Detected: r.trigger}
	case is:
		e.last.State = recoveryNames[max(from, to)]
	default:
		e.last.Ended = now
		c.sumEpisode()
		if c.observer != nil {
			c.observer.Episode(now, &e.last)
		}
	}
}

// sumEpisode brings the sums of the episode under way up to date.
func (c *TCB) sumEpisode() {
	e := c.episodes
	e.last.Lost, e.last.Retransmitted = int(c.recovery.lost-e.lost), int(c.stats.segsAgain-e.resent)
}

// infoEpisode fills in what there was of episodes.
func (c *TCB) infoEpisode(i *Info) {
	if c.episodes == nil {
		return
	}
	if c.recovery.state > stateDisorder {
		c.sumEpisode()
	}
	e := c.episodes
	i.Episodes, i.LastEpisode = e.count, e.last
	i.Undos, i.SpuriousTimeouts, i.ProbeRecoveries, i.Reneges = e.undos, e.spuriousTimeouts, e.probeRecoveries, e.reneges
}

// undone tells by what the reduction was taken back.
func (c *TCB) undone(now clock.Instant, by Path) {
	c.history().last.Undone = by
	c.note(now, by, 0)
}

package tcp

// holdsBack reports whether less than a full segment waits for more: because the user has corked the connection, or by
// Nagle's algorithm.
//
// RFC 9293, 3.7.4: "if there is unacknowledged data (i.e., SND.NXT > SND.UNA), then the sending TCP endpoint buffers all
// user data (regardless of the PSH bit) until the outstanding data has been acknowledged or until the TCP endpoint can
// send a full-sized segment". A cork holds data also if none is outstanding; then it ends, for what is there, with the
// override timeout of 3.8.6.2.1.
func (c *TCB) holdsBack() bool {
	if c.snd.nxt.Less(c.snd.push) || c.urg.sending {
		return false // the user has asked for it to be sent
	}
	return c.cfg.Cork || !c.cfg.NoDelay && !c.board.empty()
}

// pushQueued has all that is queued sent, held back or not.
func (c *TCB) pushQueued() { c.snd.push = c.snd.base.Add(c.snd.pipe.end) }

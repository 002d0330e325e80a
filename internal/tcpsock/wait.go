package tcpsock

// waitToRead waits for what may be worth reading. Who has said something waits for the answer at the door of the link that it comes
// by, if there is one. sh locked.
func (c *Conn) waitToRead() {
	door, said := c.layer.ip.Door(c.path), c.said
	c.said = false
	t := c.table()
	q := c.readers.begin(c.sh, t)
	busy := c.layer.Settings().BusyRead
	switch {
	case busy > 0 && c.sh.Poll(&q.visitor, busy):
	case door != nil && said:
		c.sh.WaitAt(door, q.cond, &q.visitor, c)
	default:
		door.Pass(c)
		c.sh.Wait(q.cond)
	}
	c.readers.end(q, t)
}

// waitToWrite waits for room in the send buffer. sh locked.
func (c *Conn) waitToWrite() {
	c.layer.ip.Door(c.path).Pass(c)
	c.writers.wait(c.sh, c.table())
}

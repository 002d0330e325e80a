package tcpsock

// waitToRead waits for what may be worth reading. Who has said something waits for the answer at the door of the link that it comes
// by, if there is one. sh locked.
func (c *Conn) waitToRead() {
	door := c.layer.ip.Door(c.path)
	said := c.said
	c.said = false
	if door == nil || !said {
		if door != nil {
			door.Pass(c)
		}
		c.readers.wait(c.sh, c.table())
		return
	}
	t := c.table()
	q := c.readers.begin(c.sh, t)
	c.sh.WaitAt(door, q.cond, &q.visitor, c)
	c.readers.end(q, t)
}

// waitToWrite waits for room in the send buffer. sh locked.
func (c *Conn) waitToWrite() {
	if door := c.layer.ip.Door(c.path); door != nil {
		door.Pass(c)
	}
	c.writers.wait(c.sh, c.table())
}

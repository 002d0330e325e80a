package tcp

import "github.com/onlink-go/onlink/clock"

// WrittenTo returns the sequence number behind what the user has written, SentTo that behind what was sent of it (SND.NXT),
// AckedTo that behind what the peer has acknowledged (SND.UNA), ReceivedTo that behind what it has sent without a gap (RCV.NXT).
func (c *TCB) WrittenTo() Seq  { return c.written() }
func (c *TCB) SentTo() Seq     { return c.snd.nxt }
func (c *TCB) AckedTo() Seq    { return c.snd.una }
func (c *TCB) ReceivedTo() Seq { return c.rcv.nxt }

// Arrived returns when data last came.
func (c *TCB) Arrived() clock.Instant { return c.rcv.dataAt }

package main

import (
	"io"
	"net"
	"sync"
	"time"
)

// growth has many connections active at once: over each, messages go there and an octet comes back for each. The rate is that
// of the messages; the latency is of one message and its answer.
func growth(connections int) work {
	return func(p *pair, m *meter) error {
		var all crowd
		defer all.close()
		if err := all.open(p, connections); err != nil {
			return err
		}
		var clients, servers sync.WaitGroup
		for i := 1; i < len(all.ends); i += 2 {
			servers.Go(func() { answer(all.ends[i]) })
		}
		counts := make([]int64, connections)
		logs := make([][]time.Duration, connections)
		errs := make([]error, connections)
		var warm sync.WaitGroup
		start := make(chan struct{})
		for i := range connections {
			logs[i] = make([]time.Duration, 0, min(1<<20, 4<<20/connections))
			warm.Add(1)
			clients.Go(func() {
				b := make([]byte, 1)
				for range warmUp {
					if errs[i] == nil {
						errs[i] = ask(all.ends[2*i], b)
					}
				}
				warm.Done()
				<-start
				if errs[i] == nil {
					counts[i], logs[i], errs[i] = askOn(all.ends[2*i], b, m, logs[i])
				}
			})
		}
		warm.Wait()
		m.begin()
		close(start)
		clients.Wait()
		total := int64(0)
		var took []time.Duration
		for i := range connections {
			total += counts[i]
			took = append(took, logs[i]...)
		}
		m.end(total * message)
		m.latencies(took)
		for i := 0; i < len(all.ends); i += 2 {
			all.ends[i].Close()
		}
		servers.Wait()
		return first(errs)
	}
}

// message is what is sent at once, in octets.
const message = 16 << 10

var messageData [message]byte

// answer reads messages and sends an octet for each.
func answer(c net.Conn) {
	b := make([]byte, message)
	for {
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
		if _, err := c.Write(b[:1]); err != nil {
			return
		}
	}
}

// warmUp is how many messages go over each connection before it is measured: by then its window is open, and its buffers and
// goroutines are as large as they get.
const warmUp = 2

// ask sends a message and waits for the answer.
func ask(c net.Conn, b []byte) error {
	if _, err := c.Write(messageData[:]); err != nil {
		return err
	}
	_, err := io.ReadFull(c, b)
	return err
}

// askOn asks as long as the meter runs.
func askOn(c net.Conn, b []byte, m *meter, took []time.Duration) (n int64, _ []time.Duration, err error) {
	for last := time.Now(); err == nil && last.Sub(m.began) < m.time; n++ {
		err = ask(c, b)
		now := time.Now()
		took = note(took, now.Sub(last))
		last = now
	}
	return n, took, err
}

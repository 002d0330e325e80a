package main

import (
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
			servers.Go(func() { answer(all.ends[i], message) })
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
				a := &asker{c: all.ends[2*i], message: messageData[:]}
				for range warmUp {
					if errs[i] == nil {
						errs[i] = a.ask()
					}
				}
				warm.Done()
				<-start
				if errs[i] == nil {
					counts[i], logs[i], errs[i] = a.run(m, logs[i])
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

// warmUp is how many messages go over each connection before it is measured: by then its window is open, and its buffers and
// goroutines are as large as they get.
const warmUp = 2

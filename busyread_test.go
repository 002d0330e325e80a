package onlink_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/mem"
)

// Who polls hears what comes, in real time and in a bubble, by the setting that a stack begins with and by the one that it has then.
func TestBusyRead(t *testing.T) {
	talk := func(t *testing.T) {
		a, b := mem.Pair(mem.Config{})
		cfg := onlink.Config{TCP: onlink.TCPConfig{BusyRead: 50 * time.Microsecond}}
		client, server := newStack(t, cfg), newStack(t, cfg)
		addLink(t, client, a, clientAddrs)
		addLink(t, server, b, serverAddrs)
		c, s := connect(t, client, server, server4)
		converse(t, c, s, 1000)
		if v, err := client.Sysctl("net.core.busy_read"); v != "50" || err != nil {
			t.Errorf("net.core.busy_read: %q, %v", v, err)
		}
		if err := server.SetSysctl("net.core.busy_read", "0"); err != nil {
			t.Fatal(err)
		}
		converse(t, c, s, 1000)
	}
	t.Run("real", talk)
	t.Run("bubble", func(t *testing.T) { synctest.Test(t, talk) })
}

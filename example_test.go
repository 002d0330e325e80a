package onlink_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onlink-go/onlink"
	"github.com/onlink-go/onlink/link/impair"
	"github.com/onlink-go/onlink/link/mem"
	"github.com/onlink-go/onlink/sim"
)

// An HTTP server and an HTTP client, each on a host of its own, joined by an in-memory Ethernet.
func Example() {
	ctx := context.Background()
	a, b := mem.Pair(mem.Config{})

	server, err := onlink.New(onlink.Config{})
	if err != nil {
		panic(err)
	}
	defer server.Close(ctx)
	if _, err := server.AddLink("eth0", b, onlink.InterfaceConfig{
		Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.2/24")},
	}); err != nil {
		panic(err)
	}
	ln, err := server.Listen(ctx, "tcp", ":80")
	if err != nil {
		panic(err)
	}
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello over %s\n", r.Proto)
	})}
	go web.Serve(ln)
	defer web.Close()

	client, err := onlink.New(onlink.Config{})
	if err != nil {
		panic(err)
	}
	defer client.Close(ctx)
	if _, err := client.AddLink("eth0", a, onlink.InterfaceConfig{
		Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")},
	}); err != nil {
		panic(err)
	}
	transport := &http.Transport{DialContext: client.DialContext}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("http://192.0.2.2/")
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(err)
	}
	fmt.Print(string(body))
	// Output: hello over HTTP/1.1
}

// In a synctest bubble time is virtual: an hour of requests over a link with 200 ms of delay and 5 % of loss
// passes in a moment. Real code, net/http included, runs unchanged.
func Example_synctest() {
	synctest.Test(new(testing.T), func(*testing.T) { // a test has a T of its own
		ctx := context.Background()
		a, b := mem.Pair(mem.Config{})
		client, _ := onlink.New(onlink.Config{})
		server, _ := onlink.New(onlink.Config{})
		slow := impair.Path{Delay: 200 * time.Millisecond, Loss: 0.05}
		lossy := impair.New(client.Runtime(), a, impair.Config{Egress: slow, Ingress: slow, Seed: 1})
		client.AddLink("eth0", lossy, onlink.InterfaceConfig{Addresses: []netip.Prefix{netip.MustParsePrefix("2001:db8::1/64")}})
		server.AddLink("eth0", b, onlink.InterfaceConfig{Addresses: []netip.Prefix{netip.MustParsePrefix("2001:db8::2/64")}})

		ln, _ := server.Listen(ctx, "tcp", ":80")
		web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "tick") })}
		go web.Serve(ln)

		transport := &http.Transport{DialContext: client.DialContext}
		began, answers := time.Now(), 0
		for range 60 {
			resp, err := (&http.Client{Transport: transport}).Get("http://[2001:db8::2]/")
			if err != nil {
				panic(err)
			}
			if body, err := io.ReadAll(resp.Body); err == nil && string(body) == "tick" {
				answers++
			}
			resp.Body.Close()
			time.Sleep(time.Minute)
		}
		fmt.Println(answers, "answers; an hour has passed:", time.Since(began) > time.Hour)

		transport.CloseIdleConnections()
		web.Close()
		client.Close(ctx)
		server.Close(ctx)
	})
	// Output: 60 answers; an hour has passed: true
}

// A simulated network: everything in it follows from the seed, so that the hash of all frames is the same each
// time.
func Example_sim() {
	run := func() string {
		n := sim.New(42)
		defer n.Stop()
		a, b := n.Host("a"), n.Host("b")
		n.Wire(a.Port("eth0", "2001:db8::1/64"), b.Port("eth0", "2001:db8::2/64"),
			sim.Line{Delay: 20 * time.Millisecond, Rate: 10e6, Loss: 0.02})
		b.Go("server", func() {
			ln, err := b.Listen(context.Background(), "tcp", ":80")
			if err != nil {
				panic(err)
			}
			c, err := ln.Accept()
			if err != nil {
				panic(err)
			}
			c.Write(make([]byte, 1<<20))
			c.Close()
		})
		a.Go("client", func() {
			c, err := a.DialContext(context.Background(), "tcp", "[2001:db8::2]:80")
			if err != nil {
				panic(err)
			}
			n, err := io.Copy(io.Discard, c)
			fmt.Println("received", n, "octets, error", err)
			c.Close()
		})
		if err := n.Run(); err != nil {
			panic(err)
		}
		return n.Hash()
	}
	first, second := run(), run()
	fmt.Println("replays:", first == second)
	// Output:
	// received 1048576 octets, error <nil>
	// received 1048576 octets, error <nil>
	// replays: true
}

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// upCmd is `onlink up`.
type upCmd struct {
	hostFlags   `embed:""`
	routerFlags `embed:""`
	dhcp6Flags  `embed:""`
	Serve       string `help:"Serve HTTP on this address of the host: a greeting, or --dir. What is POSTed or PUT is answered with its SHA-256." placeholder:"[HOST]:PORT"`
	Dir         string `help:"Directory that --serve serves." type:"existingdir" placeholder:"DIR"`
	Control     string `help:"Make the control socket at this path, for commands like onlink addr; by default it is named after the first device and in a folder where they look for it." placeholder:"PATH"`
	NoControl   bool   `help:"Make no control socket." name:"no-control"`
	Metrics     string `help:"Serve metrics for Prometheus, /metrics, on this address of the machine, and not of the host: plain HTTP for whoever can reach it." placeholder:"[HOST]:PORT"`
	Echo        string `help:"Echo TCP and UDP on this address of the host." placeholder:"[HOST]:PORT"`
}

// Run is a host until ctx is done.
func (c *upCmd) Run(ctx context.Context) error {
	if c.Dir != "" && c.Serve == "" {
		return usagef("--dir needs --serve")
	}
	if c.Control != "" && c.NoControl {
		return usagef("--control and --no-control contradict each other")
	}
	c.router, c.attached, c.dhcp6 = c.routerFlags, c.control, &c.dhcp6Flags
	h, err := c.open(ctx)
	switch {
	case errors.Is(err, context.Canceled):
		return nil // that is how a host is told to go down
	case err != nil:
		return err
	}
	err = c.serve(h.ctx, h)
	return errors.Join(err, h.fault(), h.close())
}

// control opens h's control socket. One that nobody asked for may be missing, if it cannot be had.
func (c *upCmd) control(h *host) error {
	if c.NoControl {
		return nil
	}
	var socket *controlSocket
	var err error
	if c.Control != "" {
		if socket, err = listenControlAt(c.Control); err != nil {
			return err
		}
	} else if socket, err = listenControl(h.ports[0].name); err != nil {
		fmt.Fprintln(os.Stderr, "onlink: no control socket:", strings.ReplaceAll(err.Error(), "\n", "; "))
		return nil
	}
	h.control = serveControl(h.Stack, socket)
	return nil
}

// serve runs the services until ctx is done or one of them fails.
func (c *upCmd) serve(ctx context.Context, h *host) error {
	failed := make(chan error, 4)
	var services sync.WaitGroup
	defer services.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	start := func(name string, stop func(), run func() error) {
		services.Go(func() {
			<-ctx.Done()
			stop()
		})
		services.Go(func() {
			if err := run(); err != nil && ctx.Err() == nil {
				failed <- fmt.Errorf("%s: %w", name, err)
			}
		})
	}
	if c.Serve != "" {
		ln, err := h.Listen(ctx, "tcp", c.Serve)
		if err != nil {
			return err
		}
		srv := &http.Server{Handler: c.handler(h)}
		start("http", func() { shutdown(srv) }, func() error { return srv.Serve(ln) })
	}
	if c.Metrics != "" {
		ln, err := listenMetrics(c.Metrics)
		if err != nil {
			return err
		}
		srv := &http.Server{Handler: metricsHandler(h.Stack), ReadHeaderTimeout: 10 * time.Second}
		start("metrics", func() { shutdown(srv) }, func() error { return srv.Serve(ln) })
		fmt.Fprintf(os.Stderr, "onlink: metrics on http://%v/metrics of this machine\n", ln.Addr())
	}
	if c.Echo != "" {
		ln, err := h.Listen(ctx, "tcp", c.Echo)
		if err != nil {
			return err
		}
		pc, err := h.ListenPacket(ctx, "udp", c.Echo)
		if err != nil {
			return errors.Join(err, ln.Close())
		}
		start("tcp echo", func() { ln.Close() }, func() error { return echoTCP(ctx, ln, &services) })
		start("udp echo", func() { pc.Close() }, func() error { return echoUDP(pc) })
	}
	fmt.Fprintln(os.Stderr, "onlink: up on", h.describe()+h.describeLearned()+h.dhcp.describe()+h.dhcp6.describe())
	if h.control != nil {
		fmt.Fprintln(os.Stderr, "onlink: control socket", h.control.socket.path)
	}
	h.news.skip()
	services.Go(func() { h.news.print(ctx) })
	for _, s := range [...]struct{ name, addr string }{{"http", c.Serve}, {"echo", c.Echo}} {
		if s.addr != "" {
			fmt.Fprintf(os.Stderr, "onlink: %s on %s\n", s.name, s.addr)
		}
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// shutdown lets requests under way finish for a while.
func shutdown(srv *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if srv.Shutdown(ctx) != nil {
		srv.Close() // the listener is closed already; connections that remain are cut
	}
}

// handler answers GET with a greeting or a file, and uploads with their hash.
func (c *upCmd) handler(h *host) http.Handler {
	get := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello %s, this is onlink on %s.\n", r.RemoteAddr, h.describe())
	}))
	if c.Dir != "" {
		get = http.FileServer(http.Dir(c.Dir))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost && r.Method != http.MethodPut {
			get.ServeHTTP(w, r)
			return
		}
		sum := sha256.New()
		n, err := io.Copy(sum, r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%x  %d\n", sum.Sum(nil), n)
	})
}

// echoTCP sends back what comes, on each connection until the peer closes its half or ctx is done.
func echoTCP(ctx context.Context, ln net.Listener, services *sync.WaitGroup) error {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		services.Go(func() {
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			defer conn.Close()
			io.Copy(conn, conn) // ends with the peer's FIN, or with an error the peer has caused
		})
	}
}

// echoUDP sends each datagram back.
func echoUDP(pc net.PacketConn) error {
	b := make([]byte, 65536)
	for {
		n, from, err := pc.ReadFrom(b)
		if err != nil {
			return err
		}
		if _, err := pc.WriteTo(b[:n], from); err != nil && errors.Is(err, net.ErrClosed) {
			return err
		}
	}
}

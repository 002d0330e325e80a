package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"
)

// fetchCmd is `onlink fetch`.
type fetchCmd struct {
	hostFlags `embed:""`
	Output    string        `help:"Where to write; standard output if not given." short:"o" placeholder:"FILE"`
	Timeout   time.Duration `help:"Give up connecting after this time." default:"30s"`
	URL       string        `arg:"" help:"What to download: http:// or https://."`
}

// Run downloads c.URL.
func (c *fetchCmd) Run(ctx context.Context) error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil:
		return usagef("%v", err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return usagef("%s: not an http:// or https:// URL", c.URL)
	}
	err = c.fetch(ctx)
	if err != nil && ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}

// fetch downloads as a host that is there only for that.
func (c *fetchCmd) fetch(ctx context.Context) error {
	h, err := c.open(ctx)
	if err != nil {
		return err
	}
	err = c.get(h.ctx, h)
	if fault := h.fault(); err != nil && fault != nil {
		err = fault
	}
	return errors.Join(err, h.close())
}

// get downloads through h.
func (c *fetchCmd) get(ctx context.Context, h *host) error {
	dial := h.DialContext
	transport := &http.Transport{DialContext: dial}
	defer transport.CloseIdleConnections()
	connecting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(c.Timeout, func() { cancel(fmt.Errorf("no answer from %s in %v", c.URL, c.Timeout)) })
	req, err := http.NewRequestWithContext(connecting, http.MethodGet, c.URL, nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		if cause := context.Cause(connecting); cause != nil && ctx.Err() == nil {
			return cause
		}
		return err
	}
	late.Stop()
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", c.URL, resp.Status)
	}
	body := newProgress(os.Stderr, resp.Body, resp.ContentLength)
	defer body.finish()
	if c.Output == "" {
		_, err := io.Copy(os.Stdout, body)
		return err
	}
	return writeWhole(c.Output, func(w io.Writer) error {
		_, err := io.Copy(w, body)
		return err
	})
}

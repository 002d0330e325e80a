package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/onlink-go/onlink/internal/packetdrill"
	"github.com/onlink-go/onlink/internal/packetdrill/kernel"
	"github.com/onlink-go/onlink/internal/packetdrill/script"
	"github.com/onlink-go/onlink/link/capture"
)

// drillCmd is `onlink drill`. The names of flags that packetdrill has, too, are packetdrill's.
type drillCmd struct {
	Paths   []string `arg:"" name:"path" help:"Scripts, and directories, in which all that end in .pkt are meant."`
	Write   string   `short:"w" help:"Write all packets to FILE, as pcapng." placeholder:"FILE"`
	Verbose bool     `short:"v" help:"Tell each packet and each call, with its time."`
	Kernel  bool     `help:"Run the scripts against the kernel, in real time, in a network namespace with a TUN device. Takes root."`
	DryRun  bool     `name:"dry_run" help:"Read the scripts and do not run them."`
	Fields  []string `short:"D" name:"define" help:"NAME=VALUE: what a word of the scripts stands for; may be repeated." placeholder:"NAME=VALUE" sep:"none"`

	IPVersion []string `name:"ip_version" help:"ipv4, ipv6, ipv4-mapped-ipv6 or all; may be repeated. Without it, what the script says, or else ipv4." placeholder:"VERSION"`

	drillFlags
}

// drillFlags are passed to every script and overrule what it says itself.
type drillFlags struct {
	LocalIP          *string `name:"local_ip" help:"Address of the stack." placeholder:"ADDR" group:"script"`
	RemoteIP         *string `name:"remote_ip" help:"Address of the peer; with /LEN, the prefix that is beyond the interface." placeholder:"ADDR" group:"script"`
	GatewayIP        *string `name:"gateway_ip" help:"Router to the peer." placeholder:"ADDR" group:"script"`
	NetmaskIP        *string `name:"netmask_ip" help:"Netmask of the stack's address." placeholder:"MASK" group:"script"`
	BindPort         *string `name:"bind_port" help:"Port that sockets are bound to (8080)." placeholder:"PORT" group:"script"`
	ConnectPort      *string `name:"connect_port" help:"Port that sockets connect to (8080)." placeholder:"PORT" group:"script"`
	Like             *string `name:"like" help:"Whose defaults the scripts count on: linux, freebsd or auto, which looks at what they say: kldload, net.inet. and kern. settings, FreeBSD's order of options in a SYN." placeholder:"SYSTEM" group:"script"`
	MTU              *string `name:"mtu" help:"MTU of the interface (1500)." placeholder:"N" group:"script"`
	Speed            *string `name:"speed" help:"Speed of the interface; has no meaning here." placeholder:"MBIT" group:"script" hidden:""`
	ToleranceUsecs   *string `name:"tolerance_usecs" help:"How far off the times of a script may be, in microseconds (4000)." placeholder:"N" group:"script"`
	TolerancePercent *string `name:"tolerance_percent" help:"The same as a share of the time since the event before (12.5)." placeholder:"N" group:"script"`
	TSTick           *string `name:"tcp_ts_tick_usecs" help:"Check the values of TCP timestamps, which count every N microseconds (0: do not)." placeholder:"N" group:"script"`
	NonFatal         *string `name:"non_fatal" help:"What does not end a script: packet, syscall or both." placeholder:"WHAT" group:"script"`
	InitScripts      *string `name:"init_scripts" help:"Shell files to run before each script." placeholder:"FILE,…" group:"script"`
	TSEcrScaled      *bool   `name:"tcp_ts_ecr_scaled" help:"Map echoed timestamps by their distance from the first (always done)." group:"script"`
	TSEcrCheck       *bool   `name:"tcp_ts_ecr_check" help:"Check the timestamps that segments echo." group:"script"`
	StrictSegments   *bool   `name:"strict_segments" help:"A segment of a script is one on the wire; otherwise several may make it up." group:"script"`
	StrictEnd        *bool   `name:"strict_end" help:"No packet may be left over at the end." group:"script"`
}

// options returns the flags that are set as the options of a script.
func (f *drillFlags) options() []script.Option {
	var list []script.Option
	for _, o := range []struct {
		name  string
		value *string
	}{{"local_ip", f.LocalIP}, {"remote_ip", f.RemoteIP}, {"gateway_ip", f.GatewayIP}, {"netmask_ip", f.NetmaskIP},
		{"bind_port", f.BindPort}, {"connect_port", f.ConnectPort}, {"like", f.Like}, {"mtu", f.MTU}, {"speed", f.Speed},
		{"tolerance_usecs", f.ToleranceUsecs}, {"tolerance_percent", f.TolerancePercent}, {"tcp_ts_tick_usecs", f.TSTick},
		{"non_fatal", f.NonFatal}, {"init_scripts", f.InitScripts}} {
		if o.value != nil {
			list = append(list, script.Option{Name: o.name, Value: *o.value, HasValue: true})
		}
	}
	for _, o := range []struct {
		name  string
		value *bool
	}{{"tcp_ts_ecr_scaled", f.TSEcrScaled}, {"tcp_ts_ecr_check", f.TSEcrCheck}, {"strict_segments", f.StrictSegments},
		{"strict_end", f.StrictEnd}} {
		if o.value != nil && *o.value {
			list = append(list, script.Option{Name: o.name})
		}
	}
	return list
}

// drill is one run of the command.
type drill struct {
	cmd      *drillCmd
	ctx      context.Context
	out      *bufio.Writer
	capture  *capture.Writer
	versions []packetdrill.Version // empty: the script's own
	all      bool                  // all versions, but for scripts that are for one
	defines  map[string]string

	ok, failed, unread int
}

// errDrill says that scripts failed; what and where is on standard output.
var errDrill = errors.New("not all scripts went as they say")

// Run runs the scripts, a line each.
func (c *drillCmd) Run(ctx context.Context) error {
	d := &drill{cmd: c, ctx: ctx, out: bufio.NewWriter(os.Stdout), defines: map[string]string{}}
	if err := d.readFlags(); err != nil {
		return err
	}
	files, err := scripts(c.Paths)
	if err != nil {
		return err
	}
	if c.Write == "" {
		return d.run(files)
	}
	err = writeWhole(c.Write, func(w io.Writer) error {
		d.capture = capture.NewWriter(w, capture.Config{})
		if err := d.run(files); err != nil && !isVerdict(err) {
			return err
		}
		return d.capture.Close()
	})
	return errors.Join(err, d.verdict())
}

func isVerdict(err error) bool { return errors.Is(err, errDrill) }

func (d *drill) readFlags() error {
	for _, text := range d.cmd.Fields {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return usagef("--define %s: must be NAME=VALUE", text)
		}
		d.defines[name] = value
	}
	for _, text := range d.cmd.IPVersion {
		for _, name := range strings.Split(text, ",") {
			if name == "all" {
				d.all = true
				continue
			}
			v, err := packetdrill.ParseVersion(name)
			if err != nil {
				return usagef("--ip_version: %v", err)
			}
			d.versions = append(d.versions, v)
		}
	}
	return nil
}

// scripts lists the files that paths mean, those of a directory by name.
func scripts(paths []string) ([]string, error) {
	var files []string
	for _, p := range paths {
		fi, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		if !fi.IsDir() {
			files = append(files, p)
			continue
		}
		before := len(files)
		if files, err = inDirectory(files, p, map[string]bool{}); err != nil {
			return nil, err
		}
		if len(files) == before {
			return nil, fmt.Errorf("%s: no scripts (.pkt) in it", p)
		}
	}
	return files, nil
}

// inDirectory adds the scripts in a directory and below, also where links lead. been are the directories it is in, by
// their real names: a link to one of them leads nowhere new. A directory that cannot be read is an error; a link that
// leads to nothing is a script that cannot be read.
func inDirectory(files []string, dir string, been map[string]bool) ([]string, error) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return files, err
	}
	if been[real] {
		return files, nil
	}
	been[real] = true
	defer delete(been, real)
	list, err := os.ReadDir(dir)
	if err != nil {
		return files, err
	}
	for _, e := range list {
		path := filepath.Join(dir, e.Name())
		fi, err := os.Stat(path)
		switch {
		case err == nil && fi.IsDir():
			if files, err = inDirectory(files, path, been); err != nil {
				return files, err
			}
		case strings.HasSuffix(path, ".pkt"):
			files = append(files, path)
		}
	}
	return files, nil
}

// run runs the scripts one after the other, and sums up.
func (d *drill) run(files []string) error {
	for _, f := range files {
		if d.ctx.Err() != nil {
			return errors.Join(d.out.Flush(), errors.New("interrupted"))
		}
		if err := d.file(f); err != nil {
			return errors.Join(d.out.Flush(), err)
		}
	}
	if n := d.ok + d.failed + d.unread; n != 1 {
		fmt.Fprintf(d.out, "\n%d runs: %d ok, %d failed", d.ok+d.failed, d.ok, d.failed)
		if d.unread > 0 {
			fmt.Fprintf(d.out, "; %d scripts could not be read", d.unread)
		}
		fmt.Fprintln(d.out)
	}
	return errors.Join(d.out.Flush(), d.verdict())
}

// verdict is the command's error: that of scripts that cannot be read outweighs that of scripts that fail.
func (d *drill) verdict() error {
	switch {
	case d.unread > 0:
		return usageError{errDrill}
	case d.failed > 0:
		return errDrill
	}
	return nil
}

// file runs one script on each version of IP that it is to run on.
func (d *drill) file(path string) error {
	src, err := readScript(path)
	if err != nil {
		d.unreadable(err)
		return nil
	}
	s, err := packetdrill.Parse(path, src, packetdrill.IPv4, d.defines)
	if err != nil {
		d.unreadable(err)
		return nil
	}
	for _, v := range d.versionsOf(s) {
		if s, err = packetdrill.Parse(path, src, v, d.defines); err != nil {
			d.unreadable(err)
			return nil
		}
		if err := d.script(path, s, v); err != nil {
			return err
		}
	}
	return nil
}

// maxScript bounds how long a script may be, in octets.
const maxScript = 16 << 20

// readScript reads a regular file that is not too long. A byte order mark is no part of the script.
func readScript(path string) ([]byte, error) {
	fi, err := os.Stat(path) // to open a pipe would wait for a writer
	switch {
	case err != nil:
		return nil, err
	case !fi.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a regular file", path)
	case fi.Size() > maxScript:
		return nil, fmt.Errorf("%s: %d octets are too long for a script", path, fi.Size())
	}
	src, err := os.ReadFile(path)
	return bytes.TrimPrefix(src, []byte("\ufeff")), err
}

func (d *drill) unreadable(err error) {
	d.unread++
	fmt.Fprintf(d.out, "FAIL %v\n", err)
}

// versionsOf returns what a script is to run on.
func (d *drill) versionsOf(s *script.Script) []packetdrill.Version {
	own := packetdrill.Versions(s)
	switch {
	case d.all && len(own) == 1:
		return own
	case d.all:
		return []packetdrill.Version{packetdrill.IPv4, packetdrill.IPv6, packetdrill.Mapped}
	case d.versions != nil:
		return d.versions
	}
	return own[:1]
}

// script runs a script once. Errors are those of the command line; how the script went is printed.
func (d *drill) script(path string, s *script.Script, v packetdrill.Version) error {
	if d.cmd.DryRun {
		d.ok++
		fmt.Fprintf(d.out, "ok   %s\n", path)
		return nil
	}
	var lines []string
	o := packetdrill.Options{Capture: d.capture}
	o.Set = append(d.cmd.options(), script.Option{Name: "ip_version", Value: v.String(), HasValue: true})
	if d.cmd.Kernel {
		o.World = kernel.New
	}
	if d.cmd.Verbose {
		o.Trace = func(line string) { lines = append(lines, line) }
	}
	res, err := d.guarded(s, o)
	if d.ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if _, ok := errors.AsType[*script.SyntaxError](err); ok {
		d.unreadable(err)
		return nil
	}
	if err != nil {
		d.unreadable(fmt.Errorf("%s: %w", path, err))
		return nil
	}
	if res.Failure == nil {
		d.ok++
		fmt.Fprintf(d.out, "ok   %s (%v)\n", path, v)
	} else {
		d.failed++
		fmt.Fprintf(d.out, "FAIL %s (%v)\n    %s\n", path, v, res.Failure.String())
	}
	for _, w := range res.Warnings {
		fmt.Fprintf(d.out, "    warning: %s\n", w.String())
	}
	for _, l := range lines {
		fmt.Fprintf(d.out, "        %s\n", l)
	}
	return d.out.Flush()
}

// How long a script may take, in real time. In virtual time it needs milliseconds; what takes longer is a stack that goes
// round in circles.
const (
	patienceForScript = 30 * time.Second
	patienceForKernel = time.Hour
)

// guarded runs a script and gives up on one that does not end.
func (d *drill) guarded(s *script.Script, o packetdrill.Options) (res packetdrill.Result, err error) {
	type outcome struct {
		res packetdrill.Result
		err error
	}
	done := make(chan outcome, 1)
	patience := patienceForScript
	if d.cmd.Kernel {
		patience = patienceForKernel
	}
	go func() {
		res, err := packetdrill.Run(s, o)
		done <- outcome{res, err}
	}()
	select {
	case out := <-done:
		return out.res, out.err
	case <-time.After(patience):
		return packetdrill.Result{Failure: &packetdrill.Failure{Pos: script.Pos{File: s.Name, Line: 1, Col: 1},
			Msg: fmt.Sprintf("the script has not ended after %v", patience)}}, nil
	case <-d.ctx.Done():
		return res, errors.New("interrupted")
	}
}

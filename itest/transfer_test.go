package itest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/link"
	"github.com/onlink-go/onlink/link/impair"
)

// serve serves HTTP on l until the test ends.
func serve(t testing.TB, l net.Listener) {
	srv := &http.Server{Handler: handler}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
}

// transfer moves n octets each way between the kernel and the stack, for both families, once with the kernel as
// the client, which is curl, and once with the stack as the client.
func transfer(t *testing.T, r *rig, families []family, n int64) {
	want := contentSum(n)
	for _, v := range families {
		t.Run(v.name, func(t *testing.T) {
			r := r.with(t)
			t.Run("CurlFromStack", func(t *testing.T) {
				need(t, "curl")
				r := r.with(t)
				l, port := r.stackListen()
				serve(t, l)
				url := fmt.Sprintf("http://%s/", net.JoinHostPort(v.stack, port))
				told := timed(t, n)
				got := sha256.New()
				download := r.startTo(got, nil, "curl", append(curlArgs, fmt.Sprint(url, n))...)
				if err := download.Wait(); err != nil || hex.EncodeToString(got.Sum(nil)) != want {
					t.Errorf("download: curl got something else (%v: %s)", err, &download.stderr)
				}
				told("curl downloads from the stack")
				told = timed(t, n)
				upload := r.start(content(n), "curl", append(curlArgs, "-T", "-", url)...)
				if err := upload.Wait(); err != nil || upload.stdout.String() != want {
					t.Errorf("upload: the stack got %s, want %s (%v: %s)", &upload.stdout, want, err, &upload.stderr)
				}
				told("curl uploads to the stack")
			})
			t.Run("StackFromKernel", func(t *testing.T) {
				r := r.with(t)
				l := r.kernelListen(v)
				serve(t, l)
				url := fmt.Sprintf("http://%s/", l.Addr())
				transport := &http.Transport{DialContext: r.DialContext}
				defer transport.CloseIdleConnections()
				ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
				defer cancel()
				told := timed(t, n)
				if sum, m, err := fetch(ctx, transport, http.MethodGet, fmt.Sprint(url, n), 0); err != nil || sum != want {
					t.Errorf("download: %d octets with SHA-256 %s, want %s: %v", m, sum, want, err)
				}
				told("the stack downloads")
				told = timed(t, n)
				sum, _, err := fetch(ctx, transport, http.MethodPut, url, n)
				if err != nil || sum != sumOfString(want) {
					t.Errorf("upload: the kernel's server got something else: %v", err)
				}
				told("the stack uploads")
			})
		})
	}
}

// timed returns a function that notes how fast n octets went since then.
func timed(t *testing.T, n int64) func(what string) {
	began := time.Now()
	return func(what string) {
		d := time.Since(began)
		t.Logf("%s: %.2f s, %.0f Mbit/s", what, d.Seconds(), float64(8*n)/d.Seconds()/1e6)
	}
}

var curlArgs = []string{"--silent", "--show-error", "--fail", "--max-time", "240", "--globoff"}

// curl runs curl in the kernel's namespace and returns what it printed.
func (r *rig) curl(args ...string) string {
	r.t.Helper()
	return r.run("curl", append(curlArgs, args...)...)
}

func sumOfString(s string) string {
	sum, _, _ := sumOf(strings.NewReader(s))
	return sum
}

// fetch does one request, with a body of content(n) if it is a PUT, and returns the SHA-256 and length of the answer.
func fetch(ctx context.Context, transport *http.Transport, method, url string, n int64) (sum string, m int64, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if method == http.MethodPut && err == nil {
		req, err = http.NewRequestWithContext(ctx, method, url, content(n))
	}
	if err != nil {
		return "", 0, err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", 0, fmt.Errorf("%s", resp.Status)
	}
	return sumOf(resp.Body)
}

func TestTransfer(t *testing.T) {
	t.Parallel()
	eachLink(t, func(t *testing.T, r *rig) { transfer(t, r, families, 64<<20) })
}

// Whichever side makes super-packets, leaves checksums to the other, or does neither, what arrives is what was sent.
func TestTransferOffload(t *testing.T) {
	t.Parallel()
	need(t, "ethtool")
	for _, s := range []struct {
		name   string
		set    setup
		kernel string // what the kernel's side is told
	}{
		{"our segments whole", setup{whole: true}, ""},
		{"no virtio-net header", setup{noOffload: true}, ""},
		{"the kernel's segments whole", setup{}, "tso off gso off gro off"},
		{"no checksums left by the kernel", setup{}, "tx off"},
		{"nothing left by anybody", setup{noOffload: true, whole: true}, "tx off gro off"},
		{"the kernel's segments by software", setup{}, "tso off"},
		{"the kernel joins nothing", setup{}, "gro off"},
		{"no super-packets of the kernel's, without scatter and gather", setup{}, "sg off"},
		{"our segments whole, no checksums left by the kernel", setup{whole: true}, "tx off"},
		{"several queues", setup{queues: 3}, ""},
		{"several queues, no virtio-net header", setup{queues: 2, noOffload: true}, ""},
		{"TUN, several queues", setup{tun: true, queues: 2}, ""},
		{"TUN, no virtio-net header", setup{tun: true, noOffload: true}, ""},
		{"TUN, our segments whole, no checksums left by the kernel", setup{tun: true, whole: true}, "tx off"},
		{"TUN", setup{tun: true}, ""},
		{"TUN, the kernel's segments whole", setup{tun: true}, "tso off gso off"},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, s.set)
			r.features(r.name, s.kernel)
			transfer(t, r, families, 16<<20)
		})
	}
}

// With frames of 9,000 octets, as jumbo frames have.
func TestTransferJumbo(t *testing.T) {
	t.Parallel()
	transfer(t, newRig(t, setup{mtu: 9000}), families, 64<<20)
}

// Both ways each frame is lost with 2 % and overtaken by others with 2 %.
func TestTransferImpaired(t *testing.T) {
	t.Parallel()
	for _, v := range families {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setup{wrap: func(rt clock.Runtime, l link.Link) link.Link {
				way := impair.Path{Loss: 0.02, Reorder: 0.02}
				return impair.New(rt, l, impair.Config{Egress: way, Ingress: way, Seed: 1})
			}})
			n := int64(64 << 20)
			if testing.Short() || raceEnabled {
				n = 4 << 20
			}
			transfer(t, r, []family{v}, n)
		})
	}
}

// Everything at once: loss, reordering, duplication and corruption. What arrives is what was sent.
func TestTransferBadly(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{wrap: func(rt clock.Runtime, l link.Link) link.Link {
		way := impair.Path{Delay: time.Millisecond, Jitter: time.Millisecond, Loss: 0.01, Reorder: 0.02, Duplicate: 0.02, Corrupt: 0.01}
		return impair.New(rt, l, impair.Config{Egress: way, Ingress: way, Seed: 2})
	}})
	transfer(t, r, families, 2<<20)
}

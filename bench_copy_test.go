package onlink_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkTCPProxy sends over one connection to a proxy, which io.Copy has send it on over another.
func BenchmarkTCPProxy(b *testing.B) {
	client, server := newPair(b, nil)
	in, proxyIn := connect(b, client, server, server4)
	proxyOut, out := connect(b, client, server, server4)
	go func() {
		io.Copy(proxyOut, proxyIn)
		proxyOut.Close()
	}()
	flood(b, in, out)
}

// BenchmarkHTTPFile has net/http serve a file of 16 MiB.
func BenchmarkHTTPFile(b *testing.B) {
	client, server := newPair(b, nil)
	const size = 16 << 20
	name := filepath.Join(b.TempDir(), "file")
	if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
		b.Fatal(err)
	}
	get := fileServer(b, client, server, name)
	b.SetBytes(size)
	for b.Loop() {
		answer := get("")
		if answer.StatusCode != http.StatusOK {
			b.Fatal(answer.Status)
		}
		if n, err := io.Copy(discard{}, answer.Body); n != size || err != nil {
			b.Fatalf("%d octets, %v", n, err)
		}
		answer.Body.Close()
	}
}

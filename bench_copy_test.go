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
	chunk := make([]byte, 64<<10)
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		for range b.N {
			if _, err := in.Write(chunk); err != nil {
				b.Error(err)
				break
			}
		}
		in.Close()
	}()
	if n, err := io.Copy(discard{}, out); err != nil || n != int64(b.N)*int64(len(chunk)) {
		b.Fatalf("received %d octets, %v", n, err)
	}
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

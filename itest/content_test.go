package itest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
)

// content returns n octets that look random and are the same each time.
func content(n int64) io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{'o', 'n'}), n) }

var contentSums sync.Map // n: SHA-256

// contentSum returns the SHA-256 of content(n).
func contentSum(n int64) string {
	if s, ok := contentSums.Load(n); ok {
		return s.(string)
	}
	s, _, _ := sumOf(content(n))
	contentSums.Store(n, s)
	return s
}

// sumOf reads r to its end and returns its SHA-256 and length.
func sumOf(r io.Reader) (sum string, n int64, err error) {
	h := sha256.New()
	n, err = io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), n, err
}

// handler answers GET /n with content(n), and PUT with the SHA-256 of what came.
var handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut {
		sum, _, err := sumOf(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, sum)
		return
	}
	n, err := strconv.ParseInt(r.URL.Path[1:], 10, 64)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Length", r.URL.Path[1:])
	io.Copy(w, content(n))
})

// Package bad does everything a protocol package must not. Each "want" comment is part of what lint says about
// its line; a line without one must pass.
package bad

import (
	"context"
	_ "crypto/rand" // want "import of \"crypto/rand\""
	"hash/maphash"  // want "import of \"hash/maphash\""
	"maps"
	oldrand "math/rand"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	. "time"
	clock "time"
)

var seed maphash.Seed

func realTime() {
	_ = clock.Now()                    // want "time.Now"
	_ = clock.Since(clock.Time{})      // want "time.Since"
	_ = clock.Until(clock.Time{})      // want "time.Until"
	clock.AfterFunc(1, func() {})      // want "time.AfterFunc"
	_ = clock.NewTimer(1)              // want "time.NewTimer"
	_ = clock.NewTicker(1)             // want "time.NewTicker"
	_ = clock.After(1)                 // want "time.After"
	clock.Sleep(1)                     // want "time.Sleep"
	Sleep(1)                           // want "time.Sleep"
	f := clock.Now                     // want "time.Now"
	_ = f().Add(2 * clock.Millisecond) // methods and constants pass
	_ = clock.Date(2000, 1, 1, 0, 0, 0, 0, clock.UTC)
	_ = Unix(0, 0)
}

func contexts(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 1) // want "context.WithTimeout"
	defer cancel()
	context.AfterFunc(ctx, func() {}) // want "context.AfterFunc"
	_, cancel = context.WithCancel(ctx)
	cancel()
}

func goroutines() {
	go realTime() // want "go statement"
	var wg sync.WaitGroup
	wg.Go(realTime) // want "sync.WaitGroup.Go"
	wg.Wait()
	select { // want "select"
	default:
	}
}

func random() {
	_ = rand.IntN(3)  // want "math/rand/v2.IntN"
	_ = rand.N(3)     // want "math/rand/v2.N"
	_ = oldrand.Int() // want "math/rand.Int"
	r := rand.New(rand.NewPCG(1, 2))
	_ = r.IntN(3)
	r.Shuffle(2, func(i, j int) {})
	_ = oldrand.New(oldrand.NewSource(1)).Int()
}

type table map[string]int

func order[M ~map[int]int, K interface{ table }](m map[int]int, t table, g M, k K, s []int) {
	for range m { // want "range over a map"
	}
	for k, v := range t { // want "range over a map"
		_, _ = k, v
	}
	for range g { // want "range over a map"
	}
	for range k { // want "range over a map"
	}
	for range s {
	}
	for range 3 {
	}
	for range maps.Keys(m) { // want "maps.Keys"
	}
	for range slices.Sorted(maps.Keys(m)) {
	}
	for range slices.Sorted[int](maps.Values(m)) {
	}
	for range slices.Collect(maps.Values(m)) { // want "maps.Values"
	}
	var shared sync.Map
	shared.Range(func(k, v any) bool { return true }) // want "sync.Map.Range"
	_ = reflect.ValueOf(m).MapKeys()                  // want "reflect.Value.MapKeys"
	clear(m)
}

func allowed(m map[int]int) (n int) {
	//lint:deterministic because a sum has no order
	for _, v := range m {
		n += v
	}
	go realTime() //lint:deterministic because nobody looks
	//lint:deterministic /* see below */ // want "without a reason"
	go realTime() // want "go statement"
	//lint:deterministic because there was something here once // want "for nothing"
	n++

	return n
}

package tcp

import "testing"

// Withheld is what does not fill a super-packet, unless something asks for it.
func TestWithhold(t *testing.T) {
	send := func(l *loop, n int) {
		t.Helper()
		if k, err := l.a.Send(l.now, make([]byte, n)); k != n || err != nil {
			t.Fatalf("sent %d of %d, %v", k, n, err)
		}
	}
	emit := func(l *loop) (octets int) {
		for l.a.Next(l.now, &l.out) {
			octets += l.out.Len
			octets += l.out.Len * l.a.NextRun(l.now, &l.out, 100)
		}
		return octets
	}
	for _, tt := range []struct {
		name string
		ask  func(l *loop)
		want int
	}{
		{"nothing", func(*loop) {}, 0},
		{"it may go", func(l *loop) { l.a.Withhold(false) }, 3 * 1448},
		{"a FIN", func(l *loop) { l.a.Close(l.now) }, 3 * 1448},
		{"all that is queued", func(l *loop) { l.a.pushQueued() }, 3 * 1448},
		{"urgent data", func(l *loop) { l.a.urg.sending = true }, 3 * 1448},
		{"a super-packet", func(l *loop) { send(l, int(l.a.snd.space.goal)-3*1448) }, 0},
	} {
		l := newLoop(Config{InitialWindow: 200, NoDelay: true})
		if tt.name == "a super-packet" {
			tt.want = int(l.a.snd.space.goal)
		}
		send(l, 5*1448)
		if got := emit(l); got != 5*1448 {
			t.Fatalf("%d octets without Withhold", got)
		}
		send(l, 3*1448)
		l.a.Withhold(true)
		if got := emit(l); got != 0 || !l.a.Withheld() || !l.a.InFlight() {
			t.Errorf("%d octets, withheld: %t", got, l.a.Withheld())
		}
		tt.ask(l)
		if got := emit(l); got != tt.want {
			t.Errorf("%s: %d octets, want %d", tt.name, got, tt.want)
		}
	}
}

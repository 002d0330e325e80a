package vnet

import (
	"testing"

	"github.com/onlink-go/onlink/link"
)

var _ link.Doorbell = (*Doorbell)(nil)

// Whoever rings, before or while somebody waits, ends one wait, and only the one it was armed for.
func TestDoorbell(t *testing.T) {
	d, err := NewDoorbell()
	if err != nil {
		t.Fatal(err)
	}
	d.Ring() // nobody waits
	d.Arm()
	d.Ring()
	d.Ring()
	if !d.Wait() {
		t.Fatal("closed after it was rung before the wait")
	}
	const rounds = 1000
	asked, answered := make(chan int), make(chan int)
	go func() {
		for i := range rounds {
			d.Arm()
			asked <- i
			if !d.Wait() {
				t.Error("closed")
			}
			answered <- i
		}
		close(answered)
	}()
	for i := range rounds {
		<-asked
		select {
		case <-answered:
			t.Fatalf("wait %d has ended before it was rung", i)
		default:
		}
		d.Ring()
		if n := <-answered; n != i {
			t.Fatalf("wait %d has ended instead of %d", n, i)
		}
	}
}

// Close ends the wait under way, and those after it. Ringing does no harm then: the descriptor may be another file's.
func TestDoorbellClose(t *testing.T) {
	d, err := NewDoorbell()
	if err != nil {
		t.Fatal(err)
	}
	waiting, ended := make(chan bool), make(chan bool)
	go func() {
		d.Arm()
		close(waiting)
		ended <- d.Wait()
	}()
	<-waiting
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if <-ended {
		t.Error("a wait that Close ends says that it was rung")
	}
	d.Ring()
	d.Arm()
	d.Ring()
	if d.Wait() {
		t.Error("it waits after Close")
	}
}

func TestDoorbellAllocatesNothing(t *testing.T) {
	d, err := NewDoorbell()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if n := testing.AllocsPerRun(100, func() {
		d.Arm()
		d.Ring()
		d.Wait()
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

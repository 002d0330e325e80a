package impair

import (
	"fmt"
	"time"

	"github.com/onlink-go/onlink/clock"
	"github.com/onlink-go/onlink/packet"
)

// Defaults of Path.
const (
	DefaultQueue    = 256
	DefaultInFlight = 1 << 16
)

// Path says how frames fare in one direction. The zero Path passes everything on at once.
type Path struct {
	// Rate is how many bits a second the line carries, counting each frame's octets from the link header to its
	// end; 0: no limit. It is exact in the long run: fractions of a nanosecond are carried over.
	Rate int64
	// Queue is how many frames wait for the line at most, besides the one being sent; the next is lost (tail
	// drop). 0: DefaultQueue. It matters only with a Rate.
	Queue int

	// Delay is how long a frame takes after it has left the line.
	Delay time.Duration
	// Jitter varies the Delay evenly between Delay-Jitter and Delay+Jitter, never below 0. It does not
	// reorder: a frame that would overtake the one before it arrives right behind it.
	Jitter time.Duration
	// InFlight is how many frames may be under way at most, waiting ones included; 0: DefaultInFlight. What is
	// more stays with the sender on the way out, and is lost on the way in.
	InFlight int

	// Loss, Reorder, Duplicate and Corrupt are the probabilities, from 0 to 1, that a frame
	//   - is lost on the line, having taken its time there;
	//   - skips the Delay and so overtakes those under way, or, if there is no Delay to skip, is held back for
	//     a millisecond while others overtake it;
	//   - arrives twice, the copy right behind it;
	//   - has one bit flipped, any one behind the link header.
	Loss, Reorder, Duplicate, Corrupt float64

	// Burst, if not 0, makes the Loss come in bursts of so many frames in the mean, at least 1 (Gilbert's model: a line
	// that is good or bad, and loses every frame while it is bad). The share of lost frames is Loss all the same.
	Burst float64
}

// Config says how a Link treats its frames.
type Config struct {
	Egress  Path // from Send to the device
	Ingress Path // from the device to Deliver

	// Seed makes the choices repeatable: the same frames at the same instants fare the same. 0: from
	// Runtime.Entropy.
	Seed uint64

	// Observe, if not nil, is told of each frame that fares badly. It is called with a lock held: it must be
	// quick, must not block and must not call the Link. e and its Packet are good until it returns.
	Observe func(e *Event)
}

// Check returns an error that names the first value that makes no sense, or nil.
func (c *Config) Check() error {
	if err := c.Egress.check("egress"); err != nil {
		return err
	}
	return c.Ingress.check("ingress")
}

func (p *Path) check(name string) error {
	for _, v := range []struct {
		what  string
		value float64
	}{{"loss", p.Loss}, {"reorder", p.Reorder}, {"duplicate", p.Duplicate}, {"corrupt", p.Corrupt}} {
		if !(v.value >= 0 && v.value <= 1) {
			return fmt.Errorf("impair: %s %s %v is not a probability from 0 to 1", name, v.what, v.value)
		}
	}
	for _, v := range []struct {
		what  string
		value int64
	}{{"rate", p.Rate}, {"delay", int64(p.Delay)}, {"jitter", int64(p.Jitter)},
		{"queue", int64(p.Queue)}, {"number of frames in flight", int64(p.InFlight)}} {
		if v.value < 0 {
			return fmt.Errorf("impair: %s %s is negative", name, v.what)
		}
	}
	if p.Burst != 0 && !(p.Burst >= 1 && p.Loss/(1-p.Loss) <= p.Burst) {
		return fmt.Errorf("impair: %s loss %v cannot come in bursts of %v frames in the mean", name, p.Loss, p.Burst)
	}
	return nil
}

// Direction is Egress or Ingress.
type Direction uint8

// The directions.
const (
	Egress Direction = iota
	Ingress
)

// String returns "egress" or "ingress".
func (d Direction) String() string {
	if d == Ingress {
		return "ingress"
	}
	return "egress"
}

// Kind says how a frame fared.
type Kind uint8

// The kinds.
const (
	Lost       Kind = iota // by Loss
	QueueFull              // lost: the queue in front of the line was full
	Overflow               // lost: too many frames under way
	Reordered              // will overtake, or be overtaken
	Duplicated             // will arrive twice
	Corrupted              // Packet shows the flipped bit
)

var kinds = [...]string{"lost", "queue full", "overflow", "reordered", "duplicated", "corrupted"}

// String returns the kind in words.
func (k Kind) String() string { return kinds[k] }

// Event is one frame that fares badly, at the instant it was sent on its way.
type Event struct {
	At        clock.Instant
	Direction Direction
	Kind      Kind
	Packet    *packet.Buffer // the frame; borrowed
}

// Stats counts the frames of one direction.
type Stats struct {
	Frames, Octets uint64 // that came, to be passed on or not
	Lost           uint64
	QueueFull      uint64
	Overflow       uint64
	Reordered      uint64
	Duplicated     uint64
	Corrupted      uint64
	InFlight       int // under way now
}

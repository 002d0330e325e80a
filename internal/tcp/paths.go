package tcp

import "github.com/onlink-go/onlink/clock"

// Path is something that loss recovery or congestion control can come to do: how a loss was detected, how the window was
// reduced, why that was taken back. The observer is told of each, and an Episode names those that began and undid it.
type Path uint8

// The paths. Those up to pathDetects find losses or congestion.
const (
	PathNone Path = iota
	PathDupACKs
	PathPartialACK
	PathDupThresh
	PathRACKDupThresh
	PathRACK
	PathRACKTimer
	PathLostAgain
	PathProbeRepaired
	PathTimeout
	PathTimeoutAgain
	PathReneged
	PathSmallerMTU
	PathMTUBlackHole
	PathECNEcho
	pathDetects // what follows detects nothing
)

// The other paths.
const (
	PathLimitedTransmit = pathDetects + iota
	PathReordering
	PathRACKWiderWindow
	PathProbeNewData
	PathProbeAgain
	PathProbeSuperfluous
	PathRenegingAwaited
	PathThinLinear
	PathFRTONewData
	PathFRTOImpossible
	PathFRTOReal
	PathFRTOSpurious
	PathFRTOSpuriousSACK
	PathEifel
	PathEifelPartial
	PathEifelTimeout
	PathDSACK
	PathDSACKTimeout
	PathPRRProportional
	PathPRRConservative
	PathPRRSlowStart
	PathPRRForced
	PathABE
	PathWindowProbe
	PathWindowTimeout
	PathMTUDelivered
	PathMTULost
	PathMTUInconclusive
	PathBackoffUndone
	PathCSS
	PathCSSResumed
	PathCSSDone
	PathHyStartLinux
	PathRestart
	PathDecay
	NumPaths
)

// paths tells what each path is called, and where it is specified.
var paths = [NumPaths]struct{ name, source string }{
	PathNone:             {"none", ""},
	PathDupACKs:          {"three duplicate ACKs", "RFC 5681, 3.2"},
	PathPartialACK:       {"partial acknowledgment", "RFC 6582, 3.2"},
	PathDupThresh:        {"DupThresh segments sacked", "RFC 6675, 4"},
	PathRACKDupThresh:    {"RACK with DupThresh", "RFC 8985, 6.2, step 4"},
	PathRACK:             {"RACK", "RFC 8985, 6.2, step 5"},
	PathRACKTimer:        {"RACK reordering timer", "RFC 8985, 6.2, step 5"},
	PathLostAgain:        {"retransmission lost", "RFC 8985, 3.2"},
	PathProbeRepaired:    {"loss repaired by the loss probe", "RFC 8985, 7.4.2"},
	PathTimeout:          {"retransmission timeout", "RFC 6298, 5.4"},
	PathTimeoutAgain:     {"retransmission timeout with back-off", "RFC 6298, 5.5"},
	PathReneged:          {"SACK reneging", "RFC 2018, 8"},
	PathSmallerMTU:       {"smaller path MTU", "RFC 1191, 6.4"},
	PathMTUBlackHole:     {"path MTU black hole", "RFC 4821, 7.7"},
	PathECNEcho:          {"congestion mark", "RFC 3168, 6.1.2"},
	PathLimitedTransmit:  {"Limited Transmit", "RFC 3042, 2"},
	PathReordering:       {"reordering seen", "RFC 8985, 6.2, step 3"},
	PathRACKWiderWindow:  {"RACK window widened by a DSACK", "RFC 8985, 6.2, step 4"},
	PathProbeNewData:     {"loss probe of new data", "RFC 8985, 7.3"},
	PathProbeAgain:       {"loss probe that retransmits", "RFC 8985, 7.3"},
	PathProbeSuperfluous: {"loss probe was superfluous", "RFC 8985, 7.4.2"},
	PathRenegingAwaited:  {"SACK reneging suspected", "RFC 2018, 8"},
	PathThinLinear:       {"timeout without back-off", "RFC 6298, 5.5"},
	PathFRTONewData:      {"F-RTO sends new data", "RFC 5682, 2.1, step 2b"},
	PathFRTOImpossible:   {"F-RTO without new data", "RFC 5682, 2.1, step 2b"},
	PathFRTOReal:         {"F-RTO finds the timeout needed", "RFC 5682, 2.1, step 3a"},
	PathFRTOSpurious:     {"F-RTO finds the timeout spurious", "RFC 5682, 2.1, step 3b"},
	PathFRTOSpuriousSACK: {"F-RTO with SACK finds the timeout spurious", "RFC 5682, 3.1, step 3b"},
	PathEifel:            {"undo by timestamps", "RFC 4015, 3.2"},
	PathEifelPartial:     {"undo by timestamps at a partial ACK", "RFC 4015, 3.2"},
	PathEifelTimeout:     {"undo of a timeout by timestamps", "RFC 4015, 3.2"},
	PathDSACK:            {"undo by DSACKs", "RFC 3708, 2"},
	PathDSACKTimeout:     {"undo of a timeout by DSACKs", "RFC 3708, 2"},
	PathPRRProportional:  {"PRR, proportional", "RFC 9937, 6.2"},
	PathPRRConservative:  {"PRR-CRB", "RFC 9937, 6.2"},
	PathPRRSlowStart:     {"PRR-SSRB", "RFC 9937, 6.2"},
	PathPRRForced:        {"PRR forces a fast retransmit", "RFC 9937, 6.2"},
	PathABE:              {"ABE", "RFC 8511, 3"},
	PathWindowProbe:      {"zero-window probe", "RFC 9293, 3.8.6.1"},
	PathWindowTimeout:    {"timeout with a closed window", "RFC 9293, 3.8.6.1"},
	PathMTUDelivered:     {"path MTU probe delivered", "RFC 4821, 7.6.1"},
	PathMTULost:          {"path MTU probe lost", "RFC 4821, 7.6.2"},
	PathMTUInconclusive:  {"path MTU probe inconclusive", "RFC 4821, 7.6.4"},
	PathBackoffUndone:    {"back-off undone by an ICMP error", "RFC 6069, 4.2"},
	PathCSS:              {"conservative slow start", "RFC 9406, 4.2"},
	PathCSSResumed:       {"slow start resumed", "RFC 9406, 4.2"},
	PathCSSDone:          {"slow start ended by HyStart++", "RFC 9406, 4.2"},
	PathHyStartLinux:     {"slow start ended by Linux's HyStart", ""},
	PathRestart:          {"window reduced after idle time", "RFC 5681, 4.1"},
	PathDecay:            {"unused window reduced", "RFC 7661, 4.4.3"},
}

func (p Path) String() string { return paths[p].name }

// Source returns the section that specifies p; "": no RFC does.
func (p Path) Source() string { return paths[p].source }

// Detects reports whether p finds a loss or congestion.
func (p Path) Detects() bool { return p != PathNone && p < pathDetects }

// Undoes reports whether p takes a reduction of the window back.
func (p Path) Undoes() bool {
	return p == PathFRTOSpurious || p == PathFRTOSpuriousSACK || p >= PathEifel && p <= PathDSACKTimeout
}

// note tells that recovery took a path, which concerns n segments.
func (c *TCB) note(now clock.Instant, p Path, n int) {
	if p < pathDetects {
		c.recovery.trigger = p
	}
	if c.observer != nil {
		c.observer.Path(now, p, n)
	}
}

// onceBits are the paths that many ACKs of an episode may take.
var onceBits = [NumPaths]uint8{PathLimitedTransmit: 1, PathReordering: 2, PathPRRProportional: 4, PathPRRConservative: 8,
	PathPRRSlowStart: 16, PathPRRForced: 32}

// noteOnce is note for a path that many ACKs of an episode may take: the first one tells.
func (c *TCB) noteOnce(now clock.Instant, p Path) {
	if bit := onceBits[p]; c.recovery.noted&bit == 0 {
		c.recovery.noted |= bit
		c.note(now, p, 0)
	}
}

// note has the connection tell of a path that the congestion control took.
func (s *Sender) note(p Path) { s.noted = p }

// noteControl tells of what the congestion control has noted.
func (c *TCB) noteControl(now clock.Instant) {
	if p := c.cw.noted; p != PathNone {
		c.cw.noted = PathNone
		c.note(now, p, 0)
	}
}

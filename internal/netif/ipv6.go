package netif

import "time"

// AddrGenMode says how the interface identifiers of addresses that are not temporary are made; the numbers are those of
// Linux's addr_gen_mode.
type AddrGenMode uint8

// The modes.
const (
	EUI64  AddrGenMode = iota // from the link-layer address (RFC 4291, appendix A; RFC 2464, 4)
	NoIID                     // no link-local address is formed; others as with EUI64
	Stable                    // from a secret, different for each prefix (RFC 7217)
	Random                    // like Stable, with a secret that nobody keeps
)

// Secret is the secret_key of RFC 7217: "The secret key SHOULD be of at least 128 bits." Zero: none.
type Secret [16]byte

// IPv6 is how a host speaks IPv6 on an interface: what Linux has under net.ipv6.conf, whose name is behind each field.
// NewIPv6 has the defaults.
type IPv6 struct {
	Disable     bool        // disable_ipv6
	AddrGenMode AddrGenMode // addr_gen_mode
	Secret      Secret      // stable_secret

	// Duplicate address detection (RFC 4862, 5.4).
	AcceptDAD     int  // accept_dad: 0: none; 1; 2: where it fails for an address made of the hardware's, no IPv6
	DADTransmits  int  // dad_transmits: DupAddrDetectTransmits
	OptimisticDAD bool // optimistic_dad: addresses that were not configured are usable meanwhile (RFC 4429)

	// Router Advertisements (RFC 4861, 6.3).
	AcceptRA         int           // accept_ra: 0: no; 1: unless it forwards; 2: yes
	FromLocal        bool          // accept_ra_from_local: those of our own, too
	DefaultRouters   bool          // accept_ra_defrtr
	RouterPreference bool          // accept_ra_rtr_pref
	RouterMetric     int           // ra_defrtr_metric
	RoutePrefixMin   int           // accept_ra_rt_info_min_plen: bits of the prefix in Route Information options
	RoutePrefixMax   int           // accept_ra_rt_info_max_plen; negative: the options are ignored
	PrefixInfo       bool          // accept_ra_pinfo
	LinkMTU          bool          // accept_ra_mtu
	MinHopLimit      int           // accept_ra_min_hop_limit: the least that an advertisement can set
	MinLifetime      time.Duration // accept_ra_min_lft: shorter lifetimes, but zero, are not believed

	// Router Solicitations (RFC 4861, 6.3.7; RFC 7559).
	Solicitations       int           // router_solicitations: at most; 0: none; negative: without end
	SolicitInterval     time.Duration // router_solicitation_interval: IRT
	SolicitMaxInterval  time.Duration // router_solicitation_max_interval: MRT
	SolicitInitialDelay time.Duration // router_solicitation_delay: MAX_RTR_SOLICITATION_DELAY

	// Autoconfigured addresses (RFC 4862, 5.5; RFC 8981).
	Autoconf      bool          // autoconf
	MaxAddresses  int           // max_addresses: that are formed by the interface itself; 0: any number
	TempAddr      int           // use_tempaddr: temporary addresses: <= 0: none; 1: used where asked for; > 1: preferred
	TempValid     time.Duration // temp_valid_lft: TEMP_VALID_LIFETIME
	TempPreferred time.Duration // temp_prefered_lft: TEMP_PREFERRED_LIFETIME
	MaxDesync     time.Duration // max_desync_factor: MAX_DESYNC_FACTOR; negative: 0.4 * TEMP_PREFERRED_LIFETIME
	TempRetries   int           // regen_max_retry: TEMP_IDGEN_RETRIES
	RegenMargin   time.Duration // regen_min_advance: the part of REGEN_ADVANCE that is constant

	// ProxyNDP: a router answers solicitations for the addresses that it is a proxy for (proxy_ndp; RFC 4861, 7.2.8).
	ProxyNDP bool

	// What advertisements change of the interface.
	HopLimit int // hop_limit: of packets sent; 0: the stack's
	MTU      int // mtu: of IPv6 packets; 0: the interface's
}

// NewIPv6 returns the defaults: Linux's, except where an RFC has others.
func NewIPv6() IPv6 {
	return IPv6{
		// RFC 4862, 5.4.5: "If the address is a link-local address formed from an interface identifier based on the
		// hardware address … IP operation on the interface SHOULD be disabled."
		AcceptDAD:        2,
		DADTransmits:     1,
		AcceptRA:         1,
		DefaultRouters:   true,
		RouterPreference: true,
		RouterMetric:     1024,
		RoutePrefixMax:   128, // RFC 4191, 3.1: a type C host
		PrefixInfo:       true,
		LinkMTU:          true,
		MinHopLimit:      1,
		// RFC 7559, 2: "IRT (Initial Retransmission Time): 4 seconds; MRT (Maximum Retransmission Time): 3600 seconds;
		// MRC (Maximum Retransmission Count): 0".
		Solicitations:       -1,
		SolicitInterval:     4 * time.Second,
		SolicitMaxInterval:  time.Hour,
		SolicitInitialDelay: time.Second,
		Autoconf:            true,
		MaxAddresses:        16,
		// RFC 8981, 3.8.
		TempValid:     48 * time.Hour,
		TempPreferred: 24 * time.Hour,
		MaxDesync:     -1,
		TempRetries:   3,
		RegenMargin:   2 * time.Second,
	}
}

// Desync returns MAX_DESYNC_FACTOR. RFC 8981, 3.8: "0.4 * TEMP_PREFERRED_LIFETIME. Upper bound on DESYNC_FACTOR."
func (c *IPv6) Desync() time.Duration {
	if c.MaxDesync < 0 {
		return c.TempPreferred * 2 / 5
	}
	return c.MaxDesync
}

// Forms reports how interface identifiers are made: a secret speaks for itself, as in Linux.
func (c *IPv6) Forms() AddrGenMode {
	if c.AddrGenMode == EUI64 && c.Secret != (Secret{}) {
		return Stable
	}
	return c.AddrGenMode
}

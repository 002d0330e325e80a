package mib

// Counter names one counter. The names are those of Linux's nstat, which follow the MIB objects.
type Counter uint16

// The counters.
const (
	IpInReceives Counter = iota // RFC 4293 ipSystemStats, IPv4
	IpInHdrErrors
	IpInAddrErrors
	IpForwDatagrams
	IpInUnknownProtos
	IpInDiscards
	IpInDelivers
	IpOutRequests
	IpOutDiscards
	IpOutNoRoutes
	IpReasmTimeout
	IpReasmReqds
	IpReasmOKs
	IpReasmFails
	IpFragOKs
	IpFragFails
	IpFragCreates

	Ip6InReceives // the same for IPv6
	Ip6InHdrErrors
	Ip6InAddrErrors
	Ip6OutForwDatagrams
	Ip6InUnknownProtos
	Ip6InDiscards
	Ip6InDelivers
	Ip6OutRequests
	Ip6OutDiscards
	Ip6OutNoRoutes
	Ip6ReasmTimeout
	Ip6ReasmReqds
	Ip6ReasmOKs
	Ip6ReasmFails
	Ip6FragOKs
	Ip6FragFails
	Ip6FragCreates

	IcmpInMsgs // RFC 4293 icmpStats
	IcmpInErrors
	IcmpInCsumErrors
	IcmpInDestUnreachs
	IcmpInTimeExcds
	IcmpInParmProbs
	IcmpInEchos
	IcmpInEchoReps
	IcmpInTimestamps
	IcmpInTimestampReps
	IcmpOutMsgs
	IcmpOutRateLimited
	IcmpInRedirects
	IcmpOutRedirects
	IcmpOutDestUnreachs
	IcmpOutTimeExcds
	IcmpOutParmProbs
	IcmpOutEchos
	IcmpOutEchoReps
	IcmpOutTimestamps
	IcmpOutTimestampReps

	Icmp6InMsgs
	Icmp6InErrors
	Icmp6InCsumErrors
	Icmp6InDestUnreachs
	Icmp6InPktTooBigs
	Icmp6InTimeExcds
	Icmp6InParmProblems
	Icmp6InEchos
	Icmp6InEchoReplies
	Icmp6InRouterSolicits
	Icmp6InRouterAdvertisements
	Icmp6InNeighborSolicits
	Icmp6InNeighborAdvertisements
	Icmp6InRedirects
	Icmp6OutMsgs
	Icmp6OutRateLimited
	Icmp6RALimited      // what advertisements told and there was no room for: routers, routes, prefixes, addresses, name servers
	Icmp6RAInconsistent // advertisements of other routers that contradict ours
	Icmp6OutRouterAdvertisements
	Icmp6OutRedirects
	Icmp6OutDestUnreachs
	Icmp6OutPktTooBigs
	Icmp6OutTimeExcds
	Icmp6OutParmProblems
	Icmp6OutEchos
	Icmp6OutEchoReplies
	Icmp6OutNeighborSolicits
	Icmp6OutNeighborAdvertisements

	ArpInRequests
	ArpInReplies
	ArpInConflicts // from another station with an address of ours (RFC 5227, 2.4)
	ArpOutRequests
	ArpOutReplies

	UdpInDatagrams // RFC 4113
	UdpNoPorts
	UdpInErrors
	UdpOutDatagrams
	UdpRcvbufErrors
	UdpInCsumErrors

	TcpActiveOpens // RFC 4022
	TcpPassiveOpens
	TcpAttemptFails
	TcpEstabResets
	TcpInSegs
	TcpOutSegs
	TcpRetransSegs
	TcpInErrs
	TcpOutRsts
	TcpInCsumErrors
	TcpExtIPReversePathFilter
	TcpExtListenOverflows
	TcpExtListenDrops
	TcpExtTCPReqQFullDoCookies
	TcpExtTCPReqQFullDrop
	TcpExtSyncookiesSent
	TcpExtSyncookiesRecv
	TcpExtSyncookiesFailed
	TcpExtEmbryonicRsts
	TcpExtTCPDeferAcceptDrop
	TcpExtTW
	TcpExtTWRecycled
	TcpExtTWKilled
	TcpExtTCPTimeWaitOverflow
	TcpExtTCPAbortOnMemory
	TcpExtTCPFastOpenActive
	TcpExtTCPFastOpenActiveFail
	TcpExtTCPFastOpenPassive
	TcpExtTCPFastOpenPassiveFail
	TcpExtTCPFastOpenListenOverflow
	TcpExtTCPFastOpenCookieReqd
	TcpExtTCPFastOpenBlackhole
	TcpExtTCPFastOpenPassiveAltKey
	TcpExtTCPChallengeACK
	TcpExtOutOfWindowIcmps
	TcpExtTCPTimeouts
	TcpExtTCPFastRetrans
	TcpExtTCPMinTTLDrop
	TcpExtTCPLostRetransmit
	TcpExtTCPLossProbes
	TcpExtTCPLossProbeRecovery
	TcpExtTCPSACKReneging
	TcpExtTCPSpuriousRTOs
	TcpExtTCPFullUndo
	TcpExtTCPPartialUndo
	TcpExtTCPLossUndo
	TcpExtTCPDSACKUndo
	TcpExtTCPMTUPSuccess
	TcpExtTCPMTUPFail

	numCounters

	none = numCounters // a drop reason that no MIB counter covers
)

var counters = [numCounters]string{
	IpInReceives: "IpInReceives", IpInHdrErrors: "IpInHdrErrors", IpInAddrErrors: "IpInAddrErrors",
	IpForwDatagrams: "IpForwDatagrams", IpInUnknownProtos: "IpInUnknownProtos", IpInDiscards: "IpInDiscards",
	IpInDelivers: "IpInDelivers", IpOutRequests: "IpOutRequests", IpOutDiscards: "IpOutDiscards",
	IpOutNoRoutes: "IpOutNoRoutes", IpReasmTimeout: "IpReasmTimeout", IpReasmReqds: "IpReasmReqds",
	IpReasmOKs: "IpReasmOKs", IpReasmFails: "IpReasmFails", IpFragOKs: "IpFragOKs", IpFragFails: "IpFragFails",
	IpFragCreates: "IpFragCreates",

	Ip6InReceives: "Ip6InReceives", Ip6InHdrErrors: "Ip6InHdrErrors", Ip6InAddrErrors: "Ip6InAddrErrors",
	Ip6OutForwDatagrams: "Ip6OutForwDatagrams", Ip6InUnknownProtos: "Ip6InUnknownProtos",
	Ip6InDiscards: "Ip6InDiscards", Ip6InDelivers: "Ip6InDelivers", Ip6OutRequests: "Ip6OutRequests",
	Ip6OutDiscards: "Ip6OutDiscards", Ip6OutNoRoutes: "Ip6OutNoRoutes", Ip6ReasmTimeout: "Ip6ReasmTimeout",
	Ip6ReasmReqds: "Ip6ReasmReqds", Ip6ReasmOKs: "Ip6ReasmOKs", Ip6ReasmFails: "Ip6ReasmFails",
	Ip6FragOKs: "Ip6FragOKs", Ip6FragFails: "Ip6FragFails", Ip6FragCreates: "Ip6FragCreates",

	IcmpInMsgs: "IcmpInMsgs", IcmpInErrors: "IcmpInErrors", IcmpInCsumErrors: "IcmpInCsumErrors",
	IcmpInDestUnreachs: "IcmpInDestUnreachs", IcmpInTimeExcds: "IcmpInTimeExcds",
	IcmpInParmProbs: "IcmpInParmProbs", IcmpInEchos: "IcmpInEchos", IcmpInEchoReps: "IcmpInEchoReps",
	IcmpOutMsgs: "IcmpOutMsgs", IcmpOutRateLimited: "IcmpOutRateLimited",
	IcmpInRedirects: "IcmpInRedirects", IcmpOutRedirects: "IcmpOutRedirects",
	IcmpOutDestUnreachs: "IcmpOutDestUnreachs", IcmpOutTimeExcds: "IcmpOutTimeExcds",
	IcmpOutParmProbs: "IcmpOutParmProbs",
	IcmpInTimestamps: "IcmpInTimestamps", IcmpInTimestampReps: "IcmpInTimestampReps",
	IcmpOutTimestamps: "IcmpOutTimestamps", IcmpOutTimestampReps: "IcmpOutTimestampReps", IcmpOutEchos: "IcmpOutEchos", IcmpOutEchoReps: "IcmpOutEchoReps",

	Icmp6InMsgs: "Icmp6InMsgs", Icmp6InErrors: "Icmp6InErrors", Icmp6InCsumErrors: "Icmp6InCsumErrors",
	Icmp6InDestUnreachs: "Icmp6InDestUnreachs", Icmp6InPktTooBigs: "Icmp6InPktTooBigs",
	Icmp6InTimeExcds: "Icmp6InTimeExcds", Icmp6InParmProblems: "Icmp6InParmProblems",
	Icmp6InEchos: "Icmp6InEchos", Icmp6InEchoReplies: "Icmp6InEchoReplies",
	Icmp6InRouterSolicits: "Icmp6InRouterSolicits", Icmp6InRouterAdvertisements: "Icmp6InRouterAdvertisements",
	Icmp6InNeighborSolicits: "Icmp6InNeighborSolicits", Icmp6InNeighborAdvertisements: "Icmp6InNeighborAdvertisements",
	Icmp6InRedirects: "Icmp6InRedirects", Icmp6OutMsgs: "Icmp6OutMsgs", Icmp6OutRateLimited: "Icmp6OutRateLimited", Icmp6RALimited: "Icmp6RALimited",
	Icmp6RAInconsistent: "Icmp6RAInconsistent", Icmp6OutRouterAdvertisements: "Icmp6OutRouterAdvertisements", Icmp6OutRedirects: "Icmp6OutRedirects",
	Icmp6OutDestUnreachs: "Icmp6OutDestUnreachs", Icmp6OutPktTooBigs: "Icmp6OutPktTooBigs",
	Icmp6OutTimeExcds: "Icmp6OutTimeExcds", Icmp6OutParmProblems: "Icmp6OutParmProblems",
	Icmp6OutEchos: "Icmp6OutEchos", Icmp6OutEchoReplies: "Icmp6OutEchoReplies",
	Icmp6OutNeighborSolicits:       "Icmp6OutNeighborSolicits",
	Icmp6OutNeighborAdvertisements: "Icmp6OutNeighborAdvertisements",

	ArpInRequests: "ArpInRequests", ArpInReplies: "ArpInReplies", ArpInConflicts: "ArpInConflicts",
	ArpOutRequests: "ArpOutRequests", ArpOutReplies: "ArpOutReplies",

	UdpInDatagrams: "UdpInDatagrams", UdpNoPorts: "UdpNoPorts", UdpInErrors: "UdpInErrors",
	UdpOutDatagrams: "UdpOutDatagrams", UdpRcvbufErrors: "UdpRcvbufErrors", UdpInCsumErrors: "UdpInCsumErrors",

	TcpActiveOpens: "TcpActiveOpens", TcpPassiveOpens: "TcpPassiveOpens", TcpAttemptFails: "TcpAttemptFails",
	TcpEstabResets: "TcpEstabResets", TcpInSegs: "TcpInSegs", TcpOutSegs: "TcpOutSegs",
	TcpRetransSegs: "TcpRetransSegs", TcpInErrs: "TcpInErrs", TcpOutRsts: "TcpOutRsts",
	TcpInCsumErrors: "TcpInCsumErrors", TcpExtIPReversePathFilter: "TcpExtIPReversePathFilter", TcpExtListenOverflows: "TcpExtListenOverflows",
	TcpExtListenDrops: "TcpExtListenDrops", TcpExtTCPReqQFullDoCookies: "TcpExtTCPReqQFullDoCookies",
	TcpExtTCPReqQFullDrop: "TcpExtTCPReqQFullDrop", TcpExtSyncookiesSent: "TcpExtSyncookiesSent",
	TcpExtSyncookiesRecv: "TcpExtSyncookiesRecv", TcpExtSyncookiesFailed: "TcpExtSyncookiesFailed",
	TcpExtEmbryonicRsts: "TcpExtEmbryonicRsts", TcpExtTCPDeferAcceptDrop: "TcpExtTCPDeferAcceptDrop",
	TcpExtTW: "TcpExtTW", TcpExtTWRecycled: "TcpExtTWRecycled", TcpExtTWKilled: "TcpExtTWKilled",
	TcpExtTCPTimeWaitOverflow: "TcpExtTCPTimeWaitOverflow", TcpExtTCPAbortOnMemory: "TcpExtTCPAbortOnMemory",
	TcpExtTCPFastOpenActive: "TcpExtTCPFastOpenActive", TcpExtTCPFastOpenActiveFail: "TcpExtTCPFastOpenActiveFail",
	TcpExtTCPFastOpenPassive: "TcpExtTCPFastOpenPassive", TcpExtTCPFastOpenPassiveFail: "TcpExtTCPFastOpenPassiveFail",
	TcpExtTCPFastOpenListenOverflow: "TcpExtTCPFastOpenListenOverflow",
	TcpExtTCPFastOpenCookieReqd:     "TcpExtTCPFastOpenCookieReqd",
	TcpExtTCPFastOpenBlackhole:      "TcpExtTCPFastOpenBlackhole",
	TcpExtTCPFastOpenPassiveAltKey:  "TcpExtTCPFastOpenPassiveAltKey",
	TcpExtTCPChallengeACK:           "TcpExtTCPChallengeACK", TcpExtOutOfWindowIcmps: "TcpExtOutOfWindowIcmps",
	TcpExtTCPTimeouts: "TcpExtTCPTimeouts", TcpExtTCPFastRetrans: "TcpExtTCPFastRetrans", TcpExtTCPMinTTLDrop: "TcpExtTCPMinTTLDrop",
	TcpExtTCPLostRetransmit:    "TcpExtTCPLostRetransmit",
	TcpExtTCPLossProbes:        "TcpExtTCPLossProbes",
	TcpExtTCPLossProbeRecovery: "TcpExtTCPLossProbeRecovery",
	TcpExtTCPSACKReneging:      "TcpExtTCPSACKReneging",
	TcpExtTCPSpuriousRTOs:      "TcpExtTCPSpuriousRTOs",
	TcpExtTCPFullUndo:          "TcpExtTCPFullUndo",
	TcpExtTCPPartialUndo:       "TcpExtTCPPartialUndo",
	TcpExtTCPLossUndo:          "TcpExtTCPLossUndo",
	TcpExtTCPDSACKUndo:         "TcpExtTCPDSACKUndo",
	TcpExtTCPMTUPSuccess:       "TcpExtTCPMTUPSuccess",
	TcpExtTCPMTUPFail:          "TcpExtTCPMTUPFail",
}

package socket

// Families, and types with the flags of socket and accept4.
const (
	AF_UNSPEC = 0
	AF_INET   = 2
	AF_INET6  = 10
	AF_PACKET = 17

	SOCK_STREAM    = 1
	SOCK_DGRAM     = 2
	SOCK_RAW       = 3
	SOCK_TYPE_MASK = 0xf
	SOCK_NONBLOCK  = 0o4000
	SOCK_CLOEXEC   = 0o2000000

	IPPROTO_IP     = 0
	IPPROTO_ICMP   = 1
	IPPROTO_TCP    = 6
	IPPROTO_UDP    = 17
	IPPROTO_IPV6   = 41
	IPPROTO_ICMPV6 = 58
	IPPROTO_RAW    = 255
)

// What Shutdown takes.
const (
	SHUT_RD   = 0
	SHUT_WR   = 1
	SHUT_RDWR = 2
)

// Flags of Recvmsg and Sendmsg.
const (
	MSG_OOB          = 0x1
	MSG_PEEK         = 0x2
	MSG_DONTROUTE    = 0x4
	MSG_CTRUNC       = 0x8
	MSG_TRUNC        = 0x20
	MSG_DONTWAIT     = 0x40
	MSG_EOR          = 0x80
	MSG_WAITALL      = 0x100
	MSG_CONFIRM      = 0x800
	MSG_ERRQUEUE     = 0x2000
	MSG_NOSIGNAL     = 0x4000
	MSG_MORE         = 0x8000
	MSG_ZEROCOPY     = 0x4000000
	MSG_FASTOPEN     = 0x20000000
	MSG_CMSG_CLOEXEC = 0x40000000
)

// Options of level SOL_SOCKET.
const (
	SOL_SOCKET = 1

	SO_DEBUG            = 1
	SO_REUSEADDR        = 2
	SO_TYPE             = 3
	SO_ERROR            = 4
	SO_DONTROUTE        = 5
	SO_BROADCAST        = 6
	SO_SNDBUF           = 7
	SO_RCVBUF           = 8
	SO_KEEPALIVE        = 9
	SO_OOBINLINE        = 10
	SO_NO_CHECK         = 11
	SO_PRIORITY         = 12
	SO_LINGER           = 13
	SO_BSDCOMPAT        = 14
	SO_REUSEPORT        = 15
	SO_PASSCRED         = 16
	SO_PEERCRED         = 17
	SO_RCVLOWAT         = 18
	SO_SNDLOWAT         = 19
	SO_RCVTIMEO         = 20
	SO_SNDTIMEO         = 21
	SO_BINDTODEVICE     = 25
	SO_ATTACH_FILTER    = 26
	SO_DETACH_FILTER    = 27
	SO_TIMESTAMP        = 29
	SO_ACCEPTCONN       = 30
	SO_SNDBUFFORCE      = 32
	SO_RCVBUFFORCE      = 33
	SO_TIMESTAMPNS      = 35
	SO_MARK             = 36
	SO_TIMESTAMPING     = 37
	SO_PROTOCOL         = 38
	SO_DOMAIN           = 39
	SO_RXQ_OVFL         = 40
	SO_BUSY_POLL        = 46
	SO_MAX_PACING_RATE  = 47
	SO_INCOMING_CPU     = 49
	SO_INCOMING_NAPI_ID = 56
	SO_COOKIE           = 57
	SO_ZEROCOPY         = 60
	SO_TXTIME           = 61
	SO_BINDTOIFINDEX    = 62
	SO_TIMESTAMP_NEW    = 63
	SO_TIMESTAMPNS_NEW  = 64
	SO_TIMESTAMPING_NEW = 65
	SO_RCVTIMEO_NEW     = 66
	SO_SNDTIMEO_NEW     = 67
)

// Options of level IPPROTO_TCP.
const (
	TCP_NODELAY              = 1
	TCP_MAXSEG               = 2
	TCP_CORK                 = 3
	TCP_KEEPIDLE             = 4
	TCP_KEEPINTVL            = 5
	TCP_KEEPCNT              = 6
	TCP_SYNCNT               = 7
	TCP_LINGER2              = 8
	TCP_DEFER_ACCEPT         = 9
	TCP_WINDOW_CLAMP         = 10
	TCP_INFO                 = 11
	TCP_QUICKACK             = 12
	TCP_CONGESTION           = 13
	TCP_MD5SIG               = 14
	TCP_THIN_LINEAR_TIMEOUTS = 16
	TCP_THIN_DUPACK          = 17
	TCP_USER_TIMEOUT         = 18
	TCP_REPAIR               = 19
	TCP_FASTOPEN             = 23
	TCP_TIMESTAMP            = 24
	TCP_NOTSENT_LOWAT        = 25
	TCP_CC_INFO              = 26
	TCP_SAVE_SYN             = 27
	TCP_SAVED_SYN            = 28
	TCP_FASTOPEN_CONNECT     = 30
	TCP_ULP                  = 31
	TCP_MD5SIG_EXT           = 32
	TCP_FASTOPEN_KEY         = 33
	TCP_FASTOPEN_NO_COOKIE   = 34
	TCP_ZEROCOPY_RECEIVE     = 35
	TCP_INQ                  = 36
	TCP_CM_INQ               = TCP_INQ
	TCP_TX_DELAY             = 37
	TCP_RTO_MAX_MS           = 44
	TCP_RTO_MIN_US           = 45
	TCP_DELACK_MAX_US        = 46
)

// Options of level IPPROTO_IP.
const (
	IP_TOS                    = 1
	IP_TTL                    = 2
	IP_HDRINCL                = 3
	IP_OPTIONS                = 4
	IP_RECVOPTS               = 6
	IP_RETOPTS                = 7
	IP_PKTINFO                = 8
	IP_MTU_DISCOVER           = 10
	IP_RECVERR                = 11
	IP_RECVTTL                = 12
	IP_RECVTOS                = 13
	IP_MTU                    = 14
	IP_FREEBIND               = 15
	IP_TRANSPARENT            = 19
	IP_RECVORIGDSTADDR        = 20
	IP_MINTTL                 = 21
	IP_CHECKSUM               = 23
	IP_RECVERR_RFC4884        = 26
	IP_BIND_ADDRESS_NO_PORT   = 24
	IP_MULTICAST_IF           = 32
	IP_MULTICAST_TTL          = 33
	IP_MULTICAST_LOOP         = 34
	IP_ADD_MEMBERSHIP         = 35
	IP_DROP_MEMBERSHIP        = 36
	IP_UNBLOCK_SOURCE         = 37
	IP_BLOCK_SOURCE           = 38
	IP_ADD_SOURCE_MEMBERSHIP  = 39
	IP_DROP_SOURCE_MEMBERSHIP = 40
	IP_MSFILTER               = 41
	IP_MULTICAST_ALL          = 49
	IP_LOCAL_PORT_RANGE       = 51

	IP_PMTUDISC_DONT      = 0
	IP_PMTUDISC_WANT      = 1
	IP_PMTUDISC_DO        = 2
	IP_PMTUDISC_PROBE     = 3
	IP_PMTUDISC_INTERFACE = 4
	IP_PMTUDISC_OMIT      = 5
)

// Options of levels IPPROTO_IP and IPPROTO_IPV6 (RFC 3678).
const (
	MCAST_JOIN_GROUP         = 42
	MCAST_BLOCK_SOURCE       = 43
	MCAST_UNBLOCK_SOURCE     = 44
	MCAST_LEAVE_GROUP        = 45
	MCAST_JOIN_SOURCE_GROUP  = 46
	MCAST_LEAVE_SOURCE_GROUP = 47
	MCAST_MSFILTER           = 48

	MCAST_EXCLUDE = 0
	MCAST_INCLUDE = 1
)

// Options of level IPPROTO_IPV6.
const (
	IPV6_ADDRFORM         = 1
	IPV6_CHECKSUM         = 7
	IPV6_FLOWINFO         = 11
	IPV6_UNICAST_HOPS     = 16
	IPV6_MULTICAST_IF     = 17
	IPV6_MULTICAST_HOPS   = 18
	IPV6_MULTICAST_LOOP   = 19
	IPV6_JOIN_GROUP       = 20
	IPV6_LEAVE_GROUP      = 21
	IPV6_MULTICAST_ALL    = 29
	IPV6_MTU_DISCOVER     = 23
	IPV6_MTU              = 24
	IPV6_RECVERR          = 25
	IPV6_V6ONLY           = 26
	IPV6_RECVERR_RFC4884  = 31
	IPV6_HDRINCL          = 36
	IPV6_RECVPKTINFO      = 49
	IPV6_PKTINFO          = 50
	IPV6_RECVHOPLIMIT     = 51
	IPV6_HOPLIMIT         = 52
	IPV6_RECVTCLASS       = 66
	IPV6_TCLASS           = 67
	IPV6_DONTFRAG         = 62
	IPV6_AUTOFLOWLABEL    = 70
	IPV6_ADDR_PREFERENCES = 72
	IPV6_FREEBIND         = 78
)

// Level and option of UDP that the stack knows the names of.
const (
	SOL_UDP     = 17
	UDP_CORK    = 1
	UDP_SEGMENT = 103
	UDP_GRO     = 104
)

// Levels and options of raw sockets.
const (
	SOL_RAW     = 255
	ICMP_FILTER = 1

	SOL_ICMPV6    = 58
	ICMPV6_FILTER = 1
)

// What Fcntl takes.
const (
	F_GETFD         = 1
	F_SETFD         = 2
	F_DUPFD         = 0
	F_DUPFD_CLOEXEC = 1030
	F_GETFL         = 3
	F_SETFL         = 4

	FD_CLOEXEC = 1
	O_RDWR     = 2
	O_APPEND   = 0o2000
	O_NONBLOCK = 0o4000
	O_ASYNC    = 0o20000
)

// What Ioctl takes.
const (
	FIONREAD    = 0x541B
	FIONBIO     = 0x5421
	SIOCINQ     = FIONREAD
	SIOCOUTQ    = 0x5411
	SIOCATMARK  = 0x8905
	SIOCOUTQNSD = 0x894B
)

// Events of Poll.
const (
	POLLIN     = 0x1
	POLLPRI    = 0x2
	POLLOUT    = 0x4
	POLLERR    = 0x8
	POLLHUP    = 0x10
	POLLNVAL   = 0x20
	POLLRDNORM = 0x40
	POLLRDBAND = 0x80
	POLLWRNORM = 0x100
	POLLWRBAND = 0x200
	POLLRDHUP  = 0x2000
)

// Events and operations of epoll.
const (
	EPOLLIN        = POLLIN
	EPOLLPRI       = POLLPRI
	EPOLLOUT       = POLLOUT
	EPOLLERR       = POLLERR
	EPOLLHUP       = POLLHUP
	EPOLLRDNORM    = POLLRDNORM
	EPOLLRDBAND    = POLLRDBAND
	EPOLLWRNORM    = POLLWRNORM
	EPOLLWRBAND    = POLLWRBAND
	EPOLLRDHUP     = POLLRDHUP
	EPOLLEXCLUSIVE = 1 << 28
	EPOLLWAKEUP    = 1 << 29
	EPOLLONESHOT   = 1 << 30
	EPOLLET        = 1 << 31

	EPOLL_CTL_ADD = 1
	EPOLL_CTL_DEL = 2
	EPOLL_CTL_MOD = 3
	EPOLL_CLOEXEC = SOCK_CLOEXEC
)

// Origins of an extended error, and the control messages of time stamps.
const (
	SO_EE_ORIGIN_NONE         = 0
	SO_EE_ORIGIN_LOCAL        = 1
	SO_EE_ORIGIN_ICMP         = 2
	SO_EE_ORIGIN_ICMP6        = 3
	SO_EE_ORIGIN_TIMESTAMPING = 4
	SO_EE_ORIGIN_ZEROCOPY     = 5

	SO_EE_CODE_ZEROCOPY_COPIED = 1

	SCM_TIMESTAMPING = SO_TIMESTAMPING
)

package abi

import (
	"slices"
	"strings"
	"testing"
)

func TestValue(t *testing.T) {
	for _, row := range []struct {
		name  string
		value int64
	}{
		{"AF_INET", 2}, {"AF_INET6", 10}, {"SOCK_STREAM", 1}, {"SOCK_NONBLOCK", 0x800}, {"IPPROTO_TCP", 6},
		{"SOL_SOCKET", 1}, {"SOL_TCP", 6}, {"SO_REUSEADDR", 2}, {"SO_LINGER", 13}, {"SO_MAX_PACING_RATE", 47},
		{"TCP_NODELAY", 1}, {"TCP_INFO", 11}, {"TCP_CONGESTION", 13}, {"TCP_NOTSENT_LOWAT", 25}, {"TCP_FASTOPEN_KEY", 33},
		{"IP_TOS", 1}, {"IP_MTU_DISCOVER", 10}, {"IPV6_V6ONLY", 26}, {"IPV6_TCLASS", 67}, {"MSG_DONTWAIT", 0x40},
		{"MSG_FASTOPEN", 0x20000000}, {"O_NONBLOCK", 0x800}, {"F_SETFL", 4}, {"SHUT_WR", 1}, {"POLLRDHUP", 0x2000},
		{"EPOLLET", 1 << 31}, {"EPOLL_CTL_ADD", 1}, {"SIOCINQ", 0x541b}, {"SIOCOUTQ", 0x5411}, {"FIONREAD", 0x541b},
		{"EAGAIN", 11}, {"EWOULDBLOCK", 11}, {"ECONNREFUSED", 111}, {"TCP_ESTABLISHED", 1}, {"TCP_CLOSING", 11},
		{"TCP_CA_Loss", 4}, {"TCPI_OPT_SYN_DATA", 32}, {"TCPI_FIN_WAIT_1", 4}, {"NULL", 0}, {"INADDR_NONE", 0xffffffff},
	} {
		if v, ok := Value(row.name); !ok || v != row.value {
			t.Errorf("%s is %d, %v; want %d", row.name, v, ok, row.value)
		}
	}
	for _, name := range []string{"", "SO_", "TCP_WHAT", "zz"} {
		if v, ok := Value(name); ok {
			t.Errorf("%q is %d", name, v)
		}
	}
}

func TestErrnoName(t *testing.T) {
	for n, want := range map[int]string{11: "EAGAIN", 95: "EOPNOTSUPP", 115: "EINPROGRESS", 9999: "9999"} {
		if got := ErrnoName(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

func TestFlagNames(t *testing.T) {
	for _, row := range []struct {
		prefix string
		bits   uint64
		want   string
	}{
		{"POLL", 1 | 4, "POLLIN|POLLOUT"},
		{"EPOLL", 1 | 1<<31, "EPOLLET|EPOLLIN"},
		{"MSG_", 0x40, "MSG_DONTWAIT"},
		{"POLL", 1 | 1<<40, "POLLIN|0x10000000000"},
		{"POLL", 0, "0"},
	} {
		if got := FlagNames(row.prefix, row.bits); got != row.want {
			t.Errorf("%s %#x: %s, want %s", row.prefix, row.bits, got, row.want)
		}
	}
}

// TestOrder: Value searches by halves.
func TestOrder(t *testing.T) {
	for _, table := range [][]constant{options, constants} {
		if !slices.IsSortedFunc(table, func(a, b constant) int { return strings.Compare(a.name, b.name) }) {
			t.Error("a table is out of order")
		}
	}
}

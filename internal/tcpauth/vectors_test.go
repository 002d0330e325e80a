package tcpauth

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/onlink-go/onlink/wire"
)

// RFC 4493, 4: "Test Vectors" of AES-CMAC.
func TestCMAC(t *testing.T) {
	key := unhex(t, "2b7e1516 28aed2a6 abf71588 09cf4f3c")
	message := unhex(t, `6bc1bee2 2e409f96 e93d7e11 7393172a ae2d8a57 1e03ac9c 9eb76fac 45af8e51
		30c81c46 a35ce411 e5fbc119 1a0a52ef f69f2445 df4f9b17 ad2b417b e66c3710`)
	for _, row := range []struct {
		n    int
		want string
	}{
		{0, "bb1d6929 e9593728 7fa37d12 9b756746"},
		{16, "070a16b4 6b4d4144 f79bdd9d d04a287c"},
		{40, "dfa66747 de9ae630 30ca3261 1497c827"},
		{64, "51f0bebf 7e3b9d92 fc497417 79363cfe"},
	} {
		c := newCMAC(key)
		for range 2 { // again after Reset
			c.Reset()
			for _, b := range message[:row.n] { // an octet at a time
				c.Write([]byte{b})
			}
			c.Sum(nil)
			if got := c.Sum(nil); !bytes.Equal(got, unhex(t, row.want)) {
				t.Errorf("of %d octets: %x, want %s", row.n, got, row.want)
			}
		}
	}
}

// RFC 9235, 4 to 7: the traffic keys, of the master key "testvector". A key is shown by the MAC of nothing.
func TestTrafficKeys(t *testing.T) {
	for _, row := range []struct {
		section            string
		a                  Algorithm
		client, server     string
		port               uint16
		iss, irs           uint32
		syn, answer, other string // Send_SYN, Receive_other and Send_other of the client
	}{
		{"4.1", HMACSHA1, "10.11.12.13", "172.27.28.29", 59863, 0xfbfbab5a, 0x11c14261,
			"6d63ef1b02fe1509d4b1402707fd7b0416abb74f", "d9e217e4834a80ca2f3fd8de2e41b8e6797fea96", "d2e59c65ffc7b1a39347656463b70edc24a13d71"},
		{"4.2", HMACSHA1, "10.11.12.13", "172.27.28.29", 65298, 0xcb0efbee, 0xacd5b5e1,
			"30eaa1560cf0be57dab5c045229fb10a423cd7ea", "b5b2896bb3664e8176b0edc6e799524101a8307f", "f3db1793d7910ecd806c34f155ea1f00345953e3"},
		{"5.1", AESCMAC, "10.11.12.13", "172.27.28.29", 50426, 0x787a1ddf, 0xfadd6de9,
			"f5b8b3d5f34fdbb6eb8d4ab9660e60e3", "4bc7571a486f3264bbd888474066b4b1", "8c8ae0e8371ec5cbb97ea79d90418391"},
		{"5.2", AESCMAC, "10.11.12.13", "172.27.28.29", 55836, 0x389bed71, 0xd3844a6f,
			"2cdbae1392c49449fa92c4509735d50e", "3ce67a551869506b6347b633c50a624a", "035bc400a341ffe595f59f58005006ca"},
		{"6.1", HMACSHA1, "fd00::1", "fd00::2", 63460, 0x176a833f, 0x3f51994b,
			"625ec09d575836edc9b6428418bbf06989a361bb", "e4a37ada2a0afca8711434913fe138c771ebcb4a", "1ed82975f4ea444c61580c5bd90dbd61bbc91b7e"},
		{"6.2", HMACSHA1, "fd00::1", "fd00::2", 50893, 0x020c1e69, 0xeba3734d,
			"31a3faf69effae52931b7f845467315c270a4edc", "405108947f996575e7bdbc26d40216a2c7fa91bd", "b34eed6a9396a669f1c4f4f57618f3656f52c7ab"},
		{"7.1", AESCMAC, "fd00::1", "fd00::2", 63578, 0x193cccec, 0xa6744ecb,
			"fa5a2108882d39d0c71929175ab1b7b8", "cf1b1e225e06a63616764a067b46f4b1", "6174c3557abed27574dba37185f00300"},
		{"7.2", AESCMAC, "fd00::1", "fd00::2", 62088, 0xb01da74a, 0xa6246145,
			"a94f511263e4093d35dd818c13bbbf53", "92dea5bbc78b1d9f5b2952e9cd30642a", "4fb2086e402c679079ed65d4bf97693d"},
	} {
		c := testConn(t, Key{Algorithm: row.a, Secret: []byte("testvector"), SendID: 61, RecvID: 84}, row.client, row.server, row.port, row.iss)
		c.setPeerISN(row.irs)
		for _, want := range []struct {
			what     string
			out, syn bool
			key      string
		}{{"Send_SYN", true, true, row.syn}, {"Receive_other", false, false, row.answer}, {"Send_other", true, false, row.other}} {
			m := c.traffic(c.current, want.out, want.syn)
			m.Reset()
			if got, ref := m.Sum(nil), macOfNothing(row.a, unhex(t, want.key)); !bytes.Equal(got, ref) {
				t.Errorf("%s: %s_traffic_key is not %s", row.section, want.what, want.key)
			}
		}
	}
}

// RFC 9235, 4.1.1, 4.2.1, 5.1.1, 6.1.1, 7.1.1: whole packets with a client's SYN.
func TestSYNs(t *testing.T) {
	for _, row := range []struct {
		section string
		a       Algorithm
		exclude bool
		packet  string
	}{
		{"4.1.1", HMACSHA1, false, `45e0004cdd0f4000ff06bf6b0a0b0c0dac1b1c1d e9d700b3fbfbab5a00000000e002ffffcac40000
			020405b4010303080402080a00155ab700000000 1d103d542ee437c6f8ede6d7c4d602e7`},
		{"4.2.1", HMACSHA1, true, `45e0004c53994000ff0648e20a0b0c0dac1b1c1d ff1200b3cb0efbee00000000e002ffff541f0000
			020405b4010303080402080a00024cce00000000 1d103d5480af3cfeb85368937b8f9ec2`},
		{"5.1.1", AESCMAC, false, `45e0004c7b9f4000ff0620dc0a0b0c0dac1b1c1d c4fa00b3787a1ddf00000000e002ffff5a0f0000
			020405b4010303080402080a00017ed000000000 1d103d54e477e99c8040765498e55091`},
		{"6.1.1", HMACSHA1, false, `6e0891dc00380640 fd000000000000000000000000000001 fd000000000000000000000000000002
			f7e400b3176a833f00000000e002ffff47210000020405a0010303080402080a0041d08700000000 1d103d549033ec3d7334b64c5edd039f`},
		{"7.1.1", AESCMAC, false, `6e04a70600380640 fd000000000000000000000000000001 fd000000000000000000000000000002
			f85a00b3193cccec00000000e002ffffde5d0000020405a0010303080402080a13e4ab9900000000 1d103d5459b588107481ac6dc3927040`},
	} {
		packet := unhex(t, row.packet)
		client, server, segment := "10.11.12.13", "172.27.28.29", packet[20:]
		if packet[0]>>4 == 6 {
			client, server, segment = "fd00::1", "fd00::2", packet[40:]
		}
		h := wire.TCP(segment)
		key := Key{Algorithm: row.a, Secret: []byte("testvector"), SendID: 61, RecvID: 84, ExcludeOptions: row.exclude}
		c := testConn(t, key, client, server, h.SrcPort(), h.Seq())
		signed := bytes.Clone(segment)
		clear(signed[len(signed)-c.OptionLen():])
		c.Sign(signed, len(signed)-c.OptionLen())
		if !bytes.Equal(signed, segment) {
			t.Errorf("%s: signed\n%x, want\n%x", row.section, signed, segment)
		}

		// The server sees it the other way round, and finds it authentic; but not after a change of any octet, except
		// of the checksum, which is checked by itself, and the options if they are left out.
		key.SendID, key.RecvID = key.RecvID, key.SendID
		for i := -1; i < len(segment); i++ {
			s := testConn(t, key, server, client, 179, 1)
			s.remotePort = h.SrcPort()
			changed := bytes.Clone(segment)
			if i >= 0 {
				changed[i] ^= 0x10
			}
			value := i == 22 || i == 23 || i == 27 || i >= 32 && i < 40
			untouched := i < 0 || i == 16 || i == 17 || row.exclude && value
			if i == 12 || row.exclude && i >= 20 && i < 40 && !value {
				continue // the length of the header or of an option: where the option is would be another question
			}
			if v := s.Check(changed); (v == Good) != untouched {
				t.Errorf("%s with octet %d changed: verdict %d", row.section, i, v)
			}
		}
	}
}

func macOfNothing(a Algorithm, key []byte) []byte {
	if a == AESCMAC {
		return newCMAC(key).Sum(nil)
	}
	return newHMAC(key).Sum(nil)
}

// testConn returns a Conn of the client of the vectors, at port, to port 179.
func testConn(t *testing.T, k Key, local, remote string, port uint16, iss uint32) *Conn {
	t.Helper()
	peer := netip.MustParseAddr(remote)
	k.Peer = netip.PrefixFrom(peer, peer.BitLen())
	keys, err := NewKeys([]Key{k})
	if err != nil {
		t.Fatal(err)
	}
	return NewConn(keys, wire.AddrFrom(netip.MustParseAddr(local)), wire.AddrFrom(peer), port, 179, iss)
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

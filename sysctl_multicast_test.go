package onlink

import "testing"

// The settings of IGMP and MLD read as Linux's defaults, and as they were set.
func TestMulticastSysctls(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	for _, c := range []struct{ name, standard, set string }{
		{"net.ipv4.igmp_max_memberships", "20", "3"},
		{"net.ipv4.igmp_max_msf", "10", "4"},
		{"net.ipv6.mld_max_msf", "64", "5"},
		{"net.ipv4.igmp_qrv", "2", "6"},
		{"net.ipv6.mld_qrv", "2", "7"},
		{"net.ipv4.conf.all.force_igmp_version", "0", "2"},
		{"net.ipv6.conf.all.force_mld_version", "0", "1"},
		{"net.ipv4.conf.all.igmpv2_unsolicited_report_interval", "10000", "11"},
		{"net.ipv4.conf.all.igmpv3_unsolicited_report_interval", "1000", "12"},
		{"net.ipv6.conf.all.mldv1_unsolicited_report_interval", "10000", "13"},
		{"net.ipv6.conf.all.mldv2_unsolicited_report_interval", "1000", "14"},
	} {
		if v, err := s.Sysctl(c.name); err != nil || v != c.standard {
			t.Errorf("%s is %q, %v", c.name, v, err)
		}
		if err := s.SetSysctl(c.name, c.set); err != nil {
			t.Error(err)
		}
		if v, _ := s.Sysctl(c.name); v != c.set {
			t.Errorf("%s set to %s is %q", c.name, c.set, v)
		}
	}
	if i := s.ip.Settings(); i.IGMP.Force != 2 || i.MLD.Force != 2 || i.IGMP.Robustness != 6 || i.MaxMemberships != 3 {
		t.Errorf("%+v", i)
	}
}

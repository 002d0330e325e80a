package ip

import "github.com/onlink-go/onlink/internal/netif"

// IPv4 returns the settings of IPv4 on the interface with the given index, or with 0 those that interfaces to come begin with.
// Errors: ENODEV.
func (l *Layer) IPv4(index int32) (netif.IPv4, error) {
	l.control.Lock()
	defer l.control.Unlock()
	if index == 0 {
		return l.conf4, nil
	}
	d, err := l.find(index)
	if err != nil {
		return netif.IPv4{}, err
	}
	return d.conf4, nil
}

// ConfigureIPv4 has f change those settings. Errors: ENODEV.
func (l *Layer) ConfigureIPv4(index int32, f func(*netif.IPv4)) error {
	l.control.Lock()
	defer l.control.Unlock()
	if index == 0 {
		f(&l.conf4)
		return nil
	}
	d, err := l.find(index)
	if err != nil {
		return err
	}
	f(&d.conf4)
	l.rebuild()
	return nil
}

package ip

// RouteSettings are the Settings that are about routes.
type RouteSettings struct {
	AcceptRedirects4, AcceptRedirects6 bool // redirects are followed, unless we are a router
	SecureRedirects, SharedMedia       bool // Linux's settings; see credible4
	HashPorts4, HashPorts6             bool // multipath routes spread connections, not pairs of hosts
}

func routeSettings() RouteSettings {
	return RouteSettings{AcceptRedirects4: true, AcceptRedirects6: true, SecureRedirects: true, SharedMedia: true}
}

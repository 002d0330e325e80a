package tcp

// CongestionControls returns the names of the congestion controls there are, the default first. They are Linux's names.
func CongestionControls() []string { return []string{"reno"} }

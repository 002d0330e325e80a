package tcp

// CongestionControls returns the names of the congestion controls there are, the default first. They are Linux's names.
func CongestionControls() []string {
	names := make([]string, len(algorithms))
	for i, a := range algorithms {
		names[i] = a.Name
	}
	return names
}

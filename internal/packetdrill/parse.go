package packetdrill

import (
	"maps"
	"regexp"

	"github.com/onlink-go/onlink/internal/packetdrill/script"
)

// Parse reads a script that is to run on a version of IP. defines are what --define says on the command line. Errors are
// a *script.SyntaxError.
//
// Some words stand for something even where nobody defines them, because scripts for both families need them: the level
// and type of the control message that tells of an error in the error queue, cookies of Fast Open, whose octets do not
// matter, and MSS, the one that goes with an MTU of 1500.
func Parse(name string, src []byte, v Version, defines map[string]string) (*script.Script, error) {
	all := map[string]string{"CMSG_LEVEL_IP": "SOL_IP", "CMSG_TYPE_RECVERR": "IP_RECVERR",
		"TFO_COOKIE": "3021b9d889017eeb", "TFO_COOKIE_ZERO": "b7c12350a90dc8f5", "MSS": "1460"}
	if v == IPv6 {
		all["MSS"] = "1440"
		all["CMSG_LEVEL_IP"], all["CMSG_TYPE_RECVERR"] = "SOL_IPV6", "IPV6_RECVERR"
	}
	for _, m := range defined.FindAllSubmatch(src, -1) {
		delete(all, string(m[1])) // the script has its own
	}
	maps.Copy(all, defines)
	return script.ParseWith(name, src, all)
}

// defined finds what a script defines.
var defined = regexp.MustCompile(`(?m)^[ \t]*--?(?:define|D)[ =]+"?(\w+)=`)

// Package dhcp is the root of the module of DHCP: dhcp4 (RFC 2131) and dhcp6 (RFC 8415) configure an interface of
// a Stack from servers on its link. They stand over the public API: the stack knows neither.
//
// In each there is a machine, which takes messages and instants and returns messages, events and the instant at
// which it next wants to be called, and a client, which runs a machine on an interface: under real time, inside
// testing/synctest and in the simulator alike.
package dhcp

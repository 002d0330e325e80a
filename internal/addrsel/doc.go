// Package addrsel chooses source addresses and orders destinations (RFC 6724), for both families by the same rules: an
// IPv4 address is one of ::ffff:0:0/96, as the RFC has it.
//
// [Source] applies section 5: rules 1 to 3 and 5 to 8. [Sort] applies section 6: rules 1 to 3, 5, 6 and 8 to 10. Rules 4 are
// about home addresses (RFC 6275), of which this stack knows none; destination rule 7 is about encapsulation, which it
// does not do.
package addrsel

//go:build !purego && !race

#include "textflag.h"

// func sumNEON(b []byte) uint64
//
// V0 to V3 add up the 32-bit words in lanes of 64 bits, which make no carry.
TEXT ·sumNEON(SB), NOSPLIT, $0-32
	MOVD b_base+0(FP), R0
	MOVD b_len+8(FP), R1
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	SUBS $64, R1
	BLT  rest

two:
	VLD1.P  64(R0), [V4.B16, V5.B16, V6.B16, V7.B16]
	VUADDW  V4.S2, V0.D2, V0.D2
	VUADDW2 V4.S4, V1.D2, V1.D2
	VUADDW  V5.S2, V2.D2, V2.D2
	VUADDW2 V5.S4, V3.D2, V3.D2
	VUADDW  V6.S2, V0.D2, V0.D2
	VUADDW2 V6.S4, V1.D2, V1.D2
	VUADDW  V7.S2, V2.D2, V2.D2
	VUADDW2 V7.S4, V3.D2, V3.D2
	SUBS    $64, R1
	BGE     two

rest:
	ADDS $32, R1
	BLT  fold
	VLD1 (R0), [V4.B16, V5.B16]
	VUADDW  V4.S2, V0.D2, V0.D2
	VUADDW2 V4.S4, V1.D2, V1.D2
	VUADDW  V5.S2, V2.D2, V2.D2
	VUADDW2 V5.S4, V3.D2, V3.D2

fold:
	VADD V1.D2, V0.D2, V0.D2
	VADD V3.D2, V2.D2, V2.D2
	VADD V2.D2, V0.D2, V0.D2
	VMOV V0.D[0], R2
	VMOV V0.D[1], R3
	ADD  R3, R2, R2
	MOVD R2, ret+24(FP)
	RET

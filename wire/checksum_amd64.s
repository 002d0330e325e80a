//go:build !purego && !race

#include "textflag.h"

// func sumAVX2(b []byte) uint64
//
// Y0 and Y1 add up the 64-bit words and lose the carries; Y2 and Y3 add up the words' upper halves, which make none. What
// the lower halves add up to is less than 2^64: it is the former less 2^32 times the latter, modulo 2^64.
TEXT ·sumAVX2(SB), NOSPLIT, $0-32
	MOVQ  b_base+0(FP), SI
	MOVQ  b_len+8(FP), CX
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	SUBQ  $128, CX
	JLT   rest

four:
	VMOVDQU (SI), Y4
	VMOVDQU 32(SI), Y5
	VMOVDQU 64(SI), Y6
	VMOVDQU 96(SI), Y7
	VPADDQ  Y4, Y0, Y0
	VPADDQ  Y5, Y1, Y1
	VPADDQ  Y6, Y0, Y0
	VPADDQ  Y7, Y1, Y1
	VPSRLQ  $32, Y4, Y4
	VPSRLQ  $32, Y5, Y5
	VPSRLQ  $32, Y6, Y6
	VPSRLQ  $32, Y7, Y7
	VPADDQ  Y4, Y2, Y2
	VPADDQ  Y5, Y3, Y3
	VPADDQ  Y6, Y2, Y2
	VPADDQ  Y7, Y3, Y3
	ADDQ    $128, SI
	SUBQ    $128, CX
	JGE     four

rest:
	ADDQ $96, CX
	JLT  fold

one:
	VMOVDQU (SI), Y4
	VPADDQ  Y4, Y0, Y0
	VPSRLQ  $32, Y4, Y4
	VPADDQ  Y4, Y2, Y2
	ADDQ    $32, SI
	SUBQ    $32, CX
	JGE     one

fold:
	VPADDQ       Y1, Y0, Y0
	VPADDQ       Y3, Y2, Y2
	VPSLLQ       $32, Y2, Y1
	VPSUBQ       Y1, Y0, Y0 // the lower halves
	VPADDQ       Y2, Y0, Y0 // and the upper ones, for 2^32 is 1 modulo 2^16-1
	VEXTRACTI128 $1, Y0, X1
	VPADDQ       X1, X0, X0
	VPSRLDQ      $8, X0, X1
	VPADDQ       X1, X0, X0
	VMOVQ        X0, AX
	VZEROUPPER
	MOVQ         AX, ret+24(FP)
	RET

// func hasAVX2() bool
//
// Intel's manual, volume 1, 14.7.1: the system uses XGETBV (CPUID 1, ECX bit 27), the processor has AVX (bit 28), XMM and YMM
// registers are kept (XCR0 bits 1 and 2), and there is AVX2 (CPUID 7, EBX bit 5).
TEXT ·hasAVX2(SB), NOSPLIT, $0-1
	MOVB $0, ret+0(FP)
	XORL AX, AX
	XORL CX, CX
	CPUID
	CMPL AX, $7
	JLT  no
	MOVL $1, AX
	XORL CX, CX
	CPUID
	ANDL $(3<<27), CX
	CMPL CX, $(3<<27)
	JNE  no
	XORL CX, CX
	XGETBV
	ANDL $6, AX
	CMPL AX, $6
	JNE  no
	MOVL $7, AX
	XORL CX, CX
	CPUID
	SHRL $5, BX
	ANDL $1, BX
	MOVB BX, ret+0(FP)

no:
	RET

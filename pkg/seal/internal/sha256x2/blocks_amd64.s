// SPDX-License-Identifier: Apache-2.0

//go:build !purego

#include "textflag.h"

// SHA-256 (FIPS 180-4) of two messages side by side, with the SHA extensions. SHA256RNDS2 does two rounds and has a latency of four
// cycles, and each needs the one before it, so one message leaves the unit idle half of the time. Here the other message has that half.
//
// A state is two registers: s0 is F, E, B, A and s1 is H, G, D, C, from the lowest word to the highest.

// ROUNDS is four rounds of one message with four words w of its schedule, whose constants are at off.
#define ROUNDS(off, w, s0, s1) \
	MOVOU off(AX), X0; \
	PADDD w, X0; \
	SHA256RNDS2 X0, s0, s1; \
	PSHUFD $0x0e, X0, X0; \
	SHA256RNDS2 X0, s1, s0

// SCHEDULE makes the next four words, in the place of w0, from the sixteen before them.
#define SCHEDULE(w0, w1, w2, w3, tmp) \
	MOVO w3, tmp; \
	PALIGNR $4, w2, tmp; \
	SHA256MSG1 w1, w0; \
	PADDD tmp, w0; \
	SHA256MSG2 w3, w0

// FIRST is four rounds of both messages with words that are loaded, FURTHER with words that are made.
#define FIRST(off, a0, b0) \
	MOVOU off(SI), a0; \
	MOVOU off(DI), b0; \
	PSHUFB X15, a0; \
	PSHUFB X15, b0; \
	ROUNDS(off, a0, X1, X2); \
	ROUNDS(off, b0, X7, X8)

#define FURTHER(off, a0, a1, a2, a3, b0, b1, b2, b3) \
	SCHEDULE(a0, a1, a2, a3, X13); \
	SCHEDULE(b0, b1, b2, b3, X14); \
	ROUNDS(off, a0, X1, X2); \
	ROUNDS(off, b0, X7, X8)

// func blocks2(stateA, stateB *state, a, b *byte, n int)
TEXT ·blocks2(SB), NOSPLIT, $64-40
	MOVQ stateA+0(FP), R8
	MOVQ stateB+8(FP), R9
	MOVQ a+16(FP), SI
	MOVQ b+24(FP), DI
	MOVQ n+32(FP), CX
	LEAQ constants<>(SB), AX
	MOVOU bigEndian<>(SB), X15
	MOVOU 0(R8), X1
	MOVOU 16(R8), X2
	MOVOU 0(R9), X7
	MOVOU 16(R9), X8

next:
	MOVOU X1, 0(SP)
	MOVOU X2, 16(SP)
	MOVOU X7, 32(SP)
	MOVOU X8, 48(SP)

	FIRST(0, X3, X9)
	FIRST(16, X4, X10)
	FIRST(32, X5, X11)
	FIRST(48, X6, X12)
	FURTHER(64, X3, X4, X5, X6, X9, X10, X11, X12)
	FURTHER(80, X4, X5, X6, X3, X10, X11, X12, X9)
	FURTHER(96, X5, X6, X3, X4, X11, X12, X9, X10)
	FURTHER(112, X6, X3, X4, X5, X12, X9, X10, X11)
	FURTHER(128, X3, X4, X5, X6, X9, X10, X11, X12)
	FURTHER(144, X4, X5, X6, X3, X10, X11, X12, X9)
	FURTHER(160, X5, X6, X3, X4, X11, X12, X9, X10)
	FURTHER(176, X6, X3, X4, X5, X12, X9, X10, X11)
	FURTHER(192, X3, X4, X5, X6, X9, X10, X11, X12)
	FURTHER(208, X4, X5, X6, X3, X10, X11, X12, X9)
	FURTHER(224, X5, X6, X3, X4, X11, X12, X9, X10)
	FURTHER(240, X6, X3, X4, X5, X12, X9, X10, X11)

	MOVOU 0(SP), X0
	PADDD X0, X1
	MOVOU 16(SP), X0
	PADDD X0, X2
	MOVOU 32(SP), X0
	PADDD X0, X7
	MOVOU 48(SP), X0
	PADDD X0, X8
	ADDQ $64, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  next

	MOVOU X1, 0(R8)
	MOVOU X2, 16(R8)
	MOVOU X7, 0(R9)
	MOVOU X8, 16(R9)
	RET

// func cpuid(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-24
	MOVL leaf+0(FP), AX
	MOVL subleaf+4(FP), CX
	CPUID
	MOVL AX, eax+8(FP)
	MOVL BX, ebx+12(FP)
	MOVL CX, ecx+16(FP)
	MOVL DX, edx+20(FP)
	RET

// A word of a message has its highest byte first.
DATA bigEndian<>+0(SB)/8, $0x0405060700010203
DATA bigEndian<>+8(SB)/8, $0x0c0d0e0f08090a0b
GLOBL bigEndian<>(SB), RODATA|NOPTR, $16

// The constants of FIPS 180-4, section 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes.
DATA constants<>+0(SB)/8, $0x71374491428a2f98
DATA constants<>+8(SB)/8, $0xe9b5dba5b5c0fbcf
DATA constants<>+16(SB)/8, $0x59f111f13956c25b
DATA constants<>+24(SB)/8, $0xab1c5ed5923f82a4
DATA constants<>+32(SB)/8, $0x12835b01d807aa98
DATA constants<>+40(SB)/8, $0x550c7dc3243185be
DATA constants<>+48(SB)/8, $0x80deb1fe72be5d74
DATA constants<>+56(SB)/8, $0xc19bf1749bdc06a7
DATA constants<>+64(SB)/8, $0xefbe4786e49b69c1
DATA constants<>+72(SB)/8, $0x240ca1cc0fc19dc6
DATA constants<>+80(SB)/8, $0x4a7484aa2de92c6f
DATA constants<>+88(SB)/8, $0x76f988da5cb0a9dc
DATA constants<>+96(SB)/8, $0xa831c66d983e5152
DATA constants<>+104(SB)/8, $0xbf597fc7b00327c8
DATA constants<>+112(SB)/8, $0xd5a79147c6e00bf3
DATA constants<>+120(SB)/8, $0x1429296706ca6351
DATA constants<>+128(SB)/8, $0x2e1b213827b70a85
DATA constants<>+136(SB)/8, $0x53380d134d2c6dfc
DATA constants<>+144(SB)/8, $0x766a0abb650a7354
DATA constants<>+152(SB)/8, $0x92722c8581c2c92e
DATA constants<>+160(SB)/8, $0xa81a664ba2bfe8a1
DATA constants<>+168(SB)/8, $0xc76c51a3c24b8b70
DATA constants<>+176(SB)/8, $0xd6990624d192e819
DATA constants<>+184(SB)/8, $0x106aa070f40e3585
DATA constants<>+192(SB)/8, $0x1e376c0819a4c116
DATA constants<>+200(SB)/8, $0x34b0bcb52748774c
DATA constants<>+208(SB)/8, $0x4ed8aa4a391c0cb3
DATA constants<>+216(SB)/8, $0x682e6ff35b9cca4f
DATA constants<>+224(SB)/8, $0x78a5636f748f82ee
DATA constants<>+232(SB)/8, $0x8cc7020884c87814
DATA constants<>+240(SB)/8, $0xa4506ceb90befffa
DATA constants<>+248(SB)/8, $0xc67178f2bef9a3f7
GLOBL constants<>(SB), RODATA|NOPTR, $256

// SPDX-License-Identifier: Apache-2.0

package prefilter

import "math/bits"

// Logs are full of dates, times, sizes and ports. That they are part of no number of interest is found out for some bytes at
// once, with a bit for each.

const (
	eachByte = 0x0101010101010101
	highBits = 0x80 * eachByte

	windowBytes = 3 * stepBytes // the step, and one on both sides
	// The places in a window where four digits begin that end in the step, and all that lies behind the window.
	windowPlaces = (1<<stepBytes - 1) << (stepBytes - filterWidth + 1)
	windowBehind = 1<<64 - 1<<windowBytes
)

// longNumber reports whether four digits in a row that end in the step at i may be part of a number that is long enough to be
// anything.
func longNumber(s string, i int) bool {
	if i < stepBytes || i+2*stepBytes > len(s) {
		return true
	}
	w0, w1, w2 := eightBytes(s, i-stepBytes), eightBytes(s, i), eightBytes(s, i+stepBytes)
	number := gather(numberBytes(w0)) | gather(numberBytes(w1))<<8 | gather(numberBytes(w2))<<16 | windowBehind
	// Where nine bytes that may be a number begin, and all that they cover.
	long := number & (number >> 1)
	long &= long >> 2
	long &= long >> 4
	long &= number >> 8
	long |= long << 1
	long |= long << 2
	long |= long<<4 | long<<5
	if long&windowPlaces == 0 {
		return false
	}
	digits := gather(digitBytes(w0)) | gather(digitBytes(w1))<<8 | gather(digitBytes(w2))<<16
	for four := digits & (digits >> 1) & (digits >> 2) & (digits >> 3) & windowPlaces & long; four != 0; {
		k := bits.TrailingZeros64(four)
		from := k + 1 - bits.LeadingZeros64(^(number << (63 - k)))
		to := k + bits.TrailingZeros64(^(number >> k))
		stretch := uint64(1)<<to - uint64(1)<<from
		if from == 0 || to == 64 || bits.OnesCount64(digits&stretch) >= MinNumberDigits {
			return true
		}
		four &^= stretch
	}
	return false
}

// eightBytes returns the bytes of s at i, the first one lowest.
func eightBytes(s string, i int) uint64 {
	w := s[i : i+8]
	return uint64(w[0]) | uint64(w[1])<<8 | uint64(w[2])<<16 | uint64(w[3])<<24 | uint64(w[4])<<32 | uint64(w[5])<<40 | uint64(w[6])<<48 | uint64(w[7])<<56
}

// digitBytes tells by the high bit of each byte of x whether it is a digit.
func digitBytes(x uint64) uint64 {
	low := x &^ highBits
	// The high bits of these say whether the byte is at least so much. No addition carries into the next byte.
	from0 := low + (0x80-'0')*eachByte
	past9 := low + (0x80-'9'-1)*eachByte
	return from0 &^ past9 &^ x & highBits
}

// numberBytes tells by the high bit of each byte of x whether it is a digit or may stand between the digits of a number. It takes
// all of ascii.NumSep, and two characters more, that are in a range with others.
func numberBytes(x uint64) uint64 {
	low := x &^ highBits
	fromParen := low + (0x80-'(')*eachByte
	past9 := low + (0x80-'9'-1)*eachByte
	noSpace := (low ^ ' '*eachByte) + 0x7f*eachByte
	noLine := (low ^ '_'*eachByte) + 0x7f*eachByte
	return (fromParen&^past9 | ^(noSpace & noLine)) &^ x & highBits
}

// gather collects the high bits of eight bytes.
func gather(x uint64) uint64 { return x >> 7 * 0x0102040810204080 >> 56 }

// MinNumberDigits is the shortest number that is anything here: a social security number.
const MinNumberDigits = 9

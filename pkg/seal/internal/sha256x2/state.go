// SPDX-License-Identifier: Apache-2.0

package sha256x2

import (
	"crypto/sha256"
	"encoding/binary"
)

// state is a hash value between two blocks, in the order in which the SHA extensions keep it: F, E, B, A, H, G, D, C.
type state [8]uint32

// initial is the value to begin with (FIPS 180-4, section 5.3.3).
var initial = state{0x9b05688c, 0x510e527f, 0xbb67ae85, 0x6a09e667, 0x5be0cd19, 0x1f83d9ab, 0xa54ff53a, 0x3c6ef372}

// digest returns the value as it is written: A to H.
func (s *state) digest() (d [sha256.Size]byte) {
	binary.BigEndian.PutUint32(d[0:], s[3])
	binary.BigEndian.PutUint32(d[4:], s[2])
	binary.BigEndian.PutUint32(d[8:], s[7])
	binary.BigEndian.PutUint32(d[12:], s[6])
	binary.BigEndian.PutUint32(d[16:], s[1])
	binary.BigEndian.PutUint32(d[20:], s[0])
	binary.BigEndian.PutUint32(d[24:], s[5])
	binary.BigEndian.PutUint32(d[28:], s[4])
	return d
}

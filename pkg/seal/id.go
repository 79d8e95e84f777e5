// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"strconv"
)

// IDKey is the attribute that a stamp puts on a record: the only thing it adds.
const IDKey = "logseal.id"

// OriginalKey is the attribute that holds a record's original in base64, for stores that rewrite records. Who puts it there
// excludes it from the digests.
const OriginalKey = "logseal.original"

// HandleSize is the length of a session's handle in characters.
const HandleSize = 8

// maxDigits bounds every decimal number of the format: below 10^18, so that it
// fits a signed and an unsigned 64-bit integer wherever a verifier is written.
const maxDigits = 18

var handleEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewHandle returns the handle of a session: 8 characters a-z2-7, from the stream's
// first public key and the session's nonce. It is short because it is on every
// record, so two sessions of a huge archive may share one; the seals hold the nonce.
func NewHandle(pk0 *PublicKey, nonce *[16]byte) string {
	var buf [len(pk0) + len(nonce)]byte
	copy(buf[:], pk0[:])
	copy(buf[len(pk0):], nonce[:])
	sum := sha256.Sum256(buf[:])
	return handleEncoding.EncodeToString(sum[:5])
}

// StreamID returns the stream's identifier: 16 hex digits of its first public key's hash.
func StreamID(pk0 *PublicKey) string {
	sum := sha256.Sum256(pk0[:])
	return hex.EncodeToString(sum[:8])
}

// ID is a record's place: a session and the record's number in it.
type ID struct {
	Handle string // 8 characters a-z2-7
	Seq    uint64 // from 0, below 10^18
}

// String returns the id as it is written on a record.
func (id ID) String() string { return id.Handle + "-" + strconv.FormatUint(id.Seq, 10) }

var errID = errors.New(`an id is 8 characters of a-z2-7, "-", and a decimal number below 10^18 without leading zeros`)

// ParseID parses the value of a record's [IDKey]. Each id has one spelling:
// anything else is an error.
func ParseID(s string) (ID, error) {
	if len(s) < HandleSize+2 || s[HandleSize] != '-' || !validHandle(s[:HandleSize]) {
		return ID{}, errID
	}
	seq, err := parseNumber(s[HandleSize+1:])
	if err != nil {
		return ID{}, errID
	}
	return ID{Handle: s[:HandleSize], Seq: seq}, nil
}

func validHandle(s string) bool {
	if len(s) != HandleSize {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

var errNumber = errors.New("not a decimal number below 10^18 without leading zeros")

// parseNumber parses the one spelling that the format allows for a number.
func parseNumber(s string) (uint64, error) {
	if len(s) == 0 || len(s) > maxDigits || (s[0] == '0' && len(s) > 1) {
		return 0, errNumber
	}
	var n uint64
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, errNumber
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return n, nil
}

// SPDX-License-Identifier: Apache-2.0

package seglog

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// KeySize is the length of a store's key in bytes.
const KeySize = 32

// ParseKeys reads keys in base64, separated by white space. What follows a # in a line is a comment. Errors name a key by
// its place, never by its text.
func ParseKeys(text string) ([][]byte, error) {
	var keys [][]byte
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		for _, field := range strings.Fields(line) {
			key, err := base64.StdEncoding.DecodeString(field)
			if err != nil || len(key) != KeySize {
				return nil, fmt.Errorf("key %d is not %d bytes in base64; `openssl rand -base64 32` makes one", len(keys)+1, KeySize)
			}
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no key in it; `openssl rand -base64 32` makes one")
	}
	return keys, nil
}

const (
	saltSize   = 32
	commitSize = 32
)

// KeyID names a key without telling anything of it. Headers and log lines carry it.
type KeyID [8]byte

// String returns the id in hexadecimal.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// IDOfKey returns the id of a store's key.
func IDOfKey(key []byte) KeyID {
	id, err := hkdf.Key(sha256.New, key, nil, "logseal seglog v1 key id", len(KeyID{}))
	if err != nil {
		panic(err) // of a length that no hash refuses
	}
	return KeyID(id)
}

// segmentKey is what is derived for one segment.
type segmentKey struct {
	aead   cipher.AEAD
	mark   uint32 // starts each frame; never 0, which is what an unused block holds
	commit [commitSize]byte
}

// deriveSegmentKey binds a segment's key to the store's key, the client, the number and the time.
func deriveSegmentKey(storeKey []byte, salt [saltSize]byte, client string, number, created uint64) (segmentKey, error) {
	info := binary.LittleEndian.AppendUint64([]byte("logseal seglog v1 segment\x00"), number)
	info = binary.LittleEndian.AppendUint64(info, created)
	out, err := hkdf.Key(sha256.New, storeKey, salt[:], string(info)+client, 32+commitSize+4)
	if err != nil {
		return segmentKey{}, err
	}
	block, err := aes.NewCipher(out[:32])
	if err != nil {
		return segmentKey{}, err
	}
	k := segmentKey{commit: [commitSize]byte(out[32:]), mark: binary.LittleEndian.Uint32(out[32+commitSize:]) | 1}
	if k.aead, err = cipher.NewGCM(block); err != nil {
		return segmentKey{}, fmt.Errorf("AES-GCM: %w", err)
	}
	return k, nil
}

func (k *segmentKey) commitsTo(commit [commitSize]byte) bool {
	return subtle.ConstantTimeCompare(k.commit[:], commit[:]) == 1
}

// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// PublicKey is an Ed25519 public key (RFC 8032).
type PublicKey [ed25519.PublicKeySize]byte

// algEd25519 is the C2SP signed-note signature type of Ed25519.
const algEd25519 = 1

const maxNameSize = 128

// Trust is one line of a trust file: a stream, by its first public key, and the
// operator's name for it.
type Trust struct {
	Name     string    // 1 to 128 of A-Za-z0-9 . _ : @ / -
	Key      PublicKey // pk0
	Optional bool      // the stream may be absent from an archive

	// PostQuantum is the hash of the stream's first ML-DSA-44 key; zero if it has none, or the line is of before it was named.
	PostQuantum Hash
}

// StreamID returns the identifier of the trusted stream.
func (t Trust) StreamID() string { return StreamID(&t.Key) }

// mldsaField begins the part of a trust line that names the first ML-DSA-44 key.
const mldsaField = "ml-dsa-44:"

// String returns the trust line: a C2SP signed-note verifier key, " ml-dsa-44:" and a hash in a post-quantum stream, and " optional".
func (t Trust) String() string {
	key := append([]byte{algEd25519}, t.Key[:]...)
	s := fmt.Sprintf("%s+%08x+%s", t.Name, keyID(t.Name, &t.Key), base64.StdEncoding.EncodeToString(key))
	if t.PostQuantum != (Hash{}) {
		s += " " + mldsaField + b64(t.PostQuantum[:])
	}
	if t.Optional {
		s += " optional"
	}
	return s
}

// ParseTrustLine parses one trust line, without its end of line.
func ParseTrustLine(line string) (Trust, error) {
	fields := strings.Fields(line)
	if len(fields) == 0 {
		return Trust{}, errTrustLine
	}
	var t Trust
	rest := fields[1:]
	if len(rest) > 0 && strings.HasPrefix(rest[0], mldsaField) {
		raw, err := base64.StdEncoding.Strict().DecodeString(rest[0][len(mldsaField):])
		if err != nil || len(raw) != HashSize || Hash(raw) == (Hash{}) {
			return Trust{}, errors.New(`behind "ml-dsa-44:" in a trust line is a SHA-256 hash in base64: take the line again from where it was printed`)
		}
		t.PostQuantum, rest = Hash(raw), rest[1:]
	}
	if len(rest) > 0 && rest[0] == "optional" {
		t.Optional, rest = true, rest[1:]
	}
	if len(rest) > 0 {
		return Trust{}, errTrustLine
	}
	parts := strings.SplitN(fields[0], "+", 3)
	if len(parts) != 3 {
		return Trust{}, errors.New(`a verifier key is name+hash+key, as "logseal enroll" prints it`)
	}
	t.Name = parts[0]
	if err := CheckName(t.Name); err != nil {
		return Trust{}, err
	}
	key, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(key) != 1+len(t.Key) || key[0] != algEd25519 {
		return Trust{}, fmt.Errorf("the key of %q is not an Ed25519 verifier key", t.Name)
	}
	copy(t.Key[:], key[1:])
	if parts[1] != fmt.Sprintf("%08x", keyID(t.Name, &t.Key)) {
		return Trust{}, fmt.Errorf("the hash of %q does not belong to its name and key: the line was changed; take it again from where it was printed", t.Name)
	}
	return t, nil
}

var errTrustLine = errors.New(`a trust line is a verifier key (name+hash+key), and after it "ml-dsa-44:" with a hash, or not, and "optional", or not`)

// ParseTrust reads a trust file: one trust line a line; empty lines and lines
// that start with "#" are skipped. A file without a stream, or with one key
// twice, is an error. Streams may share a name: a host that lost its keys goes on
// as a new stream, and its records of before still need the old line.
func ParseTrust(r io.Reader) ([]Trust, error) {
	var (
		list []Trust
		keys = map[PublicKey]int{}
	)
	scanner := bufio.NewScanner(r)
	for n := 1; scanner.Scan(); n++ {
		line := strings.TrimSpace(scanner.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		t, err := ParseTrustLine(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if first, twice := keys[t.Key]; twice {
			return nil, fmt.Errorf("line %d: the same key as in line %d", n, first)
		}
		keys[t.Key] = n
		list = append(list, t)
	}
	if err := scanner.Err(); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New(`no stream is trusted: put in the lines that "logseal enroll" prints`)
	}
	return list, nil
}

// CheckName returns an error unless name can name a stream.
func CheckName(name string) error {
	if name == "" || len(name) > maxNameSize {
		return fmt.Errorf("a stream's name has 1 to %d characters", maxNameSize)
	}
	for i := range len(name) {
		if c := name[i]; !isAlphanumeric(c) && (i == 0 || strings.IndexByte("._:@/-", c) < 0) {
			return fmt.Errorf("name %q: a stream's name is letters, digits and . _ : @ / - and starts with a letter or digit", name)
		}
	}
	return nil
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// keyID is the key ID of C2SP signed-note for an Ed25519 key of that name.
func keyID(name string, key *PublicKey) uint32 {
	b := append([]byte(name), '\n', algEd25519)
	sum := sha256.Sum256(append(b, key[:]...))
	return binary.BigEndian.Uint32(sum[:])
}

// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/logseal/logseal/pkg/redact/rules"
)

// A pseudonym is [ps:RULE:KEYID:VALUE:PROOF]. VALUE is HMAC-SHA256 over the canonical value with the rule's key, cut to 128
// bits: equal values have equal pseudonyms, so that records can still be joined. PROOF is HMAC-SHA256 over what comes
// before it, cut to 40 bits: who does not hold the key cannot write text that passes for a pseudonym.
const (
	pseudonymBytes = 16
	proofBytes     = 5
	minKeyBytes    = 32
	maxKeyBytes    = 1 << 16
)

var pseudonymEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

type pseudonymizer struct {
	canonical  func(byte) (byte, bool)
	prefix     string // "[ps:email:k3:"
	key, proof []byte
}

// newPseudonymizer derives the keys of a rule from the key in the file by HKDF, so that pseudonyms of different rules
// cannot be compared.
func newPseudonymizer(r *rule, k PseudonymKey, master []byte) (*pseudonymizer, error) {
	id := r.id
	key, err := hkdf.Key(sha256.New, master, nil, "logseal redact pseudonym "+k.ID+" "+id, 32)
	if err != nil {
		return nil, err
	}
	proof, err := hkdf.Key(sha256.New, master, nil, "logseal redact proof "+k.ID+" "+id, 32)
	if err != nil {
		return nil, err
	}
	var canonical func(byte) (byte, bool)
	if r.builtin != nil {
		canonical = r.builtin.Canonical
	}
	return &pseudonymizer{canonical, rules.PseudonymStart + id + ":" + k.ID + ":", key, proof}, nil
}

func (p *pseudonymizer) token(value string) string {
	mac := hmac.New(sha256.New, p.key)
	mac.Write(p.canonicalForm(value))
	body := p.prefix + pseudonymEncoding.EncodeToString(mac.Sum(nil)[:pseudonymBytes])
	return body + ":" + p.proofOf(body) + "]"
}

func (p *pseudonymizer) proofOf(body string) string {
	mac := hmac.New(sha256.New, p.proof)
	mac.Write([]byte(body))
	return pseudonymEncoding.EncodeToString(mac.Sum(nil)[:proofBytes])
}

// verify reports whether m is a pseudonym that this pseudonymizer made.
func (p *pseudonymizer) verify(m string) bool {
	if !strings.HasPrefix(m, p.prefix) || !strings.HasSuffix(m, "]") {
		return false
	}
	k := strings.LastIndexByte(m, ':')
	return k > len(p.prefix) && hmac.Equal([]byte(p.proofOf(m[:k])), []byte(m[k+1:len(m)-1]))
}

// canonicalForm brings the ways to write a value to one, as the rule says.
func (p *pseudonymizer) canonicalForm(v string) []byte {
	out := make([]byte, 0, len(v))
	for i := range len(v) {
		b, ok := v[i], true
		if p.canonical != nil {
			b, ok = p.canonical(b)
		}
		if ok {
			out = append(out, b)
		}
	}
	return out
}

// readKey reads the master key. The errors name the file and the remedy, never content.
func readKey(k PseudonymKey) ([]byte, error) {
	info, err := os.Stat(k.File)
	if err != nil {
		return nil, fmt.Errorf("pseudonym_key.file: %w; create it with: umask 077; head -c 32 /dev/urandom > FILE", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("pseudonym_key.file: %s is readable by group or others (mode %04o); run: chmod 600 %s", k.File, info.Mode().Perm(), k.File)
	}
	if info.Size() > maxKeyBytes {
		return nil, fmt.Errorf("pseudonym_key.file: %s is larger than 64 KiB; is it the right file?", k.File)
	}
	key, err := os.ReadFile(k.File)
	if err != nil {
		return nil, fmt.Errorf("pseudonym_key.file: %w", err)
	}
	if len(key) < minKeyBytes {
		return nil, errors.New("pseudonym_key.file: holds fewer than 32 bytes; a short key can be guessed, and with it every pseudonym undone")
	}
	return key, nil
}

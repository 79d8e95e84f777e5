// SPDX-License-Identifier: Apache-2.0

// Package tlspin holds a TLS client to a policy that is stricter than "some certificate authority signed this": the
// server's verified chain must also contain a public key that the operator has pinned, the session must be TLS 1.3,
// and, on request, its key exchange must resist a quantum computer.
//
// A pin comes in addition to the usual verification of chain, host name and validity, never instead of it.
//
// [Policy.Apply] is the way in: it turns a loaded *tls.Config into one that refuses, during the handshake and so before
// a byte of payload, every server that breaks the policy. [Policy.Observe] only tells of it. [Reason] names why a handshake failed in a word that fits a
// metric. [Fetch] and [Describe] are for the operator who is choosing pins.
//
// The package knows crypto/tls and nothing of gRPC, HTTP or the collector.
package tlspin

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Pin is the SHA-256 digest of a certificate's DER-encoded SubjectPublicKeyInfo (RFC 7469, section 2.4). It names a key,
// not a certificate: a certificate that is renewed with the same key keeps its pin.
type Pin [sha256.Size]byte

// prefix names the digest, so that another one can be told apart the day it is needed.
const prefix = "sha256/"

// Of returns the pin of the certificate's public key.
func Of(cert *x509.Certificate) Pin {
	return sha256.Sum256(cert.RawSubjectPublicKeyInfo)
}

// Parse reads a pin in the form that [Pin.String] writes: "sha256/" and 44 characters of standard base64.
// The error says what to write instead.
func Parse(s string) (Pin, error) {
	encoded, ok := strings.CutPrefix(s, prefix)
	if !ok {
		if looksLikeHex(s) {
			return Pin{}, fmt.Errorf("%q is a fingerprint in hexadecimal; write the pin that `logseal pin HOST:PORT` prints, sha256/BASE64=", s)
		}
		return Pin{}, fmt.Errorf("%q does not begin with %q; write the pin that `logseal pin HOST:PORT` prints, sha256/BASE64=", s, prefix)
	}
	// Strict: without it two spellings would name one pin, and a duplicate would pass for a backup.
	digest, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") {
		return Pin{}, fmt.Errorf("%q is not standard base64 after %q; write the pin that `logseal pin HOST:PORT` prints", s, prefix)
	}
	if len(digest) != sha256.Size {
		return Pin{}, fmt.Errorf("%q holds %d bytes, a SHA-256 digest has %d; write the pin that `logseal pin HOST:PORT` prints", s, len(digest), sha256.Size)
	}
	return Pin(digest), nil
}

// ParseAll reads the pins that stand under a key of a configuration, in their order. No pins are an error, and so is a repeated one, because
// whoever wrote it believes to have a backup. The error names the key and says what to write instead.
func ParseAll(key string, texts []string) ([]Pin, error) {
	if len(texts) == 0 {
		return nil, fmt.Errorf("%s are not set, so any server with a certificate from a trusted authority would receive the logs; run `logseal pin HOST:PORT` and write `pins: [sha256/…, sha256/…]`, the key in use and a backup", key)
	}
	var (
		pins  = make([]Pin, 0, len(texts))
		first = make(map[Pin]int, len(texts))
		errs  []error
	)
	for i, text := range texts {
		pin, err := Parse(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s[%d]: %w", key, i, err))
			continue
		}
		if j, seen := first[pin]; seen {
			errs = append(errs, fmt.Errorf("%s[%d] repeats %s[%d]; a backup is the pin of another key", key, i, key, j))
			continue
		}
		first[pin] = i
		pins = append(pins, pin)
	}
	return pins, errors.Join(errs...)
}

// String returns the pin as it is written in a configuration: "sha256/BASE64=".
func (p Pin) String() string {
	return prefix + base64.StdEncoding.EncodeToString(p[:])
}

// looksLikeHex reports whether s is a digest as `openssl x509 -fingerprint` prints it, with or without colons.
func looksLikeHex(s string) bool {
	digits := strings.ReplaceAll(s, ":", "")
	if len(digits) != 2*sha256.Size && len(digits) != 40 {
		return false
	}
	return strings.Trim(digits, "0123456789abcdefABCDEF") == ""
}

// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// MaxNoteSize is the most bytes a seal's note has, signatures included.
const MaxNoteSize = 64 << 10

// EventName is the event name of a seal's log record, and ScopeName the name of
// the scope it is in.
const (
	EventName = "logseal.seal"
	ScopeName = "logseal"
)

// AnchorSuffix is what the name of an anchor's key has behind the stream's origin.
const AnchorSuffix = "/anchor"

const (
	sigPrefix     = "— "
	maxSignatures = 100
	// maxOwnSignatures is more than the signature lines take that a seal is made with.
	maxOwnSignatures = 4 << 10
)

// Note is a seal as it is sent: a C2SP signed note.
type Note struct {
	Seal *Seal
	Text string // what is signed, with its final newline

	signatures []signature
}

type signature struct {
	name string
	id   uint32
	sig  []byte
}

// ErrNote is wrapped by errors about what is no signed note, or one that is longer than a seal may be.
var ErrNote = errors.New("not a signed note: a text, an empty line, signature lines; 65,536 bytes at most")

// ParseNote parses the body of a seal's log record. It first undoes what stores
// are known to do to line ends: CRLF, newlines written as a backslash and an n,
// and a lost final newline. It verifies no signature: see [Note.SignedBy]. The error wraps [ErrNote], [ErrText], or [ErrUnsupported].
func ParseNote(body string) (*Note, error) {
	if len(body) > 2*MaxNoteSize {
		return nil, ErrNote
	}
	msg := restoreLines(body)
	if len(msg) > MaxNoteSize {
		return nil, ErrNote
	}
	if !noteText(msg) {
		return nil, ErrNote
	}
	split := strings.LastIndex(msg, "\n\n")
	if split < 0 {
		return nil, ErrNote
	}
	text, lines := msg[:split+1], msg[split+2:]
	n := &Note{Text: text}
	for lines != "" {
		line, rest, _ := strings.Cut(lines, "\n") // restoreLines ended it with one
		lines = rest
		sig, err := parseSignature(line)
		if err != nil {
			return nil, err
		}
		if n.signatures = append(n.signatures, sig); len(n.signatures) > maxSignatures {
			return nil, ErrNote
		}
	}
	if len(n.signatures) == 0 {
		return nil, ErrNote
	}
	s, err := ParseSeal(text)
	if err != nil {
		return nil, err
	}
	n.Seal = s
	return n, nil
}

// noteText reports whether s can be in a C2SP signed note: valid UTF-8, and no control character but newline.
func noteText(s string) bool {
	for i := range len(s) { // no byte of a longer character is that low
		if s[i] < ' ' && s[i] != '\n' {
			return false
		}
	}
	return utf8.ValidString(s)
}

// CheckText returns an error for a text that [ParseNote] would not take out of a note with a seal's own signatures. Whoever
// signs asks first: what nobody can read must not be signed, and a signed text cannot be taken back.
func CheckText(text string) error {
	if !noteText(text) {
		return ErrNote
	}
	if len(text) > MaxNoteSize-maxOwnSignatures {
		return fmt.Errorf("%w: it is too long to be signed", ErrText)
	}
	_, err := ParseSeal(text)
	return err
}

// restoreLines undoes changes of line ends. A note holds neither a carriage
// return nor a backslash, so nothing else can have been meant.
func restoreLines(body string) string {
	if strings.IndexByte(body, '\\') >= 0 || strings.IndexByte(body, '\r') >= 0 { // ContainsAny reads byte by byte
		body = strings.NewReplacer(`\r\n`, "\n", `\n`, "\n", "\r\n", "\n").Replace(body)
	}
	if !strings.HasSuffix(body, "\n") {
		body += "\n"
	}
	return body
}

func parseSignature(line string) (signature, error) {
	line, ok := strings.CutPrefix(line, sigPrefix)
	name, encoded, _ := strings.Cut(line, " ")
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || name == "" || strings.ContainsFunc(name, notInName) || len(raw) < 5 {
		return signature{}, ErrNote
	}
	return signature{name: name, id: binary.BigEndian.Uint32(raw), sig: raw[4:]}, nil
}

// notInName reports whether a character cannot be in the name of a key of a signed note.
func notInName(r rune) bool { return r == '+' || unicode.IsSpace(r) }

// TextHash returns the SHA-256 of the signed text: what the next seal's Prev is,
// and what tells two seals of one number apart.
func (n *Note) TextHash() Hash { return sha256.Sum256([]byte(n.Text)) }

// SignedBy reports whether the note carries the signature of the seal's own key,
// which seal Number-1 named, or the trust file for seal 0.
func (n *Note) SignedBy(key *PublicKey) bool { return n.signed(n.Seal.Origin(), key) }

// AnchoredBy reports whether the note carries the signature of the anchor key,
// which earlier seals named for its number ([AnchorsAfter]). A seal whose number is a
// positive multiple of [AnchorEvery] needs it beside that of its own key. In a post-quantum stream there are two
// anchor keys, which the seal carries, and both must have signed it.
func (n *Note) AnchoredBy(key *AnchorKey) bool {
	name := n.Seal.Origin() + AnchorSuffix
	if !key.Hybrid() {
		return n.signed(name, key.Ed25519())
	}
	s := n.Seal
	return len(s.MLDSA) > 0 && HybridAnchor(&s.OwnAnchor, s.MLDSA) == *key && n.signed(name, &s.OwnAnchor) && n.SignedPostQuantum()
}

// ClaimsOwnSignature reports whether there is a signature that claims to be that of the seal's own key.
func (n *Note) ClaimsOwnSignature() bool {
	origin := n.Seal.Origin()
	return slices.ContainsFunc(n.signatures, func(s signature) bool { return s.name == origin })
}

// signed follows C2SP signed-note: signatures of other keys are ignored, and of
// several with one name and key ID the first counts.
func (n *Note) signed(name string, key *PublicKey) bool {
	id := keyID(name, key)
	for _, s := range n.signatures {
		if s.name == name && s.id == id {
			return ed25519.Verify(key[:], []byte(n.Text), s.sig)
		}
	}
	return false
}

// HasAnchor reports whether a seal of this number is signed by an anchor key too.
func (s *Seal) HasAnchor() bool { return s.Number > 0 && s.Number%AnchorEvery == 0 }

// Signature is a signature to be written.
type Signature struct {
	Name  string     // of the key: the origin, or with [AnchorSuffix] or [MLDSASuffix] behind it
	Key   *PublicKey // nil of an ML-DSA-44 key
	MLDSA []byte     // that
	Sig   []byte
}

func (s *Signature) keyID() uint32 {
	if s.Key == nil {
		return mldsaKeyID(s.Name, s.MLDSA)
	}
	return keyID(s.Name, s.Key)
}

// MarshalNote returns the note over text with its signatures. The signing is not
// done here, nor by package note, whose signers take keys as strings that cannot
// be overwritten.
func MarshalNote(text string, signatures []Signature) []byte {
	b := make([]byte, 0, len(text)+256*len(signatures))
	b = append(append(b, text...), '\n')
	for i := range signatures {
		s := &signatures[i]
		raw := binary.BigEndian.AppendUint32(nil, s.keyID())
		b = append(b, sigPrefix+s.Name+" "+b64(append(raw, s.Sig...))+"\n"...)
	}
	return b
}

// IsSeal reports whether a record claims to be a seal: its event name is
// [EventName], its body a string, and it carries no id. A record with an id was
// stamped, so it came from outside, whatever it looks like.
func IsSeal(lr plog.LogRecord) bool {
	if lr.EventName() != EventName || lr.Body().Type() != pcommon.ValueTypeStr {
		return false
	}
	_, stamped := lr.Attributes().Get(IDKey)
	return !stamped
}

// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/keychain"
)

// noteFault is what is done to a note so that it is none: the first match of a pattern becomes something else.
type noteFault struct {
	name, note       string // the note's name among those that are well-formed
	pattern, replace string
}

// noteFaults break the rules of section 6, each note one of them.
func noteFaults() []noteFault {
	seqs := func(n int) string { return fmt.Sprintf("%d-%d", 100, 100+n-1) }
	var void []string
	for i := range 513 {
		void = append(void, fmt.Sprint(1000+2*i))
	}
	ranges513 := strings.Join(void, ",")
	excludes := func(field string) (lines string) {
		for i := range 65 {
			lines += fmt.Sprintf("%s a%02d\n", field, i)
		}
		return lines
	}
	groups := func(n int) string { return "groups " + b64zeros(32*n) }
	blockOf := func(n int) string {
		return "block " + seqs(n) + "\n${1}" + groups((n+15)/16) + "\ndigests " + b64zeros(2*n) + "\n${2}"
	}
	faults := []noteFault{
		{"stream id too short", "heartbeat", `logseal\.v1/.`, "logseal.v1/"},
		{"size of 19 digits", "heartbeat", "\n3417\n", "\n1000000000000000000\n"},
		{"size with a sign", "heartbeat", "\n3417\n", "\n+3417\n"},
		{"root too short", "heartbeat", "\n[A-Za-z0-9+/]{43}=\nseal", "\n" + b64zeros(31) + "\nseal"},
		{"handle with a digit that base32 has not", "heartbeat", "k3x2a2qd", "k3x1a2qd"},
		{"nonce too short", "heartbeat", "(session [^ ]* )..", "$1"},
		{"day that does not exist", "heartbeat", "time 2026-11-23", "time 2026-02-30"},
		{"leap second", "heartbeat", "T05:22:20", "T05:22:60"},
		{"time with eight decimals", "heartbeat", "123456789Z", "12345678Z"},
		{"time with an offset", "heartbeat", "123456789Z", "123456789+00:00"},
		{"uptime with two decimals", "heartbeat", `uptime 86400\.123`, "uptime 86400.12"},
		{"uptime of 100 years", "heartbeat", `uptime 86400\.123`, "uptime 3153600000.000"},
		{"boot id in upper case", "heartbeat", "boot 09", "boot 0A"},
		{"name that is empty", "open", "name .*", "name "},
		{"name that begins with a dash", "open", "name ", "name -"},
		{"name with a space", "open", "name web-17", "name web 17"},
		{"name of 129 characters", "open", "name .*", "name " + strings.Repeat("a", 129)},
		{"key of another stream", "open", "key .*", "key " + b64zeros(32)},
		{"software that is empty", "open", "software .*", "software "},
		{"software with a colon", "open", "software .*", "software a:b"},
		{"interval of 100 years", "open", "interval .*", "interval 3153600000000"},
		{"interval with a fraction", "open", "interval .*", "interval 1000.5"},
		{"heartbeat missing", "open", "heartbeat .*\n", ""},
		{"heartbeat of 100 years", "open", "heartbeat .*", "heartbeat 3153600000000"},
		{"resource names before those of records", "open, first", "exclude a.b\nexclude k8s.[*]\n((?:exclude-resource .*\n)*)", "${1}exclude a.b\nexclude k8s.*\n"},
		{"rollback before excluded names", "open, first", "exclude a.b\n", "rollback 3\nexclude a.b\n"},
		{"rollback in a heartbeat", "heartbeat", "prev ", "rollback 3\nprev "},
		{"endorsement that is empty", "open, endorsed", "endorsement .*", "endorsement "},
		{"certificate that is empty", "open, endorsed", "certificate .*", "certificate "},
		{"endorsement of an open seal that is not the first", "open", "prev ", "endorsement AAAA\ncertificate AAAA\nprev "},
		{"void in an open seal", "open", "prev ", "void 1\nprev "},
		{"adopt that settles nothing", "adopt void", "void .*\n", ""},
		{"adopt of sent and of doubt", "adopt sent", "(sent 3-4\n)", "${1}doubt 5\n"},
		{"adopt without a handle", "adopt sent", "adopt .*", "adopt "},
		{"block that covers nothing", "block", "(?s)block 0-15.*?\n.*(prev )", "$1"},
		{"block in a heartbeat", "heartbeat", "prev ", "block 1\n" + groups(1) + "\ndigests AAA=\nprev "},
		{"block and void of one seq", "block", "void 16", "void 15"},
		{"block of 1025 seqs", "block", "(?s)block 0-15,17\n(void 16\n)groups.*?(prev )", "block " + seqs(1025) + "\n$1" + groups(65) + "\ndigests " + b64zeros(2050) + "\n$2"},
		{"block of 1,025 seqs, and all else in order", "block", blockLines, blockOf(1025)},
		{"doubt of 129 seqs", "adopt doubt", "(?s)doubt 3-4\ngroups.*?(prev )", "doubt " + seqs(129) + "\n" + groups(129) + "\n$1"},
		{"void of 513 ranges", "adopt void", "void .*", "void " + ranges513},
		{"void before what is covered", "block", "(block .*\n)(void .*\n)", "$2$1"},
		{"groups missing", "block", "groups .*\n", ""},
		{"group too few", "block", "groups .*", groups(1)},
		{"group too many", "block", "groups .*", groups(3)},
		{"groups of doubt as of a block", "adopt doubt", "groups .*", groups(1)},
		{"digests missing", "block", "digests .*\n", ""},
		{"digest too few", "block", "digests .*", "digests " + b64zeros(32)},
		{"digests in a block of doubt", "adopt doubt", "(groups .*\n)", "${1}digests " + b64zeros(4) + "\n"},
		{"end missing", "close", "end .*\n", ""},
		{"prev missing", "heartbeat", "prev .*\n", ""},
		{"prev in seal 0", "open, first", "next ", "prev " + b64zeros(32) + "\nnext "},
		{"next missing", "heartbeat", "next .*\n", ""},
		{"next too short", "heartbeat", "next .*", "next " + b64zeros(31)},
		{"anchors in another order", "heartbeat", "(anchor 3520 .*\n)(anchor 3584 .*\n)", "$2$1"},
		{"anchor twice", "heartbeat", "(anchor 3520 .*\n)", "$1$1"},
		{"anchor that is not to be named", "heartbeat", "(anchor 4096 .*\n)", "${1}anchor 8192 " + b64zeros(32) + "\n"},
		{"anchor key in an anchor of another stream", "anchor", "anchor 128", "anchor-key " + b64zeros(32) + "\nanchor 128"},
		{"ML-DSA key in seal 0 of another stream", "open, first", "anchor 64", "ml-dsa-44 " + b64zeros(seal.MLDSAKeySize) + "\nanchor 64"},
		{"no line of the anchor's ML-DSA key", "anchor, post-quantum", "ml-dsa-44 .*\n", ""},
		{"anchor's ML-DSA key too short", "anchor, post-quantum", "ml-dsa-44 .*", "ml-dsa-44 " + b64zeros(seal.MLDSAKeySize-1)},
		{"first ML-DSA key too long", "open, post-quantum", "ml-dsa-44 .*", "ml-dsa-44 " + b64zeros(seal.MLDSAKeySize+1)},
		{"control character in a signature's name", "heartbeat", "— logseal", "— \x01logseal"},
		{"signature without a name", "heartbeat", "— logseal.*? ", "—  "},
		{"signature of nothing", "heartbeat", "(— logseal.*? ).*", "${1}AAAAAA=="},
		{"signature with a hyphen for its dash", "heartbeat", "— logseal", "- logseal"},
		{"101 signatures", "heartbeat", "$", strings.Repeat("— a AAAAAAA=\n", 100)},
		{"note of more than 65,536 bytes", "heartbeat", "$", "— a " + strings.Repeat("AAAA", 16<<10) + "\n"},
	}
	for name, value := range map[string]string{
		"a star alone": "*", "a star within": "a*b", "a prefix of nothing": ".*", "a prefix without a dot": "a*", "the id": "logseal.id", "a quote": `a"b`,
		"a space": "a b", "a letter that is not ASCII": "ä", "nothing": "", "129 characters": strings.Repeat("a", 129),
	} {
		faults = append(faults, noteFault{"excluded name is " + name, "open", "prev ", "exclude " + value + "\nprev "})
		faults = append(faults, noteFault{"excluded name of resources is " + name, "open", "prev ", "exclude-resource " + value + "\nprev "})
	}
	for _, field := range []string{"exclude", "exclude-resource"} {
		faults = append(faults,
			noteFault{"65 lines of " + field, "open", "prev ", excludes(field) + "prev "},
			noteFault{field + " descending", "open", "prev ", field + " b\n" + field + " a\nprev "},
			noteFault{field + " twice", "open", "prev ", field + " a\n" + field + " a\nprev "})
	}
	return faults
}

// blockLines are what the sample of a block has of it, up to the line behind.
const blockLines = `(?s)block 0-15,17\n(void 16\n)groups.*?(prev )`

// b64zeros is base64 of zeros.
func b64zeros(n int) string { return b64(make([]byte, n)) }

// apply returns what is left of a note.
func (f *noteFault) apply(t *testing.T, good map[string]string) string {
	t.Helper()
	body := good[f.note]
	at := regexp.MustCompile(f.pattern).FindStringSubmatchIndex(body)
	require.NotNil(t, at, f.name)
	pattern := regexp.MustCompile(f.pattern)
	return body[:at[0]] + string(pattern.ExpandString(nil, f.replace, body, at)) + body[at[1]:]
}

// order is that of the group that Ed25519 counts in.
var order, _ = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)

func littleEndian(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

func bytes32(n *big.Int) []byte {
	b := n.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return b
}

// aboveOrder is a signature whose S is as good a number modulo the group's order, and above it.
func aboveOrder(signature []byte) []byte {
	s := littleEndian(signature[32:])
	return append(slices.Clone(signature[:32]), bytes32(s.Add(s, order))...)
}

// withCofactor is a key with a part of small order, and a signature that holds with the cofactor and not without it.
func withCofactor(t *testing.T, text string, random *fixedRandom) (seal.PublicKey, []byte) {
	t.Helper()
	secret := func(seed []byte) *big.Int {
		h := sha512.Sum512(seed)
		h[0] &= 248
		h[31] = h[31]&127 | 64
		return littleEndian(h[:32])
	}
	k, err := keychain.NewKeyPair(random)
	require.NoError(t, err)
	// The point of order 2 is (0, -1), and adding it to (x, y) gives (-x, -y).
	prime := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	encoded := slices.Clone(k.Public[:])
	sign := encoded[31] & 0x80
	encoded[31] &= 0x7f
	key := seal.PublicKey(bytes32(prime.Sub(prime, littleEndian(encoded))))
	key[31] |= sign ^ 0x80
	for { // until the hash is odd, and so does not take the small part away
		r, err := keychain.NewKeyPair(random)
		require.NoError(t, err)
		hash := sha512.Sum512(slices.Concat(r.Public[:], key[:], []byte(text)))
		c := new(big.Int).Mod(littleEndian(hash[:]), order)
		if c.Bit(0) == 0 {
			continue
		}
		s := new(big.Int).Mul(c, secret(k.Seed[:]))
		s.Mod(s.Add(s, secret(r.Seed[:])), order)
		signature := append(slices.Clone(r.Public[:]), bytes32(s)...)
		require.False(t, ed25519.Verify(key[:], []byte(text), signature))
		return key, signature
	}
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

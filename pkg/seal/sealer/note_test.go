// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/keychain"
	"github.com/logseal/logseal/pkg/seal/internal/samples"
)

// sealNotes returns the notes of n heartbeats of a new chain, and the keys that sign them.
func sealNotes(t testing.TB, n int, postQuantum bool) (notes []string, chains []keychain.Chain) {
	c, err := keychain.New(postQuantum, rand.Reader)
	require.NoError(t, err)
	id := seal.StreamID(&c.Key.Public)
	for range n {
		s := &seal.Seal{StreamID: id, Kind: seal.KindHeartbeat, Handle: "aaaaaaaa"}
		s.Time = s.Time.AddDate(2025, 0, 0)
		text, after, err := c.Next(s, rand.Reader)
		require.NoError(t, err)
		chains = append(chains, *c)
		notes = append(notes, string(c.Sign(text, s.Origin())))
		c = after
	}
	return notes, chains
}

// verifierOf returns what opens a note in golang.org/x/mod/sumdb/note.
func verifierOf(t *testing.T, name string, key seal.PublicKey) note.Verifier {
	vkey := seal.Trust{Name: name, Key: key}.String()
	v, err := note.NewVerifier(vkey)
	require.NoError(t, err)
	return v
}

func TestNotesOpenWithSumdb(t *testing.T) {
	notes, chains := sealNotes(t, 130, false)
	for i, text := range notes {
		n, err := seal.ParseNote(text)
		require.NoError(t, err)
		require.True(t, n.SignedBy(&chains[i].Key.Public))
		verifiers := []note.Verifier{verifierOf(t, n.Seal.Origin(), chains[i].Key.Public)}
		if n.Seal.HasAnchor() {
			anchor := chains[i].Anchor(n.Seal.Number)
			named := seal.Ed25519Anchor(&anchor.Public)
			require.True(t, n.AnchoredBy(&named))
			verifiers = append(verifiers, verifierOf(t, n.Seal.Origin()+seal.AnchorSuffix, anchor.Public))
		}
		require.Equal(t, i == 64 || i == 128, len(verifiers) == 2)
		opened, err := note.Open([]byte(text), note.VerifierList(verifiers...))
		require.NoError(t, err)
		require.Equal(t, n.Text, opened.Text)
		require.Len(t, opened.Sigs, len(verifiers))
		require.Empty(t, opened.UnverifiedSigs)

		checkpoint, _, _, err := log.ParseCheckpoint([]byte(text), n.Seal.Origin(), verifiers[0])
		require.NoError(t, err)
		require.Equal(t, n.Seal.Size, checkpoint.Size)
		require.Equal(t, n.Seal.Root[:], checkpoint.Hash)
	}
}

// TestPostQuantumSize: ML-DSA-44 keys and signatures take at most 120 bytes a seal on average.
func TestPostQuantumSize(t *testing.T) {
	const n = 640
	size := func(postQuantum bool) (total int) {
		notes, _ := sealNotes(t, n, postQuantum)
		for _, note := range notes {
			total += len(note)
		}
		return total
	}
	more := float64(size(true)-size(false)) / n
	t.Logf("%.1f bytes a seal more", more)
	require.Less(t, more, 120.0)
}

// BenchmarkSeals is what it takes to make and sign a heartbeat, averaged over 64.
func BenchmarkSeals(b *testing.B) {
	for name, postQuantum := range map[string]bool{"ed25519": false, "post-quantum": true} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				sealNotes(b, 64, postQuantum)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/64, "µs/seal")
		})
	}
}

func TestNotesOfOtherKeys(t *testing.T) {
	notes, chains := sealNotes(t, 65, false)
	n, err := seal.ParseNote(notes[64])
	require.NoError(t, err)
	for i := range 64 {
		require.False(t, n.SignedBy(&chains[i].Key.Public), "key of seal %d", i)
	}
	anchor := chains[64].Anchor(64).Public
	require.False(t, n.SignedBy(&anchor), "an anchor's key is no seal's key")
	own := seal.Ed25519Anchor(&chains[64].Key.Public)
	require.False(t, n.AnchoredBy(&own))

	flipped := []byte(notes[64])
	flipped[len(n.Text)-10] ^= 1
	if n, err := seal.ParseNote(string(flipped)); err == nil {
		require.False(t, n.SignedBy(&chains[64].Key.Public))
	}
}

func TestNotesSurviveStores(t *testing.T) {
	notes, chains := sealNotes(t, 2, false)
	want, err := seal.ParseNote(notes[1])
	require.NoError(t, err)
	junk := "— example.com/other " + base64.StdEncoding.EncodeToString(make([]byte, 68)) + "\n"
	for name, body := range map[string]string{
		"as it was":              notes[1],
		"CRLF":                   strings.ReplaceAll(notes[1], "\n", "\r\n"),
		"escaped newlines":       strings.ReplaceAll(notes[1], "\n", `\n`),
		"escaped CRLF":           strings.ReplaceAll(notes[1], "\n", `\r\n`),
		"no final newline":       strings.TrimSuffix(notes[1], "\n"),
		"escaped and trimmed":    strings.TrimSuffix(strings.ReplaceAll(notes[1], "\n", `\n`), `\n`),
		"a junk signature after": notes[1] + junk,
		"a junk signature first": strings.Replace(notes[1], "\n\n", "\n\n"+junk, 1),
	} {
		t.Run(name, func(t *testing.T) {
			n, err := seal.ParseNote(body)
			require.NoError(t, err)
			require.Equal(t, want.Text, n.Text)
			require.Equal(t, want.TextHash(), n.TextHash())
			require.True(t, n.SignedBy(&chains[1].Key.Public))
		})
	}
	for name, body := range map[string]string{
		"empty":                 "",
		"no signature":          want.Text + "\n",
		"no empty line":         strings.Replace(notes[1], "\n\n", "\n", 1),
		"a line that is none":   notes[1] + "junk\n",
		"a space before":        " " + notes[1],
		"a NUL":                 notes[1] + "\x00",
		"invalid UTF-8":         notes[1] + "\xff",
		"lone CR":               strings.ReplaceAll(notes[1], "\n", "\r"),
		"too long":              notes[1] + strings.Repeat("x", 2*seal.MaxNoteSize),
		"too many signatures":   notes[1] + strings.Repeat(junk, 101),
		"escaped and in quotes": `"` + strings.ReplaceAll(notes[1], "\n", `\n`) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := seal.ParseNote(body)
			require.Error(t, err)
		})
	}
}

func FuzzParseNote(f *testing.F) {
	notes, _ := sealNotes(f, 65, false)
	f.Add(notes[0])
	f.Add(notes[64])
	for _, s := range samples.Seals() {
		f.Add(s.Text() + "\n— a AAAAAAAA\n")
	}
	f.Fuzz(func(t *testing.T, body string) {
		n, err := seal.ParseNote(body)
		if err != nil {
			return
		}
		require.Equal(t, n.Text, n.Seal.Text(), "a text has one spelling")
		require.LessOrEqual(t, n.Seal.Covered.Len(), uint64(seal.MaxBlock))
		n.SignedBy(&n.Seal.Next)
	})
}

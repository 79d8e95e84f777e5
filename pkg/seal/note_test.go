// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"
)

// sealNotes returns the notes of n heartbeats of a new chain, and the keys that sign them.
func sealNotes(t testing.TB, n int) (notes []string, chains []chain) {
	c, err := newChain(rand.Reader)
	require.NoError(t, err)
	id := StreamID(&c.key.public)
	for range n {
		s := &Seal{StreamID: id, Kind: KindHeartbeat, Handle: "aaaaaaaa"}
		s.Time = s.Time.AddDate(2025, 0, 0)
		text, after, err := c.next(s, rand.Reader)
		require.NoError(t, err)
		chains = append(chains, *c)
		notes = append(notes, string(c.sign(text, s.Origin())))
		c = after
	}
	return notes, chains
}

// verifierOf returns what opens a note in golang.org/x/mod/sumdb/note.
func verifierOf(t *testing.T, name string, key PublicKey) note.Verifier {
	vkey := Trust{Name: name, Key: key}.String()
	v, err := note.NewVerifier(vkey)
	require.NoError(t, err)
	return v
}

func TestNotesOpenWithSumdb(t *testing.T) {
	notes, chains := sealNotes(t, 130)
	for i, text := range notes {
		n, err := ParseNote(text)
		require.NoError(t, err)
		require.True(t, n.SignedBy(&chains[i].key.public))
		verifiers := []note.Verifier{verifierOf(t, n.Seal.Origin(), chains[i].key.public)}
		if n.Seal.HasAnchor() {
			anchor := chains[i].anchor(n.Seal.Number)
			require.True(t, n.AnchoredBy(&anchor.public))
			verifiers = append(verifiers, verifierOf(t, n.Seal.Origin()+anchorSuffix, anchor.public))
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

func TestNotesOfOtherKeys(t *testing.T) {
	notes, chains := sealNotes(t, 65)
	n, err := ParseNote(notes[64])
	require.NoError(t, err)
	for i := range 64 {
		require.False(t, n.SignedBy(&chains[i].key.public), "key of seal %d", i)
	}
	anchor := chains[64].anchor(64).public
	require.False(t, n.SignedBy(&anchor), "an anchor's key is no seal's key")
	require.False(t, n.AnchoredBy(&chains[64].key.public))

	flipped := []byte(notes[64])
	flipped[len(n.Text)-10] ^= 1
	if n, err := ParseNote(string(flipped)); err == nil {
		require.False(t, n.SignedBy(&chains[64].key.public))
	}
}

func TestNotesSurviveStores(t *testing.T) {
	notes, chains := sealNotes(t, 2)
	want, err := ParseNote(notes[1])
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
			n, err := ParseNote(body)
			require.NoError(t, err)
			require.Equal(t, want.Text, n.Text)
			require.Equal(t, want.TextHash(), n.TextHash())
			require.True(t, n.SignedBy(&chains[1].key.public))
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
		"too long":              notes[1] + strings.Repeat("x", 2*MaxNoteSize),
		"too many signatures":   notes[1] + strings.Repeat(junk, 101),
		"escaped and in quotes": `"` + strings.ReplaceAll(notes[1], "\n", `\n`) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseNote(body)
			require.Error(t, err)
		})
	}
}

func FuzzParseNote(f *testing.F) {
	notes, _ := sealNotes(f, 65)
	f.Add(notes[0])
	f.Add(notes[64])
	for _, s := range sampleSeals() {
		f.Add(s.Text() + "\n— a AAAAAAAA\n")
	}
	f.Fuzz(func(t *testing.T, body string) {
		n, err := ParseNote(body)
		if err != nil {
			return
		}
		require.Equal(t, n.Text, n.Seal.Text(), "a text has one spelling")
		require.LessOrEqual(t, n.Seal.Covered.Len(), uint64(MaxBlock))
		n.SignedBy(&n.Seal.Next)
	})
}

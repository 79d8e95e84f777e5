// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/samples"
)

func TestSealTextRoundTrip(t *testing.T) {
	for name, s := range samples.Seals() {
		t.Run(name, func(t *testing.T) {
			got, err := seal.ParseSeal(s.Text())
			require.NoError(t, err, s.Text())
			require.Equal(t, s, *got)
		})
	}
}

func TestParseSealRefuses(t *testing.T) {
	seals := samples.Seals()
	block, open, adopt, endorsed := seals["block"], seals["open"], seals["adopt sent"], seals["open, endorsed"]
	for name, text := range map[string]string{
		"empty":                       "",
		"no final newline":            strings.TrimSuffix(block.Text(), "\n"),
		"trailing line":               block.Text() + "x\n",
		"trailing space":              strings.Replace(block.Text(), "kind block\n", "kind block \n", 1),
		"leading zero":                strings.Replace(block.Text(), "seal 3502", "seal 03502", 1),
		"plus sign":                   strings.Replace(block.Text(), "seal 3502", "seal +3502", 1),
		"huge number":                 strings.Replace(block.Text(), "seal 3502", "seal 1000000000000000000", 1),
		"other kind":                  strings.Replace(block.Text(), "kind block", "kind blocks", 1),
		"kind edited":                 strings.Replace(block.Text(), "kind block", "kind heartbeat", 1),
		"version edited":              strings.Replace(block.Text(), "logseal.v1", "logseal.v2", 1),
		"upper case origin":           strings.Replace(block.Text(), block.StreamID, strings.ToUpper(block.StreamID), 1),
		"short time":                  strings.Replace(block.Text(), ".123456789Z", ".123Z", 1),
		"offset time":                 strings.Replace(block.Text(), "789Z", "789+00:00", 1),
		"uptime digits":               strings.Replace(block.Text(), "86400.123", "86400.1234", 1),
		"uptime sign":                 strings.Replace(block.Text(), "86400.123", "86400.+12", 1),
		"nonce in upper case":         strings.Replace(block.Text(), "010203", "0102AB", 1),
		"void and covered":            strings.Replace(block.Text(), "void 16", "void 15", 1),
		"touching ranges":             strings.Replace(block.Text(), "block 0-15,17", "block 0-14,15,17", 1),
		"descending ranges":           strings.Replace(block.Text(), "block 0-15,17", "block 17,0-15", 1),
		"range of one":                strings.Replace(block.Text(), "block 0-15,17", "block 0-15,17-17", 1),
		"one leaf more":               strings.Replace(block.Text(), "block 0-15,17", "block 0-15,17-18", 1),
		"too many leaves":             strings.Replace(block.Text(), "block 0-15,17", "block 0-1024", 1),
		"block without leaves":        strings.Replace(block.Text(), "block 0-15,17\n", "", 1),
		"missing digests":             cutLine(block.Text(), "digests"),
		"missing prev":                cutLine(block.Text(), "prev"),
		"another anchor":              strings.Replace(block.Text(), "anchor 3520", "anchor 3521", 1),
		"an anchor less":              cutLine(block.Text(), "anchor 3584"),
		"adopt settles nothing":       cutLine(cutLine(cutLine(adopt.Text(), "sent"), "groups"), "digests"),
		"unsorted excludes":           strings.Replace(open.Text(), "prev", "exclude b\nexclude a\nprev", 1),
		"exclude everything":          strings.Replace(open.Text(), "prev", "exclude *\nprev", 1),
		"another stream's key":        strings.Replace(open.Text(), "key CAgI", "key CAgJ", 1),
		"endorsed later":              strings.Replace(open.Text(), "prev", "endorsement AAAA\ncertificate AAAA\nprev", 1),
		"endorsed by nobody":          cutLine(cutLine(endorsed.Text(), "certificate"), "certificate"),
		"certificate alone":           cutLine(endorsed.Text(), "endorsement"),
		"empty endorsement":           strings.Replace(endorsed.Text(), "endorsement c2lnbmF0dXJl", "endorsement ", 1),
		"empty certificate":           strings.Replace(endorsed.Text(), "certificate bGVhZg==", "certificate ", 1),
		"endorsement with spare bits": strings.Replace(endorsed.Text(), "bGVhZg==", "bGVhZh==", 1),
		"nine certificates":           strings.Replace(endorsed.Text(), "next", strings.Repeat("certificate AAAA\n", 7)+"next", 1),
		"17 KB of certificates":       strings.Replace(endorsed.Text(), "next", "certificate "+strings.Repeat("AAAA", 17<<10/3)+"\nnext", 1),
		"long endorsement":            strings.Replace(endorsed.Text(), "c2lnbmF0dXJl", strings.Repeat("AAAA", 342), 1),
		"void in open":                strings.Replace(open.Text(), "prev", "void 1\nprev", 1),
		"base64 without pad":          strings.Replace(block.Text(), "=\nnext", "\nnext", 1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := seal.ParseSeal(text)
			require.Error(t, err)
			if name == "version edited" {
				require.ErrorIs(t, err, seal.ErrUnsupported)
			}
		})
	}
}

func cutLine(text, field string) string {
	i := strings.Index(text, "\n"+field+" ")
	end := i + 1 + strings.IndexByte(text[i+1:], '\n')
	return text[:i] + text[end:]
}

// TestCheckText: a text that a reader would not take is not signed.
func TestCheckText(t *testing.T) {
	for name, s := range samples.Seals() {
		require.NoError(t, seal.CheckText(s.Text()), name)
	}
	for name, edit := range map[string]func(*seal.Seal){
		"tab":             func(s *seal.Seal) { s.Name = "a\tb" },
		"carriage return": func(s *seal.Seal) { s.Name = "a\r" },
		"NUL":             func(s *seal.Seal) { s.Software = "a\x00" },
		"newline":         func(s *seal.Seal) { s.Name = "a\nkey b" },
		"invalid UTF-8":   func(s *seal.Seal) { s.Name = "a\xff" },
		"a long name":     func(s *seal.Seal) { s.Name = strings.Repeat("a", 129) },
		"size": func(s *seal.Seal) {
			for range 600 {
				s.Exclude = append(s.Exclude, strings.Repeat("a", 128))
			}
		},
		"a time without a place": func(s *seal.Seal) { s.Time = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		s := samples.Seals()["open"]
		edit(&s)
		require.Error(t, seal.CheckText(s.Text()), name)
	}
	require.Error(t, seal.CheckText(strings.Repeat("a", seal.MaxNoteSize)))
}

// TestErrorsOfNotes: who reads notes can tell what kind of fault one has.
func TestErrorsOfNotes(t *testing.T) {
	block := samples.Seals()["block"]
	signature := "\n— a AAAAAAA=\n"
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"well-formed":       {block.Text() + signature, nil},
		"nothing":           {"", seal.ErrNote},
		"no signature":      {block.Text() + "\n", seal.ErrNote},
		"no base64":         {block.Text() + "\n— a ?\n", seal.ErrNote},
		"control character": {strings.Replace(block.Text(), "kind block", "kind\tblock", 1) + signature, seal.ErrNote},
		"too long":          {block.Text() + strings.Repeat("x", seal.MaxNoteSize) + signature, seal.ErrNote},
		"another text":      {"hello\n" + signature, seal.ErrText},
		"another spelling":  {strings.Replace(block.Text(), "seal 3502", "seal 03502", 1) + signature, seal.ErrText},
		"a later version":   {strings.Replace(block.Text(), "logseal.v1", "logseal.v2", 1) + signature, seal.ErrUnsupported},
	} {
		_, err := seal.ParseNote(c.body)
		if c.want == nil {
			require.NoError(t, err, name)
			continue
		}
		for _, sentinel := range []error{seal.ErrNote, seal.ErrText, seal.ErrUnsupported} {
			require.Equal(t, errors.Is(c.want, sentinel), errors.Is(err, sentinel), "%s: %v", name, err)
		}
	}
}

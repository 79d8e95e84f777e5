// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func fill(n byte) (h [32]byte) {
	for i := range h {
		h[i] = n
	}
	return h
}

// sampleSeals returns one well-formed seal of each kind and shape.
func sampleSeals() map[string]Seal {
	base := Seal{
		Size: 3417, Root: fill(1), Number: 3502,
		Handle: "k3x2a2qd", Nonce: [16]byte{1, 2, 3}, Time: time.Date(2026, 11, 23, 5, 22, 20, 123456789, time.UTC),
		Uptime: 86400*time.Second + 123*time.Millisecond, BootID: [16]byte{9},
		Prev: fill(2), Next: fill(3),
		Anchors: []Anchor{{3520, fill(4)}, {3584, fill(5)}, {4096, fill(6)}, {262144, fill(7)}},
	}
	seals := map[string]Seal{}
	key := PublicKey(fill(8))
	base.StreamID = StreamID(&key)
	add := func(name string, change func(*Seal)) {
		s := base
		change(&s)
		if s.Kind == KindOpen {
			s.Key = key
		}
		seals[name] = s
	}
	add("open", func(s *Seal) {
		s.Kind, s.Name, s.Software = KindOpen, "web-17/audit", "logseal/0.1.0"
		s.Interval, s.Heartbeat = time.Second, time.Minute
	})
	add("open, first", func(s *Seal) {
		s.Kind, s.Name, s.Software, s.Number, s.Prev = KindOpen, "w", "x", 0, Hash{}
		s.Anchors = []Anchor{{64, fill(4)}, {128, fill(5)}, {4096, fill(6)}, {262144, fill(7)}}
		s.Exclude, s.ExcludeResource = []string{"a.b", "k8s.*"}, []string{"cloud.*", "region"}
	})
	add("open, rolled back", func(s *Seal) {
		s.Kind, s.Name, s.Software, s.RolledBack, s.RollbackTo = KindOpen, "w", "x", true, 12
	})
	add("block", func(s *Seal) {
		s.Kind, s.Covered = KindBlock, Ranges{{0, 15}, {17, 17}}
		s.Void, s.Groups, s.Prefixes = Ranges{{16, 16}}, []Hash{fill(5), fill(6)}, make([]byte, 34)
	})
	add("adopt sent", func(s *Seal) {
		s.Kind, s.Adopts, s.Covered = KindAdopt, "abcdefgh", Ranges{{3, 4}}
		s.Groups, s.Prefixes = []Hash{fill(5)}, make([]byte, 4)
	})
	add("adopt doubt", func(s *Seal) {
		s.Kind, s.Adopts, s.Doubt, s.Covered = KindAdopt, "abcdefgh", true, Ranges{{3, 4}}
		s.Groups = []Hash{fill(5), fill(6)}
	})
	add("adopt void", func(s *Seal) { s.Kind, s.Adopts, s.Void = KindAdopt, "abcdefgh", Ranges{{7, 9}} })
	add("heartbeat", func(s *Seal) { s.Kind = KindHeartbeat })
	add("close", func(s *Seal) { s.Kind, s.End, s.Void = KindClose, 12, Ranges{{7, 9}} })
	return seals
}

func TestSealTextRoundTrip(t *testing.T) {
	for name, s := range sampleSeals() {
		t.Run(name, func(t *testing.T) {
			got, err := ParseSeal(s.Text())
			require.NoError(t, err, s.Text())
			require.Equal(t, s, *got)
		})
	}
}

func TestParseSealRefuses(t *testing.T) {
	seals := sampleSeals()
	block, open, adopt := seals["block"], seals["open"], seals["adopt sent"]
	for name, text := range map[string]string{
		"empty":                 "",
		"no final newline":      strings.TrimSuffix(block.Text(), "\n"),
		"trailing line":         block.Text() + "x\n",
		"trailing space":        strings.Replace(block.Text(), "kind block\n", "kind block \n", 1),
		"leading zero":          strings.Replace(block.Text(), "seal 3502", "seal 03502", 1),
		"plus sign":             strings.Replace(block.Text(), "seal 3502", "seal +3502", 1),
		"huge number":           strings.Replace(block.Text(), "seal 3502", "seal 1000000000000000000", 1),
		"other kind":            strings.Replace(block.Text(), "kind block", "kind blocks", 1),
		"kind edited":           strings.Replace(block.Text(), "kind block", "kind heartbeat", 1),
		"version edited":        strings.Replace(block.Text(), "logseal.v1", "logseal.v2", 1),
		"upper case origin":     strings.Replace(block.Text(), block.StreamID, strings.ToUpper(block.StreamID), 1),
		"short time":            strings.Replace(block.Text(), ".123456789Z", ".123Z", 1),
		"offset time":           strings.Replace(block.Text(), "789Z", "789+00:00", 1),
		"uptime digits":         strings.Replace(block.Text(), "86400.123", "86400.1234", 1),
		"uptime sign":           strings.Replace(block.Text(), "86400.123", "86400.+12", 1),
		"nonce in upper case":   strings.Replace(block.Text(), "010203", "0102AB", 1),
		"void and covered":      strings.Replace(block.Text(), "void 16", "void 15", 1),
		"touching ranges":       strings.Replace(block.Text(), "block 0-15,17", "block 0-14,15,17", 1),
		"descending ranges":     strings.Replace(block.Text(), "block 0-15,17", "block 17,0-15", 1),
		"range of one":          strings.Replace(block.Text(), "block 0-15,17", "block 0-15,17-17", 1),
		"one leaf more":         strings.Replace(block.Text(), "block 0-15,17", "block 0-15,17-18", 1),
		"too many leaves":       strings.Replace(block.Text(), "block 0-15,17", "block 0-1024", 1),
		"block without leaves":  strings.Replace(block.Text(), "block 0-15,17\n", "", 1),
		"missing digests":       cutLine(block.Text(), "digests"),
		"missing prev":          cutLine(block.Text(), "prev"),
		"another anchor":        strings.Replace(block.Text(), "anchor 3520", "anchor 3521", 1),
		"an anchor less":        cutLine(block.Text(), "anchor 3584"),
		"adopt settles nothing": cutLine(cutLine(cutLine(adopt.Text(), "sent"), "groups"), "digests"),
		"unsorted excludes":     strings.Replace(open.Text(), "prev", "exclude b\nexclude a\nprev", 1),
		"exclude everything":    strings.Replace(open.Text(), "prev", "exclude *\nprev", 1),
		"another stream's key":  strings.Replace(open.Text(), "key CAgI", "key CAgJ", 1),
		"void in open":          strings.Replace(open.Text(), "prev", "void 1\nprev", 1),
		"base64 without pad":    strings.Replace(block.Text(), "=\nnext", "\nnext", 1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseSeal(text)
			require.Error(t, err)
			if name == "version edited" {
				require.ErrorIs(t, err, ErrUnsupported)
			}
		})
	}
}

func cutLine(text, field string) string {
	i := strings.Index(text, "\n"+field+" ")
	end := i + 1 + strings.IndexByte(text[i+1:], '\n')
	return text[:i] + text[end:]
}

// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseID(t *testing.T) {
	for _, s := range []string{"k3x2a2qd-0", "aaaaaaaa-7", "zzzz2222-999999999999999999"} {
		id, err := ParseID(s)
		require.NoError(t, err)
		require.Equal(t, s, id.String())
	}
	for name, s := range map[string]string{
		"empty":            "",
		"no number":        "k3x2a2qd-",
		"no dash":          "k3x2a2qd0",
		"leading zero":     "k3x2a2qd-01",
		"two zeros":        "k3x2a2qd-00",
		"sign":             "k3x2a2qd-+1",
		"negative":         "k3x2a2qd--1",
		"too large":        "k3x2a2qd-1000000000000000000",
		"beyond 64 bits":   "k3x2a2qd-99999999999999999999999",
		"upper case":       "K3X2A2QD-1",
		"not base32":       "k3x9a2qd-1",
		"short handle":     "k3x2a2q-1",
		"long handle":      "k3x2a2qdd-1",
		"space":            "k3x2a2qd-1 ",
		"newline":          "k3x2a2qd-1\n",
		"other digits":     "k3x2a2qd-١",
		"fraction":         "k3x2a2qd-1.0",
		"hexadecimal":      "k3x2a2qd-0x1",
		"underscore":       "k3x2a2qd-1_0",
		"full-width digit": "k3x2a2qd-１",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseID(s)
			require.Error(t, err)
		})
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("k3x2a2qd-104233")
	f.Add("k3x2a2qd-00")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := ParseID(s); err == nil && id.String() != s {
			t.Errorf("%q is read as %q", s, id)
		}
	})
}

func TestRangesAgainstSet(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		set := map[uint64]bool{}
		var rs Ranges
		for range 60 {
			first := rng.Uint64N(100)
			r := Range{first, first + rng.Uint64N(8)}
			remove := rng.IntN(3) == 0
			if remove {
				rs = rs.Remove(r)
			} else {
				rs = rs.Add(r)
			}
			for n := r.First; n <= r.Last; n++ {
				set[n] = !remove
			}
			var count uint64
			for n := range uint64(120) {
				if set[n] != rs.Contains(n) {
					t.Fatalf("%v: %d is %v", rs, n, set[n])
				}
				if set[n] {
					count++
				}
			}
			require.Equal(t, count, rs.Len())
			if len(rs) > 0 {
				parsed, err := ParseRanges(rs.String(), 100)
				require.NoError(t, err)
				require.Equal(t, rs, parsed)
			}
		}
	}
}

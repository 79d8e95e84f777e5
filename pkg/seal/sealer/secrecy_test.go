// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/keychain"
)

// seedLog hands out random bytes and remembers the keys made of them.
type seedLog struct {
	seeds map[seal.PublicKey]keychain.Seed
}

func (l *seedLog) Read(p []byte) (int, error) {
	n, err := rand.Read(p)
	if len(p) == len(keychain.Seed{}) {
		k := &keychain.KeyPair{Seed: keychain.Seed(p)}
		k.Derive()
		l.seeds[k.Public] = k.Seed
	}
	return n, err
}

// TestEverythingCopied: with all that a host has on its disk and in its memory, at
// any moment, no seal that was sent can be made again: its keys are gone.
func TestEverythingCopied(t *testing.T) {
	log := &seedLog{map[seal.PublicKey]keychain.Seed{}}
	ts := newTestStream(t)
	ts.cfg.random = log
	used := map[seal.PublicKey]bool{}
	check := func() {
		for _, n := range ts.notes {
			for key := range log.seeds {
				if n.SignedBy(&key) || n.AnchoredBy(&key) {
					used[key] = true
				}
			}
		}
		ts.notes = ts.notes[:0]
		for key := range used {
			secret := log.seeds[key]
			require.False(t, bytes.Contains(ts.file.data, secret[:]), "a used key is in the key file")
			for name, value := range ts.store.m {
				require.False(t, bytes.Contains(value, secret[:]), "a used key is in %s", name)
			}
			for _, c := range []*keychain.Chain{ts.chain, ts.cfgSlot(0), ts.cfgSlot(1)} {
				for _, held := range keysOf(c) {
					require.NotEqual(t, secret, held.Seed, "a used key is in memory")
				}
			}
		}
	}
	ts.start()
	check()
	for i := range 150 {
		ts.send(1+i%3, i%5 > 0)
		if i%3 == 0 {
			require.NoError(t, ts.tick())
		}
		if i%20 == 19 {
			ts.stop()
			check()
			ts.start()
		}
		check()
	}
	require.Greater(t, len(used), 60)
	require.Contains(t, used, ts.Trust().Key)
	ts.stop()
}

// cfgSlot returns a chain that the key file's reader left in memory.
func (ts *testStream) cfgSlot(i int) *keychain.Chain { return ts.Sealer.cfg.Keys.slots[i] }

func keysOf(c *keychain.Chain) (keys []*keychain.KeyPair) {
	if c == nil {
		return nil
	}
	keys = append(keys, c.Key)
	for _, a := range c.Anchors {
		keys = append(keys, a.KeyPair)
	}
	return keys
}

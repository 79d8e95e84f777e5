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
	mldsa map[seal.Hash]keychain.Seed // by the hash of the ML-DSA-44 key that is made of it; nil if none is
}

func (l *seedLog) Read(p []byte) (int, error) {
	n, err := rand.Read(p)
	if len(p) == len(keychain.Seed{}) {
		k := &keychain.KeyPair{Seed: keychain.Seed(p)}
		k.Derive()
		l.seeds[k.Public] = k.Seed
		if l.mldsa != nil {
			m, err := keychain.NewMLDSAKey(bytes.NewReader(p))
			if err != nil {
				return 0, err
			}
			l.mldsa[seal.MLDSAHash(m.Public)] = k.Seed
		}
	}
	return n, err
}

// TestEverythingCopied: with all that a host has on its disk and in its memory, at
// any moment, no seal that was sent can be made again: its keys are gone.
func TestEverythingCopied(t *testing.T) {
	t.Run("Ed25519", func(t *testing.T) { everythingCopied(t, false) })
	t.Run("post-quantum", func(t *testing.T) { everythingCopied(t, true) })
}

func everythingCopied(t *testing.T, postQuantum bool) {
	log := &seedLog{seeds: map[seal.PublicKey]keychain.Seed{}}
	ts := newTestStream(t)
	ts.cfg.random, ts.postQuantum = log, postQuantum
	if postQuantum {
		log.mldsa = map[seal.Hash]keychain.Seed{}
	}
	used, usedMLDSA := map[keychain.Seed]bool{}, 0
	check := func() {
		for _, n := range ts.notes {
			for key := range log.seeds {
				anchor := seal.Ed25519Anchor(&key)
				if n.SignedBy(&key) || n.AnchoredBy(&anchor) || n.Seal.OwnAnchor == key {
					used[log.seeds[key]] = true
				}
			}
			if seed, ok := log.mldsa[seal.MLDSAHash(n.Seal.MLDSA)]; ok {
				used[seed] = true
				usedMLDSA++
			}
		}
		ts.notes = ts.notes[:0]
		for secret := range used {
			require.False(t, bytes.Contains(ts.file.data, secret[:]), "a used key is in the key file")
			for name, value := range ts.store.m {
				require.False(t, bytes.Contains(value, secret[:]), "a used key is in %s", name)
			}
			for _, c := range []*keychain.Chain{ts.chain, ts.cfgSlot(0), ts.cfgSlot(1)} {
				for _, held := range keysOf(c) {
					require.NotEqual(t, secret, held, "a used key is in memory")
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
	require.Contains(t, used, log.seeds[ts.Trust().Key])
	if postQuantum {
		require.GreaterOrEqual(t, usedMLDSA, 2)
	}
	ts.stop()
}

// cfgSlot returns a chain that the key file's reader left in memory.
func (ts *testStream) cfgSlot(i int) *keychain.Chain { return ts.Sealer.cfg.Keys.slots[i] }

func keysOf(c *keychain.Chain) []keychain.Seed {
	if c == nil {
		return nil
	}
	return c.Seeds()
}

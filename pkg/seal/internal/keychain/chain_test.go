// SPDX-License-Identifier: Apache-2.0

package keychain

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal/internal/samples"
)

// TestUnreadable: a seal that no reader would take is not made, and the chain stays where it is.
func TestUnreadable(t *testing.T) {
	c, err := New(false, rand.Reader)
	require.NoError(t, err)
	s := samples.Seals()["open, first"]
	s.Key, s.Name = c.Key.Public, "tab\tbed"
	_, _, err = c.Next(&s, rand.Reader)
	require.ErrorContains(t, err, "seal 0 would not be readable")
	require.Zero(t, c.Number)
	require.NotEqual(t, Seed{}, c.Key.Seed, "the key is still there for another try")
}

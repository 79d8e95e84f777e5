// SPDX-License-Identifier: Apache-2.0

//go:build unix

package testport

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A server listens, ends, and listens again; between, whoever connects is refused.
func TestAServerComesAndGoes(t *testing.T) {
	address := Address(t)
	for range 3 {
		_, err := net.Dial("tcp", address)
		require.Error(t, err)
		l, err := net.Listen("tcp", address)
		require.NoError(t, err)
		c, err := net.Dial("tcp", address)
		require.NoError(t, err)
		require.NoError(t, c.Close())
		require.NoError(t, l.Close())
	}
}

// Two are never the same, which is not so when the first is let go.
func TestHeldPortsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 500 {
		address := Address(t)
		assert.False(t, seen[address], address)
		seen[address] = true
	}
}

// SPDX-License-Identifier: Apache-2.0

package listenerr

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExplain(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, err = net.Listen("tcp", taken.Addr().String())
	require.Error(t, err)
	assert.ErrorContains(t, Explain("tcp.listen_address", err), "tcp.listen_address: listen tcp "+taken.Addr().String())
	assert.ErrorContains(t, Explain("tcp.listen_address", err), "or write another port")
	require.ErrorIs(t, Explain("tcp.listen_address", err), syscall.EADDRINUSE)

	_, err = net.Listen("tcp", "192.0.2.1:0") // an address of documentation, RFC 5737
	require.Error(t, err)
	assert.ErrorContains(t, Explain("endpoint", err), "write an address that this host has")

	assert.ErrorContains(t, Explain("endpoint", syscall.EACCES), "from 1024 on")
	assert.EqualError(t, Explain("endpoint", errors.New("else")), "endpoint: else")
}

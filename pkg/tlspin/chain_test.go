// SPDX-License-Identifier: Apache-2.0

package tlspin_test

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/tlspin"
)

func TestFetch(t *testing.T) {
	ca := testpki.NewCA("ca")
	intermediate := ca.NewIntermediate("intermediate")
	leaf := intermediate.NewLeaf("siem")
	s := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}})

	fetched, err := tlspin.Fetch(t.Context(), s.addr, "", ca.Pool())
	require.NoError(t, err)
	require.NoError(t, fetched.Verify)
	assert.Equal(t, uint16(tls.VersionTLS13), fetched.Version)
	entries := tlspin.Describe(fetched.Chain)
	require.Len(t, entries, 3, "the root, which the server does not send, is described too")
	for i, want := range []struct {
		role string
		cert *testpki.Cert
	}{{"leaf", leaf}, {"intermediate", intermediate}, {"root", ca}} {
		assert.Equal(t, want.role, entries[i].Role)
		assert.Equal(t, tlspin.Of(want.cert.X509), entries[i].Pin)
		assert.True(t, want.cert.X509.NotAfter.Equal(entries[i].NotAfter))
	}
	assert.Empty(t, <-s.received)

	// What does not verify is described as it was sent, with the reason.
	for name, tt := range map[string]struct {
		serverName string
		reason     string
	}{
		"another name":      {"elsewhere.example.com", tlspin.ReasonName},
		"another authority": {"", tlspin.ReasonUntrusted},
	} {
		t.Run(name, func(t *testing.T) {
			roots := ca
			if tt.serverName == "" {
				roots = testpki.NewCA("other")
			}
			fetched, err := tlspin.Fetch(t.Context(), s.addr, tt.serverName, roots.Pool())
			require.NoError(t, err)
			assert.Equal(t, tt.reason, tlspin.Reason(fetched.Verify))
			assert.Len(t, fetched.Chain, 2)
			assert.Empty(t, <-s.received)
		})
	}
}

func TestFetchFails(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	require.NoError(t, err)
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = tlspin.Fetch(ctx, listener.Addr().String(), "", nil)
	assert.Equal(t, tlspin.ReasonTimeout, tlspin.Reason(err), "%v", err)

	_, err = tlspin.Fetch(t.Context(), "no-port", "", nil)
	require.Error(t, err)
}

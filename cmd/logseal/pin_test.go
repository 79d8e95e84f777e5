// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/tlspin"
)

// tlsServer completes handshakes and says nothing.
func tlsServer(t *testing.T, cfg *tls.Config) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = tls.Server(conn, cfg).Read(make([]byte, 1))
			conn.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return listener.Addr().String()
}

func TestPinOfServer(t *testing.T) {
	ca := testpki.NewCA("ca")
	intermediate := ca.NewIntermediate("intermediate")
	leaf := intermediate.NewLeaf("siem")
	caFile, _ := ca.WriteFiles(t, t.TempDir(), "ca")
	addr := tlsServer(t, &tls.Config{
		Certificates: []tls.Certificate{leaf.TLS()},
		ClientAuth:   tls.RequireAnyClientCert, // a server that wants a client certificate shows its chain first
	})

	out, errs, code := logseal(t, "", "pin", "--ca", caFile, addr)
	require.Zero(t, code, errs)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 3)
	for i, cert := range []*x509.Certificate{leaf.X509, intermediate.X509, ca.X509} {
		assert.True(t, strings.HasPrefix(lines[i], tlspin.Of(cert).String()+"  "), lines[i])
		assert.Contains(t, lines[i], cert.Subject.String())
		assert.Contains(t, lines[i], cert.NotAfter.UTC().Format("2006-01-02"))
	}

	out, errs, code = logseal(t, "", "pin", "--ca", caFile, "--json", addr)
	require.Zero(t, code, errs)
	var entries []struct{ Pin, Role, Subject, Issuer, Advice string }
	require.NoError(t, json.Unmarshal([]byte(out), &entries))
	require.Len(t, entries, 3)
	assert.Equal(t, []string{"leaf", "intermediate", "root"}, []string{entries[0].Role, entries[1].Role, entries[2].Role})

	// The system does not trust this authority: the pins are printed, and the exit status says that they do not suffice.
	out, errs, code = logseal(t, "", "pin", addr)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, out, tlspin.Of(leaf.X509).String())
	assert.Contains(t, errs, "does not verify")

	_, errs, code = logseal(t, "", "pin", "--ca", caFile, "--server-name", "elsewhere.example.com", addr)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, errs, "elsewhere.example.com")
}

func TestPinOfFile(t *testing.T) {
	dir := t.TempDir()
	leaf := testpki.NewCA("ca").NewIntermediate("intermediate").NewLeaf("siem")
	certFile, _ := leaf.WriteFiles(t, dir, "siem")
	out, errs, code := logseal(t, "", "pin", "--cert", certFile)
	require.Zero(t, code, errs)
	assert.Equal(t, 2, strings.Count(out, "\n"))
	assert.True(t, strings.HasPrefix(out, tlspin.Of(leaf.X509).String()))
}

// TestPinPrintsNoEscapes: whoever makes a certificate chooses its subject, and the operator's terminal obeys escapes.
func TestPinPrintsNoEscapes(t *testing.T) {
	certFile, _ := testpki.NewSelfSigned("\x1b[2Jsha256/forged\nsha256/forged \u202e").WriteFiles(t, t.TempDir(), "evil")
	for _, args := range [][]string{{"--cert", certFile}, {"--cert", certFile, "--json"}} {
		out, errs, code := logseal(t, "", append([]string{"pin"}, args...)...)
		require.Zero(t, code, errs)
		assert.NotContains(t, out, "\x1b")
		assert.NotContains(t, out, "\nsha256/forged")
	}
}

func TestPinUsage(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	require.NoError(t, os.WriteFile(empty, []byte("no certificate here"), 0o600))
	_, keyFile := testpki.NewCA("ca").WriteFiles(t, dir, "ca")
	garbage := filepath.Join(dir, "garbage.pem")
	require.NoError(t, os.WriteFile(garbage, []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), 0o600))

	for name, args := range map[string][]string{
		"nothing":           {},
		"server and file":   {"localhost:1", "--cert", empty},
		"file and CA":       {"--cert", empty, "--ca", empty},
		"no such file":      {"--cert", filepath.Join(dir, "none.pem")},
		"no certificate":    {"--cert", empty},
		"a key":             {"--cert", keyFile},
		"garbage":           {"--cert", garbage},
		"no CA in the file": {"--ca", empty, "localhost:1"},
		"no port":           {"localhost"},
		"nobody listens":    {"127.0.0.1:1"},
		"unknown flag":      {"--pin"},
		"more than one":     {"a:1", "b:2"},
	} {
		t.Run(name, func(t *testing.T) {
			out, errs, code := logseal(t, "", append([]string{"pin"}, args...)...)
			assert.Equal(t, exitUsage, code)
			assert.NotEmpty(t, errs)
			assert.NotContains(t, out, "sha256/")
		})
	}
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
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

// execPin runs `logseal pin` and returns what it prints and its exit status.
func execPin(t *testing.T, args ...string) (string, int, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := newPinCommand()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	var exit exitError
	switch {
	case err == nil:
		return out.String(), 0, nil
	case errors.As(err, &exit):
		return out.String(), exit.code, err
	default:
		return out.String(), exitUsage, err
	}
}

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

	out, code, err := execPin(t, "--ca", caFile, addr)
	require.NoError(t, err)
	assert.Zero(t, code)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 3)
	for i, cert := range []*x509.Certificate{leaf.X509, intermediate.X509, ca.X509} {
		assert.True(t, strings.HasPrefix(lines[i], tlspin.Of(cert).String()+"  "), lines[i])
		assert.Contains(t, lines[i], cert.Subject.String())
		assert.Contains(t, lines[i], cert.NotAfter.UTC().Format("2006-01-02"))
	}

	out, code, err = execPin(t, "--ca", caFile, "--json", addr)
	require.NoError(t, err)
	assert.Zero(t, code)
	var entries []struct{ Pin, Role, Subject, Issuer, Advice string }
	require.NoError(t, json.Unmarshal([]byte(out), &entries))
	require.Len(t, entries, 3)
	assert.Equal(t, []string{"leaf", "intermediate", "root"}, []string{entries[0].Role, entries[1].Role, entries[2].Role})

	// The system does not trust this authority: the pins are printed, and the exit status says that they do not suffice.
	out, code, err = execPin(t, addr)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, out, tlspin.Of(leaf.X509).String())
	assert.ErrorContains(t, err, "does not verify")

	_, code, err = execPin(t, "--ca", caFile, "--server-name", "elsewhere.example.com", addr)
	assert.Equal(t, exitFailed, code)
	assert.ErrorContains(t, err, "elsewhere.example.com")
}

func TestPinOfFile(t *testing.T) {
	dir := t.TempDir()
	leaf := testpki.NewCA("ca").NewIntermediate("intermediate").NewLeaf("siem")
	certFile, _ := leaf.WriteFiles(t, dir, "siem")
	out, code, err := execPin(t, "--cert", certFile)
	require.NoError(t, err)
	assert.Zero(t, code)
	assert.Equal(t, 2, strings.Count(out, "\n"))
	assert.True(t, strings.HasPrefix(out, tlspin.Of(leaf.X509).String()))
}

// TestPinPrintsNoEscapes: whoever makes a certificate chooses its subject, and the operator's terminal obeys escapes.
func TestPinPrintsNoEscapes(t *testing.T) {
	certFile, _ := testpki.NewSelfSigned("\x1b[2Jsha256/forged\nsha256/forged \u202e").WriteFiles(t, t.TempDir(), "evil")
	for _, args := range [][]string{{"--cert", certFile}, {"--cert", certFile, "--json"}} {
		out, _, err := execPin(t, args...)
		require.NoError(t, err)
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
			out, code, err := execPin(t, args...)
			assert.Equal(t, exitUsage, code)
			require.Error(t, err)
			assert.NotContains(t, out, "sha256/")
		})
	}
}

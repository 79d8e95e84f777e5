// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.uber.org/zap"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/seal/ocsf"
	"github.com/logseal/logseal/processor/stampprocessor"
)

// TestAuthoritiesAreFollowed: while the file cannot be used, the CAs of before stay, and the status says which key and what to write.
func TestAuthoritiesAreFollowed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca.pem")
	host := &statusHost{Host: componenttest.NewNopHost()}
	health := &health{host: host, logger: zap.NewNop()}
	a := newAuthorities(path, zap.NewNop(), health)
	follow := func(want *x509.CertPool, wantChanged bool, what string) {
		t.Helper()
		roots, changed := a.follow()
		assert.Equal(t, wantChanged, changed, what)
		require.NotNil(t, roots, what)
		assert.True(t, want.Equal(roots), what)
	}
	follow(x509.NewCertPool(), false, "there is no file")
	require.ErrorContains(t, host.lastErr(), "trust.ca_file "+path+" cannot be used")
	require.ErrorIs(t, host.lastErr(), os.ErrNotExist)

	first, second := testpki.NewCA("first"), testpki.NewCA("second")
	require.NoError(t, first.WriteCert(path))
	follow(first.Pool(), true, "the first CA")
	assert.True(t, health.good())
	follow(first.Pool(), false, "the same again")

	leaf := first.NewLeaf("web-17")
	for name, bad := range map[string]func() error{
		"no PEM":    func() error { return os.WriteFile(path, []byte("web-17+3d1c5e7a+AbMq\n"), 0o600) },
		"empty":     func() error { return os.WriteFile(path, nil, 0o600) },
		"a key":     func() error { return leaf.WriteKey(path) },
		"a folder":  func() error { return os.Mkdir(path, 0o700) },
		"not there": func() error { return nil },
	} {
		require.NoError(t, os.RemoveAll(path))
		require.NoError(t, bad())
		follow(first.Pool(), false, name)
		assert.False(t, health.good(), name)
		require.ErrorContains(t, host.lastErr(), "write the certificates of the CAs into it, as PEM", name)
	}

	require.NoError(t, os.RemoveAll(path))
	require.NoError(t, second.WriteCert(path))
	follow(second.Pool(), true, "another CA")
	assert.True(t, health.good())

	roots, changed := newAuthorities("", zap.NewNop(), health).follow()
	assert.Nil(t, roots, "without a file no certificate vouches for anybody")
	assert.False(t, changed)
}

// newFleet returns an agent whose stream a certificate of ca vouches for, before a connector that trusts nothing but the file of CAs
// whose path it returns too.
func newFleet(t *testing.T, ca *testpki.Cert) (a *agent, caFile string) {
	t.Helper()
	a = newAgent(t)
	certFile, keyFile := ca.NewLeaf("web-17", testpki.Names("web-17.example.com")).WriteFiles(t, t.TempDir(), "agent")
	a.endorse = stampprocessor.EndorseConfig{CertFile: certFile, KeyFile: keyFile}
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	a.config.Trust = TrustConfig{CAFile: caFile, Unknown: unknownAlert}
	return a, caFile
}

// TestEndorsed: a stream that a certificate vouches for is verified without a trust line. After a restart it is known, even if its CA's
// file is gone then: its first seal does not come again.
func TestEndorsed(t *testing.T) {
	ca := testpki.NewCA("fleet")
	a, caFile := newFleet(t, ca)
	require.NoError(t, ca.WriteCert(caFile))
	stopConnector := a.start(t)
	stopStamp := a.seal(t)
	a.log(t, 20)
	a.awaitVerified(t, 20)
	stopStamp()
	stopConnector()
	require.Equal(t, componentstatus.StatusOK, a.host.last())
	require.NoError(t, os.Remove(caFile))

	a.start(t)
	stopStamp = a.seal(t)
	a.log(t, 20)
	a.awaitVerified(t, 20)
	stopStamp()
	assert.Empty(t, a.next.attributes(ocsf.AttributeCode))
	require.ErrorContains(t, a.host.lastErr(), "trust.ca_file")
}

// TestEndorsedByAStranger: a foreign CA's certificate vouches for nobody.
func TestEndorsedByAStranger(t *testing.T) {
	a, caFile := newFleet(t, testpki.NewCA("foreign"))
	require.NoError(t, testpki.NewCA("fleet").WriteCert(caFile))
	a.start(t)
	a.seal(t)
	a.log(t, 20)
	a.awaitFinding(t, "UNKNOWN_STREAM", "opened")
	assert.Zero(t, a.running().watcher.Stats().Verified)
}

// TestAuthoritiesThatComeLater: the connector starts without its file of CAs, says so, and uses it when it is there.
func TestAuthoritiesThatComeLater(t *testing.T) {
	ca := testpki.NewCA("fleet")
	a, caFile := newFleet(t, ca)
	a.start(t)
	require.ErrorContains(t, a.host.lastErr(), "trust.ca_file")
	require.NoError(t, ca.WriteCert(caFile))
	eventually(t, func() bool { return a.host.last() == componentstatus.StatusOK }, "the file is read")
	a.seal(t)
	a.log(t, 20)
	a.awaitVerified(t, 20)
	assert.Empty(t, a.next.attributes(ocsf.AttributeCode))
}

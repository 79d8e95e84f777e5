// SPDX-License-Identifier: Apache-2.0

package tlspin_test

import (
	"crypto/sha256"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testpki"
	"github.com/logseal/logseal/pkg/tlspin"
)

func TestParse(t *testing.T) {
	digest := sha256.Sum256([]byte("a key"))
	encoded := base64.StdEncoding.EncodeToString(digest[:])

	pin, err := tlspin.Parse("sha256/" + encoded)
	require.NoError(t, err)
	assert.Equal(t, tlspin.Pin(digest), pin)
	assert.Equal(t, "sha256/"+encoded, pin.String())

	for name, tt := range map[string]struct{ in, want string }{
		"empty":           {"", "does not begin with"},
		"no prefix":       {encoded, "does not begin with"},
		"other digest":    {"sha1/" + encoded, "does not begin with"},
		"curl's spelling": {"sha256//" + encoded, "is not standard base64"},
		"hex colons":      {strings.Repeat("AB:", 31) + "AB", "fingerprint in hexadecimal"},
		"hex plain":       {strings.Repeat("ab", 32), "fingerprint in hexadecimal"},
		"sha1 hex":        {strings.Repeat("ab", 20), "fingerprint in hexadecimal"},
		"not base64":      {"sha256/" + strings.Repeat("*", 44), "is not standard base64"},
		"no padding":      {"sha256/" + strings.TrimRight(encoded, "="), "is not standard base64"},
		"line break":      {"sha256/" + encoded[:20] + "\n" + encoded[20:], "is not standard base64"},
		"trailing bits":   {"sha256/" + strings.Repeat("A", 42) + "B=", "is not standard base64"},
		"too short":       {"sha256/" + base64.StdEncoding.EncodeToString(digest[:31]), "holds 31 bytes"},
		"url alphabet":    {"sha256/" + strings.Repeat("_", 43) + "=", "is not standard base64"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tlspin.Parse(tt.in)
			require.Error(t, err)
			assert.Contains(t, err.Error(), tt.want)
			assert.Contains(t, err.Error(), "logseal pin")
		})
	}
}

func TestPinNamesTheKeyNotTheCertificate(t *testing.T) {
	ca := testpki.NewCA("ca")
	leaf := ca.NewLeaf("siem")
	assert.Equal(t, tlspin.Of(leaf.X509), tlspin.Of(ca.Renew(leaf).X509))
	assert.NotEqual(t, tlspin.Of(leaf.X509), tlspin.Of(ca.NewLeaf("siem").X509))
}

// TestPinAgreesWithOpenSSL computes a pin as operators have done for years, with an implementation that is not ours.
func TestPinAgreesWithOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is not installed")
		}
		t.Skip("openssl is not installed")
	}
	dir := t.TempDir()
	certFile, _ := testpki.NewCA("ca").NewLeaf("siem").WriteFiles(t, dir, "leaf")
	script := `openssl x509 -in "$1" -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl enc -base64`
	out, err := exec.Command("sh", "-c", script, "sh", certFile).Output()
	require.NoError(t, err)

	chain, err := tlspin.ReadChain(filepath.Clean(certFile))
	require.NoError(t, err)
	assert.Equal(t, "sha256/"+strings.TrimSpace(string(out)), tlspin.Of(chain[0]).String())
}

func FuzzParse(f *testing.F) {
	f.Add("sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
	f.Add("sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU")
	f.Add("47:DE:Q")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		pin, err := tlspin.Parse(text)
		if err == nil && pin.String() != text {
			t.Fatalf("%q parses, and is written %q: one key must have one spelling", text, pin)
		}
	})
}

func TestParseAll(t *testing.T) {
	a, b := tlspin.Pin{1}, tlspin.Pin{2}
	pins, err := tlspin.ParseAll("pins", []string{b.String(), a.String()})
	require.NoError(t, err)
	assert.Equal(t, []tlspin.Pin{b, a}, pins)
	for name, tt := range map[string]struct {
		texts []string
		want  []string
	}{
		"none":     {nil, []string{"pins are not set", "logseal pin HOST:PORT"}},
		"repeated": {[]string{a.String(), b.String(), a.String()}, []string{"pins[2] repeats pins[0]"}},
		"all told": {[]string{"x", b.String(), "y"}, []string{"pins[0]", "pins[2]"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tlspin.ParseAll("pins", tt.texts)
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

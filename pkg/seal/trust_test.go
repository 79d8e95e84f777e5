// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
)

func TestTrustLineIsANoteVerifierKey(t *testing.T) {
	trust := Trust{Name: "web-17/audit", Key: filled(7)}
	verifier, err := note.NewVerifier(trust.String())
	require.NoError(t, err)
	require.Equal(t, trust.Name, verifier.Name())
	require.Equal(t, keyID(trust.Name, &trust.Key), verifier.KeyHash())
	for _, optional := range []bool{false, true} {
		trust.Optional = optional
		got, err := ParseTrustLine(trust.String())
		require.NoError(t, err)
		require.Equal(t, trust, got)
	}
}

func TestParseTrust(t *testing.T) {
	a, b := Trust{Name: "a", Key: filled(1)}, Trust{Name: "b", Key: filled(2), Optional: true}
	namesake := Trust{Name: "a", Key: filled(3)} // the same host, enrolled anew
	list, err := ParseTrust(strings.NewReader("# ours\r\n\r\n  " + a.String() + "\r\n\t\n" + strings.Replace(b.String(), " ", " \t", 1) + "\n" + namesake.String()))
	require.NoError(t, err)
	require.Equal(t, []Trust{a, b, namesake}, list)

	id := strings.Split(b.String(), "+")[1]
	require.NotEqual(t, id, strings.ToUpper(id))
	other := Trust{Name: "c", Key: a.Key}
	for name, c := range map[string]struct{ text, want string }{
		"empty":            {"", "no stream is trusted"},
		"only comments":    {"# nothing\n", "no stream is trusted"},
		"key twice":        {a.String() + "\n" + other.String(), "line 2: the same key as in line 1"},
		"not optional":     {a.String() + " perhaps", "optional"},
		"changed name":     {"x" + a.String(), "was changed"},
		"changed key":      {strings.Replace(a.String(), "AQEB", "AQEC", 1), "was changed"},
		"short key":        {"a+00000000+AQEB", "not an Ed25519 verifier key"},
		"another alg":      {strings.Replace(a.String(), "+AQEB", "+AgEB", 1), "not an Ed25519 verifier key"},
		"no key":           {"a+00000000", "name+hash+key"},
		"a private key":    {"PRIVATE+KEY+a+00000000+AQEB", "not an Ed25519 verifier key"},
		"hash in capitals": {strings.Replace(b.String(), id, strings.ToUpper(id), 1), "was changed"},
		"hash too long":    {strings.Replace(a.String(), "a+", "a+0", 1), "was changed"},
		"name with comma":  {"a,b+00000000+AQEB", "letters, digits"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseTrust(strings.NewReader(c.text))
			require.ErrorContains(t, err, c.want)
		})
	}
}

func FuzzParseTrust(f *testing.F) {
	f.Add(Trust{Name: "web-17", Key: filled(1)}.String())
	f.Add("# comment\n\n" + Trust{Name: "a:b@c/d", Key: filled(2), Optional: true}.String() + "\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseTrust(strings.NewReader(text))
		if err != nil {
			return
		}
		var again strings.Builder
		for _, trust := range list {
			again.WriteString(trust.String() + "\n")
		}
		got, err := ParseTrust(strings.NewReader(again.String()))
		require.NoError(t, err)
		require.Equal(t, list, got)
	})
}

func filled(n byte) (key PublicKey) {
	for i := range key {
		key[i] = n
	}
	return key
}

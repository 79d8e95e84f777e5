// SPDX-License-Identifier: Apache-2.0

package clientid_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/clientid"
)

func TestOf(t *testing.T) {
	spiffe, err := url.Parse("spiffe://example.org/host/web-3")
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		cert  x509.Certificate
		name  string
		names []string
	}{
		"URI before DNS before common name": {
			x509.Certificate{URIs: []*url.URL{spiffe}, DNSNames: []string{"web-3"}, Subject: pkix.Name{CommonName: "web-17"}},
			"spiffe://example.org/host/web-3",
			[]string{"spiffe://example.org/host/web-3", "web-3"},
		},
		"DNS":                 {x509.Certificate{DNSNames: []string{"web-3", "web-3.example.com"}}, "web-3", []string{"web-3", "web-3.example.com"}},
		"common name":         {x509.Certificate{Subject: pkix.Name{CommonName: "web-3"}}, "web-3", []string{"web-3"}},
		"no name":             {x509.Certificate{}, "", nil},
		"a name beside a SAN": {x509.Certificate{DNSNames: []string{"web-3"}, Subject: pkix.Name{CommonName: "web-17"}}, "web-3", []string{"web-3"}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.cert.SerialNumber = big.NewInt(0xabc)
			id := clientid.Of(&tt.cert)
			assert.Equal(t, tt.name, id.Name)
			assert.Equal(t, tt.names, id.Names)
			assert.Equal(t, "0ABC", id.Serial, "as openssl prints it")
		})
	}
}

func forged() plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", "web-17")
	rl.Resource().Attributes().PutStr("logseal.client.name", "web-17")
	rl.Resource().Attributes().PutStr("logseal.client.anything", "web-17")
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().Attributes().PutStr("logseal.client.name", "web-17")
	record := sl.LogRecords().AppendEmpty()
	record.Attributes().PutStr("logseal.client.serial", "00")
	record.Attributes().PutStr("logseal.id", "abcdefgh-1")
	return logs
}

func TestPut(t *testing.T) {
	logs := forged()
	clientid.Identity{Name: "web-3", Serial: "0ABC"}.Put(logs)
	rl := logs.ResourceLogs().At(0)
	assert.Equal(t, map[string]any{"host.name": "web-17", "logseal.client.name": "web-3", "logseal.client.serial": "0ABC"}, rl.Resource().Attributes().AsRaw())
	assert.Empty(t, rl.ScopeLogs().At(0).Scope().Attributes().AsRaw())
	assert.Equal(t, map[string]any{"logseal.id": "abcdefgh-1"}, rl.ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw())

	logs = forged()
	clientid.Strip(logs)
	assert.Equal(t, map[string]any{"host.name": "web-17"}, logs.ResourceLogs().At(0).Resource().Attributes().AsRaw())
}

func TestMatch(t *testing.T) {
	id := clientid.Identity{Name: "web-3", Names: []string{"web-3", "web-3.example.com", "*.wild.example.com"}}
	for name, tt := range map[string]struct {
		claims []any // one resource each; nil has none
		want   string
	}{
		"its own name":              {[]any{"web-3"}, ""},
		"another of its names":      {[]any{"WEB-3.example.com"}, ""},
		"another host's":            {[]any{"web-17"}, `it is "web-17"`},
		"a second resource":         {[]any{"web-3", "web-17"}, `it is "web-17"`},
		"no name":                   {[]any{nil}, "a resource has no host.name"},
		"an empty name":             {[]any{""}, "a resource has no host.name"},
		"below a wildcard":          {[]any{"a.wild.example.com"}, `it is "a.wild.example.com"`},
		"a number":                  {[]any{3}, `it is "3"`},
		"no resource at all":        {nil, ""},
		"a claim without an end":    {[]any{string(make([]byte, 1000))}, "…"},
		"one that only begins so":   {[]any{"web-3.evil.example"}, `it is "web-3.evil.example"`},
		"with a dot at its end":     {[]any{"web-3."}, `it is "web-3."`},
		"with a zero byte behind":   {[]any{"web-3\x00"}, `it is`},
		"a name that looks like it": {[]any{"web‐3"}, `it is`},
	} {
		t.Run(name, func(t *testing.T) {
			logs := plog.NewLogs()
			for _, claim := range tt.claims {
				attributes := logs.ResourceLogs().AppendEmpty().Resource().Attributes()
				if claim != nil {
					require.NoError(t, attributes.FromRaw(map[string]any{"host.name": claim}))
				}
			}
			err := id.Match(logs, "host.name")
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			assert.Less(t, len(err.Error()), 600)
		})
	}
}

// Two equal keys: a store may show the second.
func TestMatchSeesEveryKey(t *testing.T) {
	logs := plog.NewLogs()
	unmarshaler := plog.JSONUnmarshaler{}
	twice, err := unmarshaler.UnmarshalLogs([]byte(`{"resourceLogs":[{"resource":{"attributes":[
		{"key":"host.name","value":{"stringValue":"web-3"}},{"key":"host.name","value":{"stringValue":"web-17"}}]}}]}`))
	require.NoError(t, err)
	twice.CopyTo(logs)
	require.Error(t, clientid.Identity{Names: []string{"web-3"}}.Match(logs, "host.name"))
	require.Error(t, clientid.Identity{Names: []string{"web-3", "web-17"}}.Match(logs, "host.name"))
}

func BenchmarkPut(b *testing.B) {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", "web-3")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for range 100 {
		attributes := records.AppendEmpty().Attributes()
		attributes.PutStr("log.file.path", "/var/log/syslog")
		attributes.PutStr("logseal.id", "abcdefgh-1")
	}
	id := clientid.Identity{Name: "web-3", Serial: "0ABC", Names: []string{"web-3"}}
	b.ReportAllocs()
	for b.Loop() {
		id.Put(logs)
	}
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/logseal/logseal/internal/testbed"
)

// What was kept of an agent arrives again as it came, over TLS with its certificate.
func TestTrafficIsReplayed(t *testing.T) {
	site, err := testbed.NewSite(t.TempDir(), "no collector is started")
	require.NoError(t, err)
	s := sender{}
	s.id, err = site.PKI.Issue("web-0")
	require.NoError(t, err)
	bodies := []string{"first", "second", "third"}
	for _, body := range bodies {
		logs := plog.NewLogs()
		logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(body)
		require.NoError(t, s.keep(plogotlp.NewExportRequestFromLogs(logs)))
	}

	var arrived []string
	sink, err := newOTLPSink(pki(site), func(request plogotlp.ExportRequest) error {
		arrived = append(arrived, request.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str())
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, traffic{s}.replay(t.Context(), site, sink.Addr().String()))
	require.NoError(t, sink.Close()) // after which nothing is added to arrived
	assert.ElementsMatch(t, bodies, arrived)
	assert.EqualValues(t, len(bodies), sink.records.Load())
	assert.NotZero(t, sink.last.Load())
}

// A server that does not answer is an error, and the others of the ten stop.
func TestReplayFails(t *testing.T) {
	site, err := testbed.NewSite(t.TempDir(), "no collector is started")
	require.NoError(t, err)
	s := sender{requests: [][]byte{testbed.Message(nil, false), testbed.Message(nil, false)}}
	s.id, err = site.PKI.Issue("web-0")
	require.NoError(t, err)
	require.Error(t, traffic{s}.replay(t.Context(), site, testbed.Loopback(1)))
}

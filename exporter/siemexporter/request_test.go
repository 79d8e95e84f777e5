// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clientinfo "go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/otel/trace"
)

// fullLogs has something in every place that OTLP has for it.
func fullLogs() plog.Logs {
	logs := layout([]byte{3, 0, 1, 2})
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			scope.Scope().SetVersion("v1")
			scope.SetSchemaUrl("schema of a scope")
			for i, record := range scope.LogRecords().All() {
				record.SetTimestamp(pcommon.Timestamp(1_000 + i))
				record.SetObservedTimestamp(pcommon.Timestamp(2_000 + i))
				record.SetSeverityNumber(plog.SeverityNumberError)
				record.SetSeverityText("ERROR")
				record.SetEventName("event")
				record.SetFlags(1)
				record.SetTraceID(pcommon.TraceID{1, 2})
				record.SetSpanID(pcommon.SpanID{3})
				record.SetDroppedAttributesCount(4)
				record.Attributes().PutDouble("double", 1.5)
				record.Attributes().PutEmptyBytes("bytes").FromRaw([]byte{0, 0xff})
				record.Attributes().PutEmptyMap("map").PutEmptySlice("slice").AppendEmpty().SetInt(-1)
				record.Attributes().PutStr("not UTF-8", "\xff")
			}
		}
	}
	return logs
}

// TestWhatTravelsIsWhatTheClientWouldSend: byte for byte what OTLP's own client encodes.
func TestWhatTravelsIsWhatTheClientWouldSend(t *testing.T) {
	logs := fullLogs()
	want, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	require.NoError(t, err)
	r := encoded(t, logs)
	assert.Equal(t, want, r.wire)
	assert.Equal(t, logs.LogRecordCount(), r.ItemsCount())
	assert.Equal(t, new(plog.ProtoMarshaler).LogsSize(logs), r.BytesSize())
	assert.Equal(t, time.Unix(0, 2_000).UTC(), r.observed)
	assert.Equal(t, logs, decoded(t, r.wire))
}

// TestQueueReadsAndIsRead: a queue that exporterhelper's own encoding has written is read, and the other way round, with the
// context of each request. So an update and its reversal lose nothing.
func TestQueueReadsAndIsRead(t *testing.T) {
	logs := fullLogs()
	ctx := clientinfo.NewContext(t.Context(), clientinfo.Info{
		Addr:     &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1).To4(), Port: 4317},
		Metadata: clientinfo.NewMetadata(map[string][]string{"tenant": {"a", "b"}}),
	})
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: 1})
	ctx = trace.ContextWithSpanContext(ctx, span)
	stock := xexporterhelper.NewLogsQueueBatchSettings().Encoding

	r, err := newRequest(ctx, logs)
	require.NoError(t, err)
	ours, err := encoding{}.Marshal(ctx, r)
	require.NoError(t, err)
	_, theirs, err := stock.Unmarshal(ours)
	require.NoError(t, err)
	stored, err := stock.Marshal(ctx, theirs)
	require.NoError(t, err)
	assert.Equal(t, ours, stored, "the same bytes")

	for _, stored := range [][]byte{ours, stored} {
		back, got, err := encoding{}.Unmarshal(stored)
		require.NoError(t, err)
		assert.Equal(t, r, got)
		assert.Equal(t, []string{"a", "b"}, clientinfo.FromContext(back).Metadata.Get("tenant"))
		assert.Equal(t, "10.0.0.1:4317", clientinfo.FromContext(back).Addr.String())
		assert.Equal(t, span, trace.SpanContextFromContext(back))
	}
}

// TestQueueReadsLogsAlone: queues of older versions hold logs without a context.
func TestQueueReadsLogsAlone(t *testing.T) {
	logs := fullLogs()
	alone, err := new(plog.ProtoMarshaler).MarshalLogs(logs)
	require.NoError(t, err)
	ctx, got, err := encoding{}.Unmarshal(alone)
	require.NoError(t, err)
	assert.Equal(t, context.Background(), ctx)
	assert.Equal(t, logs, decoded(t, got.(*request).wire))
	assert.Equal(t, logs.LogRecordCount(), got.ItemsCount())
}

func TestQueueRefusesWhatIsNoRequest(t *testing.T) {
	stored := encoded(t, fullLogs()).stored
	for name, damaged := range map[string][]byte{
		"cut":          stored[:len(stored)-1],
		"a wrong kind": append(bytes.Clone(formatOfStored), 0x1f),
		"no protobuf":  []byte("no request at all"),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := encoding{}.Unmarshal(damaged)
			assert.ErrorIs(t, err, errNoRequest)
		})
	}
}

func TestObservedOfTheFirstRecord(t *testing.T) {
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	scope := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	first, second := scope.LogRecords().AppendEmpty(), scope.LogRecords().AppendEmpty()
	second.SetObservedTimestamp(9)
	assert.Zero(t, encoded(t, logs).observed, "the first one says nothing")
	first.SetTimestamp(5)
	assert.EqualValues(t, 5, encoded(t, logs).observed.UnixNano())
	first.SetObservedTimestamp(7)
	assert.EqualValues(t, 7, encoded(t, logs).observed.UnixNano())
}

// TestMergeSplitIsExporterhelpers: requests that wait for others are merged and cut, and every record is in one of them.
func TestMergeSplitIsExporterhelpers(t *testing.T) {
	first, wantFirst := records("a", 7)
	second, wantSecond := records("b", 8)
	for _, tt := range []struct{ maxSize, requests int }{{0, 1}, {4, 4}} {
		merged, err := encoded(t, first).MergeSplit(t.Context(), tt.maxSize, exporterhelper.RequestSizerTypeItems, encoded(t, second))
		require.NoError(t, err)
		require.Len(t, merged, tt.requests)
		var got []string
		for _, m := range merged {
			got = append(got, bodies(decoded(t, m.(*request).wire))...)
		}
		assert.ElementsMatch(t, append(wantFirst, wantSecond...), got)
	}
	whole := encoded(t, first)
	alone, err := whole.MergeSplit(t.Context(), 0, exporterhelper.RequestSizerTypeItems, nil)
	require.NoError(t, err)
	assert.Equal(t, []xexporterhelper.Request{whole}, alone)
	alone, err = whole.MergeSplit(t.Context(), 4, exporterhelper.RequestSizerTypeItems, nil)
	require.NoError(t, err)
	assert.Len(t, alone, 2)
}

// TestMergesOneAfterTheOther: what is merged of many is what they are, one behind the other, also in a queue's form, and a merge changes no other one.
func TestMergesOneAfterTheOther(t *testing.T) {
	part := func(name string) (*request, []string) {
		logs, want := records(name, 3)
		return encoded(t, logs), want
	}
	merge := func(r, other *request) *request {
		merged, err := r.MergeSplit(t.Context(), 0, exporterhelper.RequestSizerTypeBytes, other)
		require.NoError(t, err)
		require.Len(t, merged, 1)
		return merged[0].(*request)
	}
	all, want := part("first")
	before, wantBefore := all, slices.Clone(want)
	for i := range 20 {
		next, more := part(fmt.Sprint("part ", i))
		before, wantBefore = all, slices.Clone(want)
		all, want = merge(all, next), append(want, more...)
	}
	other, wantOther := part("other")
	otherwise := merge(before, other)
	assert.Equal(t, want, bodies(decoded(t, all.wire)))
	assert.Equal(t, append(wantBefore, wantOther...), bodies(decoded(t, otherwise.wire)))
	assert.Equal(t, len(want), all.ItemsCount())
	stored, err := encoding{}.Marshal(t.Context(), all)
	require.NoError(t, err)
	_, back, err := encoding{}.Unmarshal(stored)
	require.NoError(t, err)
	assert.Equal(t, all.wire, back.(*request).wire)
	assert.Equal(t, all.records, back.ItemsCount())
	assert.Equal(t, all.observed, back.(*request).observed)
}

// TestUndecodableIsADeadLetter: what the server refuses, and we cannot decode to find out which record it is, is set aside as
// it is.
func TestUndecodableIsADeadLetter(t *testing.T) {
	// A record that says to be longer than it is, in a scope and a resource that are whole.
	wire := []byte{0x0a, 6, 0x12, 4, 0x12, 2, 0x2a, 0x05}
	r, err := readRequest(wire)
	require.NoError(t, err)
	require.Equal(t, 1, r.records)
	_, err = r.logs()
	require.Error(t, err)
	two := &request{stored: append(wire, wire...), wire: append(wire, wire...), records: 2}
	letters := newTestLetters(t)
	d := &delivery{
		send: func(context.Context, []byte) (partialSuccess, *refusal) {
			return partialSuccess{}, &refusal{verdict: invalid}
		},
		bury:    letters.write,
		stopped: func() bool { return false },
	}
	for _, r := range []*request{r, two} {
		_, why := d.run(t.Context(), r)
		require.Nil(t, why)
	}
	lines := readLines(t, letters.path)
	require.Len(t, lines, 2)
	assert.Equal(t, wire, lines[0].Protobuf)
	assert.Equal(t, two.wire, lines[1].Protobuf)
	assert.Equal(t, 2, lines[1].Records)
}

// FuzzReadRequest: what is read as a request has as many records as the decoder finds in it, and nothing makes it panic.
func FuzzReadRequest(f *testing.F) {
	r, err := newRequest(context.Background(), fullLogs())
	require.NoError(f, err)
	f.Add(r.stored)
	f.Add(r.wire)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, stored []byte) {
		r, err := readRequest(stored)
		if err != nil {
			return
		}
		if logs, err := r.logs(); err == nil {
			assert.Equal(t, logs.LogRecordCount(), r.records)
		}
		contextOf(stored)
	})
}

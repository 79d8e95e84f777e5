// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// layout makes logs with these numbers of records in each scope; 0 ends a resource. Bodies are numbered in order.
func layout(sizes []byte) plog.Logs {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutInt("resource", 0)
	n := 0
	for i, size := range sizes {
		if size == 0 {
			resource = logs.ResourceLogs().AppendEmpty()
			resource.Resource().Attributes().PutInt("resource", int64(i))
			resource.SetSchemaUrl("schema " + strconv.Itoa(i))
			continue
		}
		scope := resource.ScopeLogs().AppendEmpty()
		scope.Scope().SetName("scope " + strconv.Itoa(i))
		for range size % 8 {
			scope.LogRecords().AppendEmpty().Body().SetStr(strconv.Itoa(n))
			n++
		}
	}
	return logs
}

// encoded returns logs as the queue holds them.
func encoded(t testing.TB, logs plog.Logs) *request {
	t.Helper()
	r, err := newRequest(t.Context(), logs)
	require.NoError(t, err)
	return r
}

// decoded returns what a request holds that is sent.
func decoded(t testing.TB, wire []byte) plog.Logs {
	t.Helper()
	logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(wire)
	require.NoError(t, err)
	return logs
}

// placed returns each record with the resource, schema and scope that it stands in.
func placed(t testing.TB, logs plog.Logs) []string {
	t.Helper()
	var out []string
	for _, resource := range logs.ResourceLogs().All() {
		require.NotZero(t, resource.ScopeLogs().Len())
		id, ok := resource.Resource().Attributes().Get("resource")
		require.True(t, ok)
		for _, scope := range resource.ScopeLogs().All() {
			require.NotZero(t, scope.LogRecords().Len(), "an empty scope")
			for _, record := range scope.LogRecords().All() {
				out = append(out, id.AsString()+"|"+resource.SchemaUrl()+"|"+scope.Scope().Name()+"|"+record.Body().Str())
			}
		}
	}
	return out
}

// FuzzPick: what is picked is what stands in the spans, in its place, in order, and nothing else.
func FuzzPick(f *testing.F) {
	f.Add([]byte{1, 1, 1}, []byte{0, 1})
	f.Add([]byte{7, 0, 3, 2, 0, 0, 5}, []byte{1, 4, 2, 3})
	f.Add([]byte{0, 8, 8}, []byte{0, 200})
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, sizes, cuts []byte) {
		if len(sizes) > 64 || len(cuts) > 64 {
			t.Skip()
		}
		logs := layout(sizes)
		var spans []span
		at := 0
		for pair := range slices.Chunk(cuts, 2) {
			if len(pair) == 2 {
				from := at + int(pair[0]%16)
				at = from + int(pair[1]%16)
				spans = append(spans, span{from, at})
			}
		}
		all := bodies(logs)
		var want []string
		for _, s := range spans {
			for i := s.from; i < min(s.to, len(all)); i++ {
				want = append(want, all[i])
			}
		}
		picked := pick(logs, spans)
		assert.Equal(t, want, bodies(picked))
		assert.Equal(t, all, bodies(logs), "the original is left as it was")
		places := map[string]bool{}
		if len(all) > 0 {
			for _, place := range placed(t, pick(logs, []span{{0, len(all)}})) {
				places[place] = true
			}
		}
		for _, place := range placed(t, picked) {
			assert.True(t, places[place], place)
		}
	})
}

// TestDeliveryConserves: whatever a server answers and wherever dead letters fail, every record is taken once, or a dead
// letter, or remains; and the remaining ones, offered again, end in one of the first two.
func TestDeliveryConserves(t *testing.T) {
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 0))
		sizes := make([]byte, 1+rng.IntN(8))
		for i := range sizes {
			sizes[i] = byte(rng.IntN(8))
		}
		logs := layout(sizes)
		all := bodies(logs)
		if len(all) == 0 {
			continue
		}
		never := map[string]bool{}
		for range rng.IntN(4) {
			never[all[rng.IntN(len(all))]] = true
		}
		var taken, buried []string
		trouble := true
		d := &delivery{
			send: func(_ context.Context, wire []byte) (partialSuccess, *refusal) {
				part := bodies(decoded(t, wire))
				if len(part) == 0 {
					t.Fatal("an empty request")
				}
				if trouble {
					switch rng.IntN(6) {
					case 0:
						return partialSuccess{}, &refusal{verdict: held}
					case 1:
						return partialSuccess{}, &refusal{verdict: exhausted}
					case 2:
						if len(part) > 1 {
							return partialSuccess{}, &refusal{verdict: tooLarge}
						}
					}
				}
				if slices.ContainsFunc(part, func(body string) bool { return never[body] }) {
					return partialSuccess{}, &refusal{verdict: invalid}
				}
				taken = append(taken, part...)
				return partialSuccess{}, nil
			},
			bury: func(letter deadLetter) error {
				if trouble && rng.IntN(3) == 0 {
					return errors.New("full")
				}
				buried = append(buried, bodies(decoded(t, letter.request.wire))...)
				return nil
			},
			stopped: func() bool { return trouble && rng.IntN(50) == 0 },
		}
		remaining, why := d.run(t.Context(), encoded(t, logs))
		for rounds := 0; why != nil; rounds++ {
			settled := append(slices.Clone(taken), buried...)
			require.ElementsMatch(t, all, append(settled, bodies(decoded(t, remaining.wire))...), "seed %d", seed)
			trouble = rounds < 5
			remaining, why = d.run(t.Context(), remaining)
		}
		require.ElementsMatch(t, all, append(slices.Clone(taken), buried...), "seed %d", seed)
		for _, body := range buried {
			require.True(t, never[body], "seed %d: %s is a dead letter", seed, body)
		}
	}
}

// TestIsolationIsCheap: one bad record among n costs about 2·log2(n) requests.
func TestIsolationIsCheap(t *testing.T) {
	logs, _ := records("r", 10_000)
	requests := 0
	d := &delivery{
		send: func(_ context.Context, wire []byte) (partialSuccess, *refusal) {
			requests++
			if slices.Contains(bodies(decoded(t, wire)), "r-6789") {
				return partialSuccess{}, &refusal{verdict: invalid}
			}
			return partialSuccess{}, nil
		},
		bury:    func(deadLetter) error { return nil },
		stopped: func() bool { return false },
	}
	_, why := d.run(t.Context(), encoded(t, logs))
	require.Nil(t, why)
	assert.LessOrEqual(t, requests, 1+2*14)
}

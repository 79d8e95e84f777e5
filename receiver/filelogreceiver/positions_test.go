// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

func newTestPositions() (*positions, *disk) {
	d := &disk{values: map[string][]byte{}}
	p := newPositions(1000, everySaveIsDue())
	p.Persister = diskClient{storage.NewNopClient(), d}
	return p, d
}

func TestSavedMarks(t *testing.T) {
	type emission struct {
		reader            int
		from, to          mark
		accepted, refused bool
	}
	start, end := mark{2990, 29}, mark{3000, 30}
	for _, tt := range []struct {
		name      string
		emissions []emission
		want      []mark // of the two files
	}{
		{"one after the other", []emission{
			{0, start, mark{3100, 30}, true, false},
			{0, mark{3100, 30}, mark{3200, 31}, true, false},
		}, []mark{{3200, 31}, end}},
		{"both files", []emission{
			{0, start, mark{3100, 30}, true, false},
			{1, end, mark{4000, 31}, true, false},
		}, []mark{{3100, 30}, {4000, 31}}},
		{"refused", []emission{
			{0, start, mark{3100, 30}, true, false},
			{0, mark{3100, 30}, mark{3200, 31}, false, true},
			{0, mark{3200, 31}, mark{3300, 32}, true, false},
		}, []mark{{3100, 30}, end}},
		{"held by an operator, and let go with the next", []emission{
			{0, start, mark{3100, 30}, true, false},
			{0, mark{3100, 30}, mark{3200, 31}, false, false},
			{1, end, mark{4000, 31}, true, false},
		}, []mark{{3100, 30}, {4000, 31}}},
		{"a gap", []emission{
			{0, start, mark{3100, 30}, true, false},
			{0, mark{3150, 30}, mark{3200, 31}, true, false},
		}, []mark{{3100, 30}, end}},
		{"opened again, at another file's mark", []emission{
			{0, start, end, true, false},
			{2, end, mark{4000, 31}, true, false},
		}, []mark{end, end}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, d := newTestPositions()
			known := append(saved(strings.Repeat("a", 1000), start), saved(strings.Repeat("b", 1000), end)...)
			require.NoError(t, p.Batch(t.Context(), storage.SetOperation(checkpointKey, known)))
			attributes := []map[string]any{{}, {}, {}}
			for _, e := range tt.emissions {
				r := p.read(batch{
					tokens: [][]byte{[]byte("a")}, attributes: attributes[e.reader],
					lastRecord: e.to.record, offsets: []int64{e.from.offset, e.to.offset},
				})
				require.NoError(t, p.answered(t.Context(), r, e.accepted, e.refused))
			}
			c, err := decodeCheckpoint(d.values[checkpointKey])
			require.NoError(t, err)
			assert.Equal(t, tt.want, []mark{c.files[0].saved, c.files[1].saved})
		})
	}
}

// After an error the file consumer goes on in memory: what it has saved does not say any more where its readers began.
func TestNothingIsSavedAfterAFailedSave(t *testing.T) {
	p, d := newTestPositions()
	known := saved(strings.Repeat("a", 1000), mark{2000, 20})
	checkpoint := func() error { return p.Batch(t.Context(), storage.SetOperation(checkpointKey, known)) }
	emit := func() string {
		for range 2 { // the first one sets the clock
			r := p.read(batch{tokens: [][]byte{[]byte("a")}, attributes: map[string]any{}, lastRecord: 21, offsets: []int64{2000, 2002}})
			require.NoError(t, p.answered(t.Context(), r, true, false))
		}
		return string(d.values[checkpointKey])
	}
	d.full = true
	require.ErrorIs(t, checkpoint(), errFull)
	d.full = false
	assert.Empty(t, emit())
	require.NoError(t, checkpoint())
	assert.NotEqual(t, string(known), emit())
}

// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"encoding/binary"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/redact/rules"
)

// A private key has many lines, and where lines are records of their own, all but the first look like nothing. So a key is followed: from
// the text in which it begins to its END, or to what cannot belong to it.

// keyState is whether a key goes on in the next text of a stream.
type keyState struct {
	lines rules.KeyLines
	open  bool
}

// next returns the part of s that belongs to the key.
func (k *keyState) next(s string) (part span) {
	part.rule = rules.PrivateKey
	part.start, part.end, k.open = k.lines.Next(s)
	return part
}

// begin looks whether one of the matches in s is a key that goes on.
func (k *keyState) begin(s string, found []span) {
	for _, sp := range found {
		if sp.rule == rules.PrivateKey {
			k.lines, k.open = rules.OpenKey(s, sp.start, sp.end)
		}
	}
}

// maxOpenKeys is how many streams may be in the middle of a key. With one more, the one that began first is no longer followed.
const maxOpenKeys = 1024

// openKeys are the streams of records that are in the middle of a key. It is safe for concurrent use.
type openKeys struct {
	n     atomic.Int64 // how many there are
	seed  maphash.Seed
	mu    sync.Mutex
	open  map[uint64]keyState
	order []uint64 // of those in open, and of some that were
}

func newOpenKeys() *openKeys {
	return &openKeys{seed: maphash.MakeSeed(), open: map[uint64]keyState{}}
}

// take returns the state of a stream, which begins anew if no key is open.
func (o *openKeys) take(stream uint64) keyState {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.open[stream]
}

// put keeps the state of a stream.
func (o *openKeys) put(stream uint64, k keyState) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, known := o.open[stream]
	switch {
	case !k.open:
		delete(o.open, stream)
	case known:
		o.open[stream] = k
	default:
		for len(o.open) >= maxOpenKeys || len(o.order) >= 2*maxOpenKeys {
			delete(o.open, o.order[0])
			o.order = o.order[1:]
		}
		o.open[stream] = k
		o.order = append(o.order, stream)
	}
	o.n.Store(int64(len(o.open)))
}

// streamAttributes are what tells apart the streams of one resource.
var streamAttributes = [...]string{"log.file.path", "log.file.name", "log.iostream", "logtag", "stream"}

// stream names what a text of the record belongs to: its resource, file and descriptor, and the name that the text has in the record. The
// record's attributes may be in the middle of being redacted; none of these is, or is the same in every record of the stream.
func (o *openKeys) stream(w *worker) uint64 {
	var h maphash.Hash
	h.SetSeed(o.seed)
	text := func(s string) {
		_, _ = h.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(s))))
		_, _ = h.WriteString(s)
	}
	for k, v := range w.place.resource.Attributes().All() {
		text(k)
		text(v.AsString())
	}
	for _, name := range streamAttributes {
		if v, ok := w.place.log.Attributes().Get(name); ok {
			text(name)
			text(v.AsString())
		}
	}
	text(locationNames[w.loc])
	text(w.place.name)
	return h.Sum64()
}

// place is where the text that is redacted stands, if it stands in a record.
type place struct {
	inRecord bool
	resource pcommon.Resource
	log      plog.LogRecord
	name     string // of the value, "" for a body that is a text
}

// keyOf returns the state of the stream that the text which is redacted now belongs to, or nil if keys are not followed there: they are in
// bodies, in attributes, and by [Stream].
func (w *worker) keyOf() *keyState {
	switch {
	case w.followed != nil:
		return w.followed
	case !w.place.inRecord || w.loc != inBody && w.loc != inAttributes:
		return nil
	}
	w.recordKey = keyState{}
	if w.e.keys.n.Load() > 0 {
		w.recordKey = w.e.keys.take(w.e.keys.stream(w))
	}
	return &w.recordKey
}

// keep keeps the state of the stream after a text. was tells whether a key was open before.
func (w *worker) keep(k *keyState, was bool) {
	if k == &w.recordKey && (was || k.open) {
		w.e.keys.put(w.e.keys.stream(w), *k)
	}
}

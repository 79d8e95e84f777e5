// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer/attrs"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/logseal/logseal/receiver/internal/lossless"
)

const (
	// checkpointKey is where the file consumer keeps its checkpoint.
	checkpointKey = "knownFiles"

	// A kill repeats what has been read since the last save. A save costs the more, the more files there are: one in
	// saveShare times its own duration keeps it at one percent of the time, within these bounds.
	saveShare       = 100
	minSaveInterval = 10 * time.Millisecond
	maxSaveInterval = time.Second
)

// mark is how far a file has been read.
type mark struct {
	offset int64 // in bytes
	record int64 // records before it
}

// batch is what the file consumer emits: consecutive tokens of one file.
type batch struct {
	tokens     [][]byte
	attributes map[string]any // belongs to one reader, and tells it from the others
	lastRecord int64
	offsets    []int64 // of each token, and behind the last
}

func (b batch) start() mark { return mark{b.offsets[0], b.lastRecord - int64(len(b.tokens))} }
func (b batch) end() mark   { return mark{b.offsets[len(b.tokens)], b.lastRecord} }

// reader is one reader of the file consumer, as seen from its batches since the last checkpoint.
type reader struct {
	attributes map[string]any // held, so that no other reader can come by the same address
	start      mark           // where it began, which is what the checkpoint says of its file
	next       mark           // where its next batch begins
	accepted   mark           // behind the last batch that has been accepted
	head       []byte         // proven first bytes of the file, from start on, while they are within the fingerprint
	lost       bool           // a batch was refused, or did not begin where the one before ended: nothing more is known
	file       *knownFile
}

// positions stands between the file consumer and its storage. It keeps the checkpoint that the file consumer has loaded or
// saved last, and saves it again during a poll, with the offsets behind accepted records.
type positions struct {
	operator.Persister
	fingerprintSize int
	now             func() time.Time
	polled          func(checkpoint []byte) // is told each checkpoint, unless nil

	mu       sync.Mutex
	saved    []byte      // as the file consumer loaded or saved it last
	usable   bool        // saved is known, and in the encoding that we know
	known    *checkpoint // saved, decoded when it is needed
	readers  map[uintptr]*reader
	took     time.Duration // by the last save
	interval time.Duration
	due      time.Time // zero until something is emitted after a checkpoint
}

func newPositions(fingerprintSize int, now func() time.Time) *positions {
	return &positions{fingerprintSize: fingerprintSize, now: now, readers: map[uintptr]*reader{}, interval: minSaveInterval}
}

// Get is how the file consumer loads its checkpoint, before its first poll.
func (p *positions) Get(ctx context.Context, key string) ([]byte, error) {
	value, err := p.Persister.Get(ctx, key)
	if key == checkpointKey && err == nil {
		p.begin(value, true)
	}
	return value, err
}

// Batch is how the file consumer saves its checkpoint. No reader is at work then.
func (p *positions) Batch(ctx context.Context, ops ...*storage.Operation) error {
	save := slices.IndexFunc(ops, func(op *storage.Operation) bool { return op.Type == storage.Set && op.Key == checkpointKey })
	err := p.Persister.Batch(ctx, ops...) // which changes the keys
	if save >= 0 {
		p.begin(ops[save].Value, err == nil) // after an error the readers go on from what was not saved
	}
	return err
}

// begin starts anew behind a checkpoint.
func (p *positions) begin(saved []byte, usable bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.saved, p.usable, p.known, p.due = saved, usable, nil, time.Time{}
	clear(p.readers)
	if p.polled != nil {
		p.polled(saved)
	}
}

// read notes a batch that is about to be emitted, and returns its reader.
func (p *positions) read(b batch) *reader {
	r, unproven := p.follow(b)
	if unproven {
		if path, ok := b.attributes[attrs.LogFilePath].(string); ok {
			if raw, ok := proveBytes(path, b, p.fingerprintSize); ok {
				p.mu.Lock()
				r.head = append(r.head, raw...)
				p.mu.Unlock()
			}
		}
	}
	return r
}

// follow finds the reader of b, and says whether b begins where the proven first bytes of its file end.
func (p *positions) follow(b batch) (r *reader, unproven bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// A map's address is its identity: the tokens of a reader come with the reader's own map.
	id := reflect.ValueOf(b.attributes).Pointer()
	r = p.readers[id]
	if r == nil {
		r = &reader{attributes: b.attributes, start: b.start(), next: b.start(), accepted: b.start()}
		p.readers[id] = r
	}
	if r.next != b.start() {
		r.lost = true
	}
	r.next = b.end()
	proven := r.start.offset + int64(len(r.head))
	return r, !r.lost && proven < int64(p.fingerprintSize) && proven == b.start().offset
}

// answered notes what became of the last batch of r, and saves when that is due.
func (p *positions) answered(ctx context.Context, r *reader, accepted, refused bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case refused:
		r.lost = true
	case accepted && !r.lost:
		r.accepted = r.next
	}
	begun := p.now()
	if p.due.IsZero() {
		p.due = begun.Add(p.interval)
	}
	if begun.Before(p.due) {
		return nil
	}
	err := p.save(ctx)
	done := p.now()
	took := done.Sub(begun)
	if err != nil {
		took = maxSaveInterval
	}
	// One slow save is the machine's doing; two are the checkpoint's.
	p.interval = max(minSaveInterval, min(saveShare*min(took, p.took), maxSaveInterval))
	p.took = took
	p.due = done.Add(p.interval)
	return err
}

func (p *positions) save(ctx context.Context) error {
	if !p.usable {
		return nil
	}
	if p.known == nil {
		known, err := decodeCheckpoint(p.saved)
		if err != nil {
			p.usable = false // until the file consumer saves the next
			return nil
		}
		p.known = known
	}
	if !p.advance() {
		return nil
	}
	return p.Persister.Batch(lossless.PartialSave(ctx), storage.SetOperation(checkpointKey, p.known.encode()))
}

// advance moves the files of the checkpoint to what has been accepted, and says whether any has moved.
func (p *positions) advance() (moved bool) {
	// A mark at which another reader stopped is no longer the checkpoint's: the file has been opened again in this poll.
	stopped := make(map[mark]bool, len(p.readers))
	for _, r := range p.readers {
		stopped[r.next] = true
	}
	for _, r := range p.readers {
		if r.file == nil && r.accepted != r.start && !stopped[r.start] {
			r.file = p.known.recognize(r, p.fingerprintSize)
		}
		if r.file != nil && r.file.accepted != r.accepted {
			r.file.accepted, moved = r.accepted, true
		}
	}
	return moved
}

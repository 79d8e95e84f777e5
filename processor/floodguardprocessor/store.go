// SPDX-License-Identifier: Apache-2.0

package floodguardprocessor

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/flood"
)

// store keeps what a kill must not take: counts that are not reported, and when the process was there last.
//
// Sources are spread over a fixed number of entries, for a storage cannot be asked what is in it. Only entries that have
// changed are written.
type store struct {
	client storage.Client

	mu      sync.Mutex
	written [entries][]byte
	soon    time.Duration // a source that begins to shed is not stored before
}

const (
	entries  = 64
	aliveKey = "alive"
	cleanKey = "clean"

	// What is counted is stored this often while something is shed, and at once when a source begins to be. Storing takes at
	// most one in saveShare of the time, or inventing keys would be a way to keep the machine busy.
	minSave   = 100 * time.Millisecond
	maxSave   = 2 * time.Second
	saveShare = 20

	version = 1
)

// entry is what is stored.
type entry struct {
	Version int           `json:"version"`
	States  []flood.State `json:"states"`
}

// claimed are the ids of processors that have a storage: one that stands in two pipelines would be two with one state.
var claimed sync.Map

// openStore connects, and hands to the guard what the session before has left.
func openStore(ctx context.Context, f *floodGuard, host component.Host) (s *store, err error) {
	extension, found := host.GetExtensions()[*f.config.Storage]
	if !found {
		return nil, fmt.Errorf("storage: there is no extension %q: write it under extensions and under service::extensions", f.config.Storage)
	}
	storageExtension, ok := extension.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: extension %q keeps nothing: name a storage extension, such as encrypted_storage", f.config.Storage)
	}
	if _, taken := claimed.LoadOrStore(f.set.ID, nil); taken {
		return nil, fmt.Errorf("storage: processor %q stands in two pipelines, and would be two with one state: name one of them, such as flood_guard/second", f.set.ID)
	}
	defer func() {
		if err != nil {
			claimed.Delete(f.set.ID)
		}
	}()
	client, err := storageExtension.GetClient(ctx, component.KindProcessor, f.set.ID, "")
	if err != nil {
		// What bbolt says of a file that another process has locked.
		if strings.Contains(err.Error(), "timeout") {
			return nil, fmt.Errorf("storage %s: the state of processor %q is in use by another process: give each collector a storage directory of its own, or end the other one (%w)",
				f.config.Storage, f.set.ID, err)
		}
		return nil, fmt.Errorf("storage %s: %w", f.config.Storage, err)
	}
	s = &store{client: client}
	if err := s.restore(ctx, f); err != nil {
		return nil, errors.Join(fmt.Errorf("storage %s: %w", f.config.Storage, err), client.Close(ctx))
	}
	return s, nil
}

func (s *store) restore(ctx context.Context, f *floodGuard) error {
	ops := []*storage.Operation{storage.GetOperation(aliveKey), storage.GetOperation(cleanKey), storage.DeleteOperation(cleanKey)}
	for i := range entries {
		ops = append(ops, storage.GetOperation(entryKey(i)))
	}
	if err := s.client.Batch(ctx, ops...); err != nil {
		return err
	}
	crashed := ops[1].Value == nil
	var states []flood.State
	unreadable := 0
	for _, op := range ops[3:] {
		if op.Value == nil {
			continue
		}
		var e entry
		if err := json.Unmarshal(op.Value, &e); err != nil || e.Version != version {
			// Records would wait for ever if this stopped the start. It is overwritten with the next save.
			unreadable++
			continue
		}
		states = append(states, e.States...)
	}
	if unreadable > 0 {
		f.set.Logger.Error("What was shed and not reported cannot be read from the storage: it is not in the reports", zap.Int("entries", unreadable))
	}
	f.guard.Restore(states, crashed)
	if alive := ops[0].Value; len(alive) == 8 {
		// What sources wrote while nobody was there to read it is no flood.
		last := time.Unix(0, int64(binary.BigEndian.Uint64(alive)))
		if away := time.Since(last); away > 0 {
			f.guard.Reopen(f.now(), reopenFor, away)
		}
	}
	return nil
}

// reopenFor is how long after a start a source that is seen first is taken for one that was there while we were not.
const reopenFor = time.Minute

func entryKey(i int) string { return fmt.Sprintf("flood/%02d", i) }

// begun stores the state at once, unless that was done just now.
func (s *store) begun(f *floodGuard) {
	s.mu.Lock()
	now := f.now()
	wait := now < s.soon
	if !wait {
		s.soon = now + minSave
	}
	s.mu.Unlock()
	if !wait {
		f.save(context.Background())
	}
}

// save stores what has changed.
func (s *store) save(ctx context.Context, g *flood.Guard, now time.Time, more ...*storage.Operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	states, changed := g.States()
	ops := more
	var fresh [entries][]byte
	if changed {
		var spread [entries][]flood.State
		for _, state := range states {
			h := fnv.New32a()
			_, _ = h.Write([]byte(state.Key.Value))
			i := h.Sum32() % entries
			spread[i] = append(spread[i], state)
		}
		for i, states := range spread {
			if len(states) > 0 {
				value, err := json.Marshal(entry{version, states})
				if err != nil {
					return err
				}
				fresh[i] = value
			}
			switch {
			case bytes.Equal(fresh[i], s.written[i]):
			case fresh[i] == nil:
				ops = append(ops, storage.DeleteOperation(entryKey(i)))
			default:
				ops = append(ops, storage.SetOperation(entryKey(i), fresh[i]))
			}
		}
	}
	if len(ops) == 0 {
		return nil
	}
	ops = append(ops, storage.SetOperation(aliveKey, binary.BigEndian.AppendUint64(nil, uint64(now.UnixNano()))))
	if err := s.client.Batch(ctx, ops...); err != nil {
		g.Unsaved()
		return err
	}
	if changed {
		s.written = fresh
	}
	return nil
}

func (s *store) close(ctx context.Context, f *floodGuard) error {
	err := errors.Join(s.save(ctx, f.guard, time.Now(), storage.SetOperation(cleanKey, []byte{1})), s.client.Close(ctx))
	claimed.Delete(f.set.ID)
	return err
}

// save stores the state, and tells the operator when that begins to fail and when it works again.
func (f *floodGuard) save(ctx context.Context, more ...*storage.Operation) {
	if f.store == nil {
		return
	}
	err := f.store.save(ctx, f.guard, time.Now(), more...)
	if ctx.Err() != nil {
		return // stopping; Shutdown tries once more
	}
	failed := err != nil
	if f.failing.Swap(failed) == failed {
		return
	}
	if failed {
		f.set.Logger.Warn("What is shed cannot be stored. It is counted and reported; a kill would lose the counts of what was not reported", zap.Error(err))
		componentstatus.ReportStatus(f.host, componentstatus.NewRecoverableErrorEvent(err))
		return
	}
	f.set.Logger.Info("What is shed is stored again")
	componentstatus.ReportStatus(f.host, componentstatus.NewEvent(componentstatus.StatusOK))
}

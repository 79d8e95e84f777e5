// SPDX-License-Identifier: Apache-2.0

package encryptedstorageextension

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/seglog"
)

// encryptedStorage lends logs of a store to components.
type encryptedStorage struct {
	config *Config
	set    extension.Settings

	store     *seglog.Store
	telemetry *telemetry
	host      component.Host
	stop      chan struct{}
	watching  sync.WaitGroup
}

var _ storage.Extension = (*encryptedStorage)(nil)

// Start opens the store.
func (e *encryptedStorage) Start(_ context.Context, host component.Host) error {
	e.host = host
	if err := os.MkdirAll(e.config.Directory, 0o700); err != nil {
		return withRemedy(fmt.Errorf("directory: %w", err))
	}
	keys, err := e.keys()
	if errors.Is(err, fs.ErrPermission) {
		return withRemedy(err)
	}
	if err != nil {
		return err
	}
	e.store, err = seglog.Open(e.config.Directory, seglog.Options{
		Keys:     keys,
		Sync:     seglog.SyncPolicy(e.config.Fsync),
		Interval: e.config.FsyncInterval,
		MaxBytes: e.config.MaxSizeMiB << 20,
		OnLoss:   e.logLoss,
	})
	switch {
	case errors.Is(err, seglog.ErrLocked):
		return fmt.Errorf("directory: %w: give each collector a directory of its own, or end the other one", err)
	case errors.Is(err, seglog.ErrWrongKey):
		return fmt.Errorf("%w: give that key behind the new one, in another line of key_file", err)
	case errors.Is(err, fs.ErrPermission):
		return withRemedy(fmt.Errorf("directory: %w", err))
	case err != nil:
		return fmt.Errorf("directory: %w", err)
	}
	if e.telemetry, err = newTelemetry(e.set.TelemetrySettings, e.set.ID, e.store.Stats); err != nil {
		return errors.Join(err, e.store.Close())
	}
	e.stop = make(chan struct{})
	e.watching.Go(e.watch)
	return nil
}

// withRemedy says what to do about a directory or a key file that cannot be made, read or written.
func withRemedy(err error) error {
	return fmt.Errorf("%w: let the collector's user (uid %d) own that folder, or name another", err, os.Getuid())
}

func (e *encryptedStorage) keys() ([][]byte, error) {
	if e.config.Key != "" {
		return seglog.ParseKeys(string(e.config.Key))
	}
	keys, made, err := e.config.readKeyFile()
	if made {
		e.set.Logger.Info("There was no key file, and one was made. Whoever has it reads what is stored; without it nobody does",
			zap.String("key_file", e.config.keyFile()), zap.Stringer("key_id", seglog.IDOfKey(keys[0])))
	}
	return keys, err
}

// logLoss says what cannot be read. A torn write is what a kill leaves of one that nobody was told is stored.
func (e *encryptedStorage) logLoss(l seglog.Loss) {
	fields := []zap.Field{
		zap.String("client", l.Client), zap.Uint64("segment", l.Segment), zap.Int64("offset", l.Offset),
		zap.Int("entries", l.Entries), zap.String("reason", l.Reason),
	}
	if l.Key != "" {
		fields = append(fields, zap.String("key", l.Key))
	}
	if l.Torn {
		e.set.Logger.Info("The last write of the process before is not there as a whole", fields...)
		return
	}
	e.set.Logger.Error("Something that was stored is lost; the rest is delivered. If its records were stamped, a verifier names them as missing", fields...)
}

// Directory says where the files are: the siem exporter bounds its queue by the size of that disk.
func (e *encryptedStorage) Directory() string { return e.config.Directory }

// GetClient opens the log of a component, and takes over what file_storage has left for it.
func (e *encryptedStorage) GetClient(_ context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	if e.store == nil {
		return nil, errors.New("the storage has not been started")
	}
	client := clientName(kind, id, name)
	log, err := e.store.Log(client)
	if errors.Is(err, seglog.ErrWrongKey) {
		return nil, fmt.Errorf("%w: give that key behind the new one, in another line of key_file", err)
	}
	if err != nil {
		return nil, err
	}
	if err := e.takeOver(client, log); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	if kind == component.KindExporter {
		return newQueueClient(log, e.set.Logger)
	}
	return plainClient{log}, nil
}

// clientName is the name that file_storage gives its files, so that a directory of it can be taken over.
func clientName(kind component.Kind, id component.ID, name string) string {
	parts := []string{strings.ToLower(kind.String()), id.Type().String(), id.Name()}
	if name != "" {
		parts = append(parts, name)
	}
	var b strings.Builder
	for _, r := range strings.Join(parts, "_") {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "~%04X", r)
		}
	}
	return b.String()
}

// watch reports when the storage takes nothing any more: that is no state to look green in.
func (e *encryptedStorage) watch() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var before string
	for {
		select {
		case <-e.stop:
			return
		case <-ticker.C:
		}
		var now string
		s := e.store.Stats()
		switch {
		case s.Failing != nil:
			now = "the disk fails: " + s.Failing.Error()
		case !s.FullSince.IsZero():
			now = "the storage is full: queues take nothing more, and receivers wait, until the other side has taken some of what waits, or there is more room"
		}
		if now == before {
			continue
		}
		if before = now; now == "" {
			e.set.Logger.Info("The storage takes everything again")
			componentstatus.ReportStatus(e.host, componentstatus.NewEvent(componentstatus.StatusOK))
			continue
		}
		e.set.Logger.Error("The storage stands still", zap.String("why", now), zap.Int64("bytes", s.Bytes), zap.Int64("live_bytes", s.LiveBytes))
		componentstatus.ReportStatus(e.host, componentstatus.NewRecoverableErrorEvent(errors.New(now)))
	}
}

// Shutdown closes the store. The components have closed their clients by then.
func (e *encryptedStorage) Shutdown(context.Context) error {
	if e.store == nil {
		return nil
	}
	if e.stop != nil {
		close(e.stop)
		e.watching.Wait()
	}
	if e.telemetry != nil {
		e.telemetry.Shutdown()
	}
	return e.store.Close()
}

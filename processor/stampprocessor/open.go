// SPDX-License-Identifier: Apache-2.0

package stampprocessor

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
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/endorse"
	"github.com/logseal/logseal/pkg/seal/sealer"
)

// open takes the key file, the name and the storage for this processor alone, and starts a session.
func (s *stamp) open(ctx context.Context, host component.Host) error {
	extension, err := s.storageExtension(host)
	if err != nil {
		return err
	}
	policy, err := s.config.policy()
	if err != nil {
		return err
	}
	resource, err := s.sealResource()
	if err != nil {
		return err
	}
	keys, err := s.openKeys(resource["host.name"])
	if err != nil {
		return err
	}
	trust := keys.Trust()
	if err := s.claimAndConnect(ctx, trust.Name, extension); err != nil {
		return errors.Join(err, keys.Close())
	}
	if s.leaves, err = sealer.OpenLeafLog(s.config.KeyFile+".leaves", trust.StreamID()); err != nil {
		return errors.Join(fmt.Errorf("leaves that wait for their seal are kept beside the key file: %w", err), keys.Close())
	}
	s.sealer, err = sealer.Open(ctx, sealer.Config{
		Keys:         keys,
		Store:        store{s.client},
		Leaves:       s.leaves,
		Clock:        s.clock,
		Policy:       policy,
		Carry:        s.config.Carry,
		Software:     s.set.BuildInfo.Command + "/" + s.set.BuildInfo.Version,
		SealResource: resource,
		Interval:     s.config.Seal.Interval,
		Heartbeat:    s.config.Seal.Heartbeat,
		MaxRecords:   s.config.Seal.MaxRecords,
	})
	if err != nil {
		return fmt.Errorf("stream %s, key file %s, storage %s: %w", trust.Name, s.config.KeyFile, s.config.Storage, err)
	}
	if lost := s.sealer.Stats().Lost; lost > 0 {
		s.set.Logger.Warn("Leaves of the session before are gone, as after a loss of power: these records stay unsealed, and a verifier says so", zap.Uint64("records", lost))
	}
	if err := s.keepTrustLine(trust.String()); err != nil {
		return err
	}
	s.set.Logger.Info("Stamping", zap.String("stream", trust.Name), zap.String("trust_line", trust.String()))
	if s.config.PostQuantum && trust.PostQuantum == (seal.Hash{}) {
		s.set.Logger.Info("The stream began without ML-DSA keys, and goes on so: its proof is not post-quantum. A new stream has them: move the key file away, start again, and keep the old trust line for the old records",
			zap.String("key_file", s.config.KeyFile))
	}
	s.telemetry, err = newTelemetry(s.set.TelemetrySettings, s.set.ID, s.sealer.Stats)
	return err
}

func (s *stamp) storageExtension(host component.Host) (storage.Extension, error) {
	extension, found := host.GetExtensions()[*s.config.Storage]
	if !found {
		return nil, fmt.Errorf("storage: there is no extension %q: write it under extensions and under service::extensions", s.config.Storage)
	}
	storageExtension, ok := extension.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: extension %q keeps nothing: name a storage extension, such as encrypted_storage", s.config.Storage)
	}
	return storageExtension, nil
}

// openKeys opens the key file, and makes it first if there is none.
func (s *stamp) openKeys(hostName string) (*sealer.KeyFile, error) {
	keys, err := sealer.OpenKeyFile(s.config.KeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		name := s.config.Name
		if name == "" {
			name = defaultName(hostName, s.set.ID)
		}
		if err := seal.CheckName(name); err != nil {
			return nil, fmt.Errorf("the host's name does not do for a stream: set name: %w", err)
		}
		stream := sealer.NewStream{Name: name, PostQuantum: s.config.PostQuantum}
		if s.config.Endorse.enabled() {
			stream.Endorse = s.endorse
		}
		trust, err := sealer.CreateKeyFile(s.config.KeyFile, stream)
		if err != nil {
			return nil, fmt.Errorf("there was no key file, and none could be made: %w", err)
		}
		s.set.Logger.Warn("There was no key file: a new stream begins. A verifier reports it as unknown until its trust line is in the trust file",
			zap.String("key_file", s.config.KeyFile), zap.String("trust_line", trust.String()))
		keys, err = sealer.OpenKeyFile(s.config.KeyFile)
		if err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	if made := keys.Trust().Name; s.config.Name != "" && s.config.Name != made {
		return nil, errors.Join(keys.Close(), fmt.Errorf("key file %s is that of stream %q, and name is %q: name the stream as it was enrolled, or give %[3]q a key file of its own",
			s.config.KeyFile, made, s.config.Name))
	}
	if err := s.endorseExisting(keys); err != nil {
		return nil, errors.Join(keys.Close(), err)
	}
	return keys, nil
}

// endorse vouches for a new stream with the certificate of the configuration.
func (s *stamp) endorse(trust seal.Trust) (*seal.Endorsement, error) {
	cert, err := endorse.Load(s.config.Endorse.CertFile, s.config.Endorse.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("endorse: %w", err)
	}
	e, err := endorse.Sign(cert, trust, time.Now())
	if err != nil {
		return nil, fmt.Errorf("endorse.cert_file %s: %w", s.config.Endorse.CertFile, err)
	}
	return e, nil
}

// endorseExisting vouches for a stream that was enrolled and has not begun. One that has begun without an endorsement cannot get
// one any more, and is not what the configuration asks for.
func (s *stamp) endorseExisting(keys *sealer.KeyFile) error {
	if !s.config.Endorse.enabled() || keys.Endorsed() {
		return nil
	}
	if keys.Begun() {
		return fmt.Errorf("endorse: the stream of key file %s has begun without an endorsement, and only the first seal of a stream carries one. "+
			"Take endorse out and keep the stream's trust line, or begin an endorsed stream: move the key file away, start again, and keep the old trust line for the old records", s.config.KeyFile)
	}
	e, err := s.endorse(keys.Trust())
	if err != nil {
		return err
	}
	return keys.Endorse(e)
}

func defaultName(hostName string, id component.ID) string {
	if id.Name() == "" {
		return hostName
	}
	return hostName + "/" + id.Name()
}

// claimAndConnect makes the name and the storage this processor's own.
func (s *stamp) claimAndConnect(ctx context.Context, name string, extension storage.Extension) error {
	if holder, taken := names.claim(name, s.set.ID); taken {
		return fmt.Errorf("name: %q is already the stream of processor %q: give each stamp processor, and each pipeline, a name and a key_file of its own", name, holder)
	}
	s.name = name
	client, err := extension.GetClient(ctx, component.KindProcessor, s.set.ID, "")
	if err != nil {
		// What bbolt says of a file that another process has locked.
		if strings.Contains(err.Error(), "timeout") {
			return fmt.Errorf("storage %s: the state of processor %q is in use by another process: give each collector a storage directory of its own, or end the other one (%w)", s.config.Storage, s.set.ID, err)
		}
		return fmt.Errorf("storage %s: %w", s.config.Storage, err)
	}
	s.client = client
	return nil
}

// sealResource returns what seals are sent under: who sends them, and what the configuration adds.
func (s *stamp) sealResource() (map[string]string, error) {
	own := s.set.Resource.Attributes()
	resource := map[string]string{"service.name": s.set.BuildInfo.Command}
	for _, name := range append([]string{"service.name", "host.name"}, s.config.Seal.ResourceAttributes...) {
		if value, found := own.Get(name); found && value.AsString() != "" {
			resource[name] = value.AsString()
		}
	}
	for _, name := range s.config.Seal.ResourceAttributes {
		if _, found := resource[name]; !found {
			return nil, fmt.Errorf("seal.resource_attributes: the collector's own resource has no %q: write it under service::telemetry::resource", name)
		}
	}
	if resource["host.name"] == "" {
		name, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("the host has no name: write host.name under service::telemetry::resource: %w", err)
		}
		resource["host.name"] = name
	}
	return resource, nil
}

// keepTrustLine adds the line to the trust line file unless it is there. Former streams' lines stay: their records
// still need them.
func (s *stamp) keepTrustLine(line string) error {
	path := s.config.TrustLineFile
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("trust_line_file: %w", err)
	}
	for known := range strings.Lines(string(text)) {
		if strings.TrimSpace(known) == line {
			return nil
		}
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		line = "\n" + line
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644) // public keys, for others to read
	if err != nil {
		return fmt.Errorf("trust_line_file: %w", err)
	}
	_, err = f.WriteString(line + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("trust_line_file: %w", err)
	}
	return nil
}

// names are the streams of this process. Two with one name could not be told apart in reports.
var names = registry{holders: map[string]component.ID{}}

type registry struct {
	mu      sync.Mutex
	holders map[string]component.ID
}

// claim takes the name, or returns who has it.
func (r *registry) claim(name string, id component.ID) (holder component.ID, taken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if holder, taken = r.holders[name]; !taken {
		r.holders[name] = id
	}
	return holder, taken
}

func (r *registry) release(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.holders, name)
}

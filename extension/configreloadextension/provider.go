// SPDX-License-Identifier: Apache-2.0

package configreloadextension

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/confmap"
)

// sources remembers the files of the configuration that runs, and can give them out again instead of those on disk. All
// other sources (the environment, the command line) do not change while a process runs.
type sources struct {
	mu      sync.Mutex
	running map[string][]byte // of the configuration that runs
	loaded  map[string][]byte // of the one that was read last
	whole   bool              // loaded is a whole configuration
	replay  bool              // give out running instead of what is on disk
	changed confmap.WatcherFunc
}

// wrap puts the memory behind every provider.
func (s *sources) wrap(factories []confmap.ProviderFactory) []confmap.ProviderFactory {
	wrapped := make([]confmap.ProviderFactory, len(factories))
	for i, factory := range factories {
		wrapped[i] = confmap.NewProviderFactory(func(set confmap.ProviderSettings) confmap.Provider {
			return &rememberingProvider{Provider: factory.Create(set), sources: s}
		})
	}
	return wrapped
}

// resolved is called when a whole configuration has been read.
func (s *sources) resolved() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.whole = true
}

// next notes that something is read. When a whole configuration was read before, another one begins here: so otelcol is done
// with that one, and runs it. mu is held.
func (s *sources) next(changed confmap.WatcherFunc) {
	s.changed = changed
	if s.whole {
		s.running, s.loaded, s.whole, s.replay = s.loaded, map[string][]byte{}, false, false
	}
}

// goBack is called when that one does not work.
func (s *sources) goBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded, s.whole, s.replay = map[string][]byte{}, false, true
}

// trigger has the collector reload, as soon as it is done with a reload before.
func (s *sources) trigger() bool {
	s.mu.Lock()
	changed := s.changed
	s.mu.Unlock()
	if changed == nil {
		return false
	}
	go changed(&confmap.ChangeEvent{}) // it waits for the collector, which may be about to end
	return true
}

func (s *sources) read(path string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	content, known := s.running[path]
	if !s.replay || !known {
		var err error
		if content, err = os.ReadFile(filepath.Clean(path)); err != nil {
			return nil, err
		}
	}
	if s.loaded == nil {
		s.loaded = map[string][]byte{}
	}
	s.loaded[path] = content
	return content, nil
}

type rememberingProvider struct {
	confmap.Provider
	sources *sources
}

// Retrieve implements confmap.Provider.
func (p *rememberingProvider) Retrieve(ctx context.Context, uri string, changed confmap.WatcherFunc) (*confmap.Retrieved, error) {
	p.sources.mu.Lock()
	p.sources.next(changed)
	p.sources.mu.Unlock()
	if path, ok := strings.CutPrefix(uri, "file:"); ok && p.Scheme() == "file" {
		if content, err := p.sources.read(path); err == nil {
			return confmap.NewRetrievedFromYAML(content)
		}
	}
	return p.Provider.Retrieve(ctx, uri, changed) // which says what is wrong
}

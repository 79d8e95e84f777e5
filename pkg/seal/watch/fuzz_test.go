// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/sealtest"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// FuzzLoad: whatever lies where the state should be, Load says that it is none, or the watcher goes on from it.
func FuzzLoad(f *testing.F) {
	h, err := sealtest.NewHost("web-17", rand.New(rand.NewPCG(1, 2)))
	require.NoError(f, err)
	require.NoError(f, h.Start(f.Context()))
	config := watch.Config{Trust: []seal.Trust{h.Trust}, BindIdentity: true, Learn: true}
	w, err := watch.New(config)
	require.NoError(f, err)
	w.Save(false)
	keys := []string{"index", "findings", "stream/" + h.Trust.StreamID(), "strangers"}
	seed := func(last bool) {
		store := map[string][]byte{}
		for _, part := range w.Save(last) {
			store[part.Key] = part.Value
		}
		f.Add(store[keys[0]], store[keys[1]], store[keys[2]], store[keys[3]])
	}
	now := begin
	for i := range 3 {
		require.NoError(f, h.Stamp(f.Context(), 40))
		h.Land(0, sealtest.Taken)
		require.NoError(f, h.Seal(f.Context()))
		list := flatten(h.Received)
		h.Received = nil
		record(list[7]).Body().SetStr("altered")
		for j, ld := range list {
			if j%9 != 0 || idOf(ld) == "" {
				w.Observe(ld, watch.Peer{Identity: "a"}, now)
			}
		}
		w.Observe(idRecords(3, func() string { return "aaaaaaaa-7" }), watch.Peer{}, now)
		for range 10 * i {
			now = now.Add(10 * time.Second)
			w.Tick(now)
		}
		seed(i == 2)
	}
	require.NoError(f, h.Stamp(f.Context(), 40))
	h.Land(0, sealtest.Taken)
	require.NoError(f, h.Seal(f.Context()))
	more := h.Received
	f.Fuzz(func(t *testing.T, index, findings, stream, strangers []byte) {
		w, err := watch.New(config)
		require.NoError(t, err)
		store := map[string][]byte{keys[0]: index, keys[1]: findings, keys[2]: stream, keys[3]: strangers}
		for key, value := range store {
			if len(value) == 0 {
				delete(store, key)
			}
		}
		if err := w.Load(func(key string) ([]byte, error) { return store[key], nil }, begin); err != nil {
			require.Empty(t, w.Open())
		}
		now := begin
		for range 5 {
			for _, ld := range more {
				w.Observe(ld, watch.Peer{}, now)
			}
			now = now.Add(10 * time.Second)
			w.Tick(now)
		}
		w.Save(true)
		w.Stats()
	})
}

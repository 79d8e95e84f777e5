// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// TestBindIdentity: what comes of a stream through another client than its first seals is a finding, whatever it is and whenever it comes.
func TestBindIdentity(t *testing.T) {
	const mine, other = "web-17.example", "mallory.example"
	for name, c := range map[string]struct {
		do   func(t *testing.T, h *host, s *seen, from func(identity string, list records))
		want uint64
	}{
		"nothing": {func(_ *testing.T, h *host, s *seen, from func(string, records)) {
			from(mine, h.stamp(5).seal().take())
			s.save(false)
			s.load()
			from(mine, h.stamp(5).seal().take())
			from(mine, h.stop().start().stamp(5).seal().take())
		}, 0},
		"records, as many as there are": {func(_ *testing.T, h *host, _ *seen, from func(string, records)) {
			from(other, h.stamp(5).take())
			from(mine, h.seal().take())
		}, 5},
		"records and their seal": {func(_ *testing.T, h *host, _ *seen, from func(string, records)) {
			from(other, h.stamp(5).seal().take())
		}, 6},
		"records again": {func(_ *testing.T, h *host, _ *seen, from func(string, records)) {
			list := h.stamp(5).seal().take()
			from(mine, list)
			from(other, list[:5])
		}, 5},
		"a seal again": {func(_ *testing.T, h *host, _ *seen, from func(string, records)) {
			list := h.seal().seal().take()
			from(mine, list)
			from(other, list[:1])
		}, 1},
		"records before the first seal of their session": {func(_ *testing.T, h *host, _ *seen, from func(string, records)) {
			list := h.stop().start().stamp(5).seal().take()
			seals := list.seals()
			from(mine, list[:seals[0]+1]) // the close seal
			records := slices.DeleteFunc(slices.Clone(list), func(ld plog.Logs) bool { return idOf(ld) == "" })
			from(other, records)
			from(mine, list[seals[0]+1:])
		}, 1},
		"records of a session that was forgotten": {func(_ *testing.T, h *host, s *seen, from func(string, records)) {
			list := h.stamp(5).seal().take()
			from(mine, list)
			for range 3 {
				for range 80 {
					s.pass(10 * time.Second)
				}
				from(mine, h.stop().start().stamp(1).seal().take())
			}
			from(other, list[:5])
		}, 5},
		"seals of a gap": {func(_ *testing.T, h *host, s *seen, from func(string, records)) {
			var list records
			for range 130 {
				list = append(list, h.seal().take()...)
			}
			from(mine, append(slices.Clone(list[:3]), list[5:]...))
			s.pass(time.Minute)
			from(other, list[3:5])
		}, 2},
		"whoever is somebody, after a restart": {func(_ *testing.T, h *host, s *seen, from func(string, records)) {
			s.save(true)
			s.load()
			from("", h.stamp(5).take())
			from(mine, h.seal().take())
		}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, "web-17").start()
			s := newSeen(t, watch.Config{Trust: []seal.Trust{h.Trust}, BindIdentity: true})
			s.save(false)
			from := func(identity string, list records) {
				for _, ld := range list {
					s.take(s.w.Observe(ld, watch.Peer{Address: "10.0.0.1:4317", Identity: identity}, s.now))
				}
			}
			from(mine, h.stamp(5).seal().take())
			c.do(t, h, s, from)
			require.Equal(t, c.want, s.w.Stats().Found[finding.IdentityMismatch])
			for _, e := range s.w.Open() {
				if e.Finding.Code == finding.IdentityMismatch {
					require.NotEqual(t, mine, e.Peer.Identity)
				}
			}
		})
	}
}

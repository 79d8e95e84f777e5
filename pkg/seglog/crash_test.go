// SPDX-License-Identifier: Apache-2.0

package seglog

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var testKey = []byte("0123456789abcdef0123456789abcdef")

// history is what a client may find under a key: the value of the last sync, or any that came after it.
type history map[string][]string // a value; "" for none

func (h history) admits(key, value string) bool {
	values, known := h[key]
	if !known {
		return value == ""
	}
	for _, v := range values {
		if v == value {
			return true
		}
	}
	return false
}

func (h history) add(key, value string) {
	if len(h[key]) == 0 {
		h[key] = []string{""}
	}
	h[key] = append(h[key], value)
}

// player is a client that uses a log as a queue and a receiver do, and knows what it may find afterwards.
type player struct {
	rng         *rand.Rand
	log         *Log
	known       history
	doubtful    map[string]bool // keys of an operation that failed: done or not
	read, write int             // of the queue
	serial      int
}

func (p *player) value(size int) []byte {
	p.serial++
	b := make([]byte, size)
	copy(b, fmt.Sprintf("%08d|", p.serial))
	return b
}

// play does one thing. What is acknowledged is certain from then on if strict is set; else from the next sync on.
func (p *player) play(strict bool, policy SyncPolicy, sync func() error) error {
	settle := func(err error, keys ...string) error {
		for _, key := range keys {
			if p.doubtful[key] = err != nil; err != nil {
				continue
			}
			if values := p.known[key]; strict && len(p.log.unlogged) == 0 {
				p.known[key] = values[len(values)-1:]
			}
		}
		return err
	}
	switch n := p.rng.IntN(20); {
	case n < 9: // a request comes
		v := p.value(100 + p.rng.IntN(9000))
		key := strconv.Itoa(p.write)
		p.write++
		p.known.add(key, string(v))
		p.known.add("meta", fmt.Sprint(p.serial))
		err := p.log.Apply(Op{Kind: Set, Key: "meta", Value: []byte(fmt.Sprint(p.serial))}, Op{Kind: Set, Key: key, Value: v, Bulk: true})
		if errors.Is(err, ErrFull) {
			// Nothing of it was stored: neither may ever be seen.
			for _, k := range []string{key, "meta"} {
				p.known[k] = p.known[k][:len(p.known[k])-1]
			}
			return nil
		}
		return settle(err, key, "meta")
	case n < 15: // one is done
		if p.read == p.write {
			return nil
		}
		key := strconv.Itoa(p.read)
		p.read++
		if p.rng.IntN(30) == 0 {
			return nil // one that stays
		}
		p.known.add(key, "")
		return settle(p.log.Apply(Op{Kind: Delete, Key: key}), key)
	case n < 18: // a position
		v := p.value(10 + p.rng.IntN(300))
		key := "position" + strconv.Itoa(p.rng.IntN(3))
		p.known.add(key, string(v))
		err := p.log.Apply(Op{Kind: Set, Key: key, Value: v})
		if errors.Is(err, ErrFull) {
			p.known[key] = p.known[key][:len(p.known[key])-1]
			return nil
		}
		return settle(err, key)
	case n < 19:
		key := strconv.Itoa(p.rng.IntN(p.write + 1))
		v, err := p.log.Get(key)
		if err == nil && !p.known.admits(key, string(v)) {
			return fmt.Errorf("key %s has a value that it never had", key)
		}
		return err
	default:
		err := sync()
		if err == nil && policy != SyncNever && len(p.log.unlogged) == 0 {
			for key, values := range p.known {
				if !p.doubtful[key] {
					p.known[key] = values[len(values)-1:]
				}
			}
		}
		return err
	}
}

// check compares a log that was just opened with what may be in it.
func (p *player) check(t *testing.T, l *Log) {
	t.Helper()
	for key := range p.known {
		v, err := l.Get(key)
		if !errors.Is(err, ErrLost) {
			require.NoError(t, err, key)
		}
		require.True(t, p.known.admits(key, string(v)), "key %s: %.20q, not one of %.20q", key, v, p.known[key])
	}
	l.Range(func(key string, _ int) bool {
		require.Contains(t, p.known, key)
		return true
	})
}

// Whatever moment the process or the machine ends at, several times in a row, what was acknowledged under the policy is
// there, and nothing else is.
func TestCrashes(t *testing.T) {
	rounds := 12
	if s := os.Getenv("LOGSEAL_CRASHES"); s != "" {
		rounds, _ = strconv.Atoi(s)
	} else if testing.Short() || sampled {
		rounds = 4
	}
	for _, policy := range []SyncPolicy{SyncNever, SyncInterval, SyncAlways} {
		for _, powerLost := range []bool{false, true} {
			for _, full := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, power lost: %v, disk full: %v", policy, powerLost, full), func(t *testing.T) {
					t.Parallel()
					for seed := range rounds {
						crashOften(t, uint64(seed), policy, powerLost, full)
						if t.Failed() {
							t.Fatalf("seed %d", seed)
						}
					}
				})
			}
		}
	}
}

func crashOften(t *testing.T, seed uint64, policy SyncPolicy, powerLost, full bool) {
	rng := rand.New(rand.NewPCG(seed, 2))
	d := newSimDisk(seed)
	if full {
		d.capacity = 2 << 20
	}
	p := &player{rng: rng, known: history{}, doubtful: map[string]bool{}}
	for life := range 5 {
		d.crashAt = d.step + 1 + rng.IntN(150)
		if rng.IntN(4) == 0 {
			d.failAt = d.step + 1 + rng.IntN(60)
		}
		var losses []Loss
		s, err := open("/state", Options{
			Keys: [][]byte{testKey}, Sync: policy, Interval: time.Hour,
			OnLoss: func(l Loss) { losses = append(losses, l) },
		}, d)
		require.NoError(t, err)
		p.log, err = s.Log("queue")
		for err == nil {
			err = p.play(!powerLost || policy == SyncAlways, policy, s.Sync)
			if errors.Is(err, errIO) {
				err = nil // the disk failed once; what that operation left is one of two
			}
		}
		if !errors.Is(err, errCrashed) && !d.crashed {
			require.NoError(t, err)
		}
		close(s.stop)
		<-s.done
		d = d.restart(powerLost)

		check, err := open("/state", Options{Keys: [][]byte{testKey}, Sync: policy, Interval: time.Hour, OnLoss: func(l Loss) { losses = append(losses, l) }}, d)
		require.NoError(t, err, "life %d", life)
		l, err := check.Log("queue")
		require.NoError(t, err)
		if !powerLost {
			require.Empty(t, slices.DeleteFunc(losses, func(l Loss) bool { return l.Torn }), "a kill damages nothing")
		}
		p.check(t, l)
		// What is there now stays: the next life begins from it. But what nobody synced may change back.
		for key := range p.known {
			if v, err := l.Get(key); policy != SyncNever || !powerLost {
				require.NoError(t, err)
				p.known[key] = []string{string(v)}
			}
		}
		clear(p.doubtful)
		require.NoError(t, check.Close())
	}
}

// A write that finds no room gives segments up at once, in the three steps that housekeeping takes one by one. Whatever moment
// the machine goes off at, and whichever of the writes that were not synced are on the disk then, the position is the one of
// the last sync or a later one, and no segment is taken for a lost one that was given up.
func TestPowerLostWhileRoomIsMade(t *testing.T) {
	for name, fate := range map[string]func(n, of int) bool{
		"nothing is on the disk":       func(int, int) bool { return false },
		"only what files are called":   func(int, int) bool { return false },
		"the last write is":            func(n, of int) bool { return n == of-1 },
		"all but the first write":      func(n, _ int) bool { return n > 0 },
		"every other write, odd ones":  func(n, _ int) bool { return n%2 == 1 },
		"every other write, even ones": func(n, _ int) bool { return n%2 == 0 },
	} {
		t.Run(name, func(t *testing.T) {
			stride := 1
			if sampled {
				stride = 5
			}
			for step := 1; ; step += stride {
				d := newSimDisk(1)
				d.capacity = 2 << 20
				crashed := makeRoom(t, d, step)
				d.fate, d.named = fate, name == "only what files are called"
				var lost losses
				s := openOn(t, d.restart(true), "/s", Options{OnLoss: lost.add})
				l, err := s.Log("c")
				require.NoError(t, err)
				require.Contains(t, []string{"old", "new"}, get(t, l, "position"), "step %d", step)
				// What was written since the last sync may be lost, and said so.
				require.Empty(t, slices.DeleteFunc(lost.all, func(l Loss) bool { return !strings.HasPrefix(l.Reason, "the whole segment") }), "step %d", step)
				require.NoError(t, s.Close())
				if !crashed {
					return
				}
			}
		})
	}
}

// makeRoom brings a log to where a write finds no room although a segment is dead, with the disk going off at a step of that
// write. It reports whether the write came so far.
func makeRoom(t *testing.T, d *simDisk, step int) (crashed bool) {
	t.Helper()
	s := openOn(t, d, "/s", Options{})
	l, err := s.Log("c")
	require.NoError(t, err)
	require.NoError(t, l.Apply(set("position", "old")))
	n := 0
	bulk := func() error {
		n++
		return l.Apply(Op{Kind: Set, Key: strconv.Itoa(n), Value: make([]byte, 20_000), Bulk: true})
	}
	for err == nil {
		err = bulk()
	}
	require.ErrorIs(t, err, ErrFull)
	full := n
	require.NoError(t, s.Sync())
	for key := 1; key <= n/2; key++ {
		require.NoError(t, l.Apply(Op{Kind: Delete, Key: strconv.Itoa(key)}))
	}
	require.NoError(t, l.Apply(set("position", "new")))
	d.crashAt = d.step + step
	for err = nil; err == nil && n < full+full/8; {
		err = bulk()
	}
	if !d.crashed { // else it may have said that there is no room: none could be made
		require.NoError(t, err, "room was made")
	}
	close(s.stop)
	<-s.done
	return d.crashed
}

// A segment that is given up may hold the deletion of a value which an older one still holds. The deletion is written anew,
// and the manifest that leaves the segment out waits for it: else the value would be back.
func TestADeletionOutlivesItsSegment(t *testing.T) {
	d := newSimDisk(1)
	s := openOn(t, d, "/s", Options{})
	l, err := s.Log("c")
	require.NoError(t, err)
	segments := func() int { return len(segmentsOf(d)) }
	n := 0
	fill := func(until int) (keys []string) {
		for segments() < until {
			n++
			keys = append(keys, fmt.Sprint("filler ", n))
			require.NoError(t, l.Apply(Op{Kind: Set, Key: keys[len(keys)-1], Value: make([]byte, 5000), Bulk: true}))
		}
		return keys
	}
	require.NoError(t, l.Apply(set("deleted", "value")))
	first := fill(2) // the first segment stays, and the last of these is in the second
	require.NoError(t, l.Apply(Op{Kind: Delete, Key: "deleted"}))
	for _, key := range append(fill(3), first[len(first)-1]) { // the second one drains
		require.NoError(t, l.Apply(Op{Kind: Delete, Key: key}))
	}
	require.NoError(t, s.Sync()) // gives it up
	require.NotEmpty(t, l.doomed, "the segment with the deletion is given up, and still there")
	fill(segments() + 1) // with a manifest that leaves it out

	d.fate = func(int, int) bool { return false }
	s2 := openOn(t, d.restart(true), "/s", Options{})
	l2, err := s2.Log("c")
	require.NoError(t, err)
	require.Empty(t, get(t, l2, "deleted"))
	require.NoError(t, s2.Close())
	require.NoError(t, s.Close())
}

// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/internal/testbed"
)

// storageLong reports whether the long forms of these tests are asked for: LOGSEAL_STORAGE_LONG=1 go test ./tests -run Storage.
func storageLong() bool { return os.Getenv("LOGSEAL_STORAGE_LONG") != "" }

// smallDisk mounts a file system of that size, which needs root.
func smallDisk(t *testing.T, mib int) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", mib), "tmpfs", dir).CombinedOutput()
	if err != nil {
		t.Skipf("mounting a small file system needs root: %v: %s", err, out)
	}
	t.Cleanup(func() {
		out, err := exec.Command("umount", "-l", dir).CombinedOutput()
		assert.NoError(t, err, "%s", out)
	})
	return dir
}

// fillUp takes the rest of the disk.
func fillUp(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	return path
}

// A state folder that is filled to the last byte while the SIEM is away, with restarts and kills on the full disk: when the
// SIEM is back every line arrives, without anybody's help, and the archive verifies. The queue as it ships leaves half of
// the disk, and something else takes the rest; one that is bounded by requests fills the storage itself.
func TestStorageFullDiskHealsByItself(t *testing.T) {
	sizes, bounds := []int{12}, []string{"storage"}
	if storageLong() {
		sizes, bounds = []int{12, 24, 140}, []string{"storage", "disk"}
	}
	for _, mib := range sizes {
		for _, bound := range bounds {
			t.Run(fmt.Sprintf("%d MiB, the %s is full", mib, bound), func(t *testing.T) {
				s := newStream(t)
				state := smallDisk(t, mib)
				s.site.Agent.Env["LOGSEAL_STATE_DIR"] = state
				if bound == "storage" {
					s.site.Agent.Args = append(s.site.Agent.Args, "--config", "yaml:exporters::siem::sending_queue: {sizer: requests, queue_size: 1000000}")
				}
				s.write(mib * 10_000)
				agent := start(t, s.site.Agent)
				if bound == "storage" {
					awaitMetric(t, agent, "otelcol_extension_encrypted_storage_full", 1)
					require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) { // it looks once a second
						return s.site.Agent.LogContains("The storage stands still"), nil
					}))
				} else {
					awaitStill(t, agent, "otelcol_exporter_queue_size")
				}
				ballast := fillUp(t, state)
				for restart := range 3 {
					if restart == 1 {
						agent.Kill()
					} else {
						require.NoError(t, agent.Stop(30*time.Second))
					}
					agent = start(t, s.site.Agent)
				}
				start(t, s.site.SIEM)
				// Half of what waits leaves while the disk is full of something else, which then goes.
				waits, err := agent.Metric(t.Context(), "otelcol_exporter_queue_size")
				require.NoError(t, err)
				require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
					left, err := agent.Metric(t.Context(), "otelcol_exporter_queue_size")
					return left <= waits/2, err
				}))
				require.NoError(t, os.Remove(ballast))
				awaitLines(t, &s.archive, &s.tally, s.written, 8*time.Minute)
				s.verified()
				if bound == "storage" {
					awaitMetricIs(t, agent, "otelcol_extension_encrypted_storage_full", 0)
				}
			})
		}
	}
}

// awaitStill waits until a metric is above zero and has stopped growing.
func awaitStill(t *testing.T, p *testbed.Process, name string) {
	t.Helper()
	last, same := 0.0, 0
	require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
		value, err := p.Metric(t.Context(), name)
		if same++; value != last || value == 0 {
			last, same = value, 0
		}
		return same > 20, err
	}))
}

func awaitMetricIs(t *testing.T, p *testbed.Process, name string, want float64) {
	t.Helper()
	ctx := deadline(t, 2*time.Minute)
	require.NoError(t, testbed.Until(ctx, func() (bool, error) {
		value, err := p.Metric(ctx, name)
		return value == want, err
	}))
}

// What waits is not on the disk in the clear: neither in a file nor in a block that one had.
func TestStorageHoldsNoLogText(t *testing.T) {
	needs(t, "mkfs.ext4", "e2fsprogs")
	s := newStream(t)
	image, dir := filepath.Join(t.TempDir(), "disk"), t.TempDir()
	require.NoError(t, exec.Command("truncate", "-s", "96M", image).Run())
	require.NoError(t, exec.Command("mkfs.ext4", "-q", image).Run())
	if out, err := exec.Command("mount", "-o", "loop", image, dir).CombinedOutput(); err != nil {
		t.Skipf("mounting an image needs root and a loop device: %s", out)
	}
	mounted := true
	unmount := func() {
		if mounted {
			out, err := exec.Command("umount", dir).CombinedOutput()
			assert.NoError(t, err, "%s", out)
		}
		mounted = false
	}
	t.Cleanup(unmount)
	s.site.Agent.Env["LOGSEAL_STATE_DIR"] = dir
	agent := start(t, s.site.Agent)
	s.write(20_000)
	awaitStill(t, agent, "otelcol_exporter_queue_size")
	agent.Kill()
	start(t, s.site.SIEM)
	agent = start(t, s.site.Agent)
	s.arrived()
	require.NoError(t, agent.Stop(time.Minute))
	unmount()
	f, err := os.Open(image)
	require.NoError(t, err)
	defer f.Close()
	for buf, kept := make([]byte, 1<<20), 0; ; {
		n, err := f.Read(buf[kept:])
		require.False(t, bytes.Contains(buf[:kept+n], []byte("sealed line")), "a planted line is on the disk")
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		kept = copy(buf, buf[max(0, kept+n-64):kept+n])
	}
}

// linesOfRequest is how many lines file_log puts into a request.
const linesOfRequest = 500

// Nine kinds of damage to the files of a queue: each start succeeds, says what is lost, and delivers the rest.
func TestStorageDamaged(t *testing.T) {
	s := newStream(t)
	s.write(8_000)
	agent := start(t, s.site.Agent)
	awaitMetric(t, agent, "otelcol_receiver_accepted_log_records", 8_000)
	agent.Kill()
	state := s.site.Agent.Env["LOGSEAL_STATE_DIR"]
	segments, err := filepath.Glob(filepath.Join(state, "exporter_siem__logs.seglog", "*.seg"))
	require.NoError(t, err)
	slices.Sort(segments)
	require.GreaterOrEqual(t, len(segments), 3)
	rng := rand.New(rand.NewPCG(1, 1))
	edit := func(path string, f func([]byte) []byte) {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, f(b), 0o600))
	}
	pristine := filepath.Join(t.TempDir(), "pristine")
	require.NoError(t, exec.Command("cp", "-a", state, pristine).Run())

	type damage struct {
		name string
		do   func()
		most int // requests that are lost
	}
	middle := segments[1]
	perSegment := 8_000 / linesOfRequest // the middle segment may hold a good part of them
	kinds := []damage{
		{"a byte", func() { edit(middle, func(b []byte) []byte { b[20_000] ^= 1; return b }) }, 1},
		{"a sector of zeros", func() { edit(middle, func(b []byte) []byte { clear(b[20_480:24_576]); return b }) }, 2},
		{"cut short", func() { edit(middle, func(b []byte) []byte { return b[:len(b)/2] }) }, perSegment},
		{"cut to nothing", func() { edit(middle, func([]byte) []byte { return nil }) }, perSegment},
		{"noise", func() {
			edit(middle, func(b []byte) []byte {
				for i := range b {
					b[i] = byte(rng.Uint32())
				}
				return b
			})
		}, perSegment},
		{"file gone", func() { require.NoError(t, os.Remove(middle)) }, perSegment},
		{"two files swapped", func() {
			require.NoError(t, os.Rename(segments[0], segments[0]+".x"))
			require.NoError(t, os.Rename(segments[1], segments[0]))
			require.NoError(t, os.Rename(segments[0]+".x", segments[1]))
		}, perSegment},
		{"an entry copied over another", func() {
			edit(middle, func(b []byte) []byte { copy(b[30_000:40_000], b[10_000:20_000]); return b })
		}, 3},
		{"another's file", func() {
			other, err := filepath.Glob(filepath.Join(state, "processor_stamp*.seglog", "*.seg"))
			require.NoError(t, err)
			b, err := os.ReadFile(other[0])
			require.NoError(t, err)
			edit(middle, func([]byte) []byte { return b })
		}, perSegment},
	}
	if !storageLong() {
		kinds = []damage{kinds[0], kinds[3], kinds[6]}
	}
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			require.NoError(t, os.RemoveAll(state))
			require.NoError(t, exec.Command("cp", "-a", pristine, state).Run())
			kind.do()
			_ = os.Remove(s.site.Agent.LogFile())
			archive := testbed.Archive{Path: filepath.Join(t.TempDir(), "archive.jsonl")}
			s.site.SIEM.Env["LOGSEAL_ARCHIVE"] = archive.Path
			siem := start(t, s.site.SIEM)
			agent := start(t, s.site.Agent)
			tally := testbed.Tally{Prefix: s.tally.Prefix}
			least := 8_000 - kind.most*linesOfRequest
			require.NoError(t, testbed.Until(deadline(t, time.Minute), func() (bool, error) {
				_, err := archive.Read(tally.Add)
				if err != nil {
					return false, err
				}
				size, err := agent.Metric(deadline(t, time.Minute), "otelcol_exporter_queue_size")
				return tally.Seen() >= max(least, 1) && size == 0, err
			}), "%d of %d", tally.Seen(), least)
			if tally.Seen() < 8_000 {
				require.True(t, s.site.Agent.LogContains("is lost; the rest is delivered"))
			}
			require.NoError(t, agent.Stop(time.Minute))
			require.NoError(t, siem.Stop(time.Minute))
		})
	}
}

// A start finds requests of the release before, in the clear, and delivers them.
func TestStorageTakesOverFileStorage(t *testing.T) {
	s := newStream(t)
	s.write(5_000)
	before := s.site.Agent
	before.Args = []string{
		"--config", "yaml:extensions: {file_storage: {directory: " + s.site.Agent.Env["LOGSEAL_STATE_DIR"] + ", create_directory: true}}",
		"--config", "yaml:service: {extensions: [health_check, file_storage]}",
		"--config", "yaml:receivers::file_log::storage: file_storage", "--config", "yaml:processors::stamp::storage: file_storage",
		"--config", "yaml:processors::flood_guard::storage: file_storage", "--config", "yaml:exporters::siem::sending_queue::storage: file_storage",
	}
	agent := start(t, before)
	awaitStill(t, agent, "otelcol_exporter_queue_size")
	agent.Kill()
	start(t, s.site.SIEM)
	start(t, s.site.Agent)
	s.arrived()
	s.verified()
	require.LessOrEqual(t, s.tally.Duplicates, repeatedByAKill)
	require.True(t, s.site.Agent.LogContains("The state of file_storage was taken over"))
}

// Kills, one after the other, of an agent whose queue is full and drains: LOGSEAL_KILLS says how many.
func TestStorageKilledWhileDraining(t *testing.T) {
	kills, _ := strconv.Atoi(os.Getenv("LOGSEAL_KILLS"))
	if kills == 0 {
		kills = 6
	}
	s := newStream(t)
	s.write(20_000)
	agent := start(t, s.site.Agent)
	awaitStill(t, agent, "otelcol_exporter_queue_size")
	siem := start(t, s.site.SIEM)
	for i := range kills {
		time.Sleep(time.Duration(20+rand.IntN(300)) * time.Millisecond)
		agent.Kill()
		if i%3 == 2 {
			require.NoError(t, siem.Stop(time.Minute))
			s.write(1_000)
			agent = start(t, s.site.Agent)
			siem = start(t, s.site.SIEM)
			continue
		}
		agent = start(t, s.site.Agent)
	}
	s.arrived()
	s.verified()
	require.False(t, s.site.Agent.LogContains("is lost; the rest is delivered"), "a kill damages nothing")
	t.Logf("%d lines, %d kills, %d duplicates", s.written, kills, s.tally.Duplicates)
}

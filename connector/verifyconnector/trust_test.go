// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.uber.org/zap"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/ocsf"
	"github.com/logseal/logseal/pkg/seal/sealer"
	"github.com/logseal/logseal/pkg/seal/watch"
)

func trustOf(name string, n byte) seal.Trust {
	t := seal.Trust{Name: name}
	t.Key[0] = n
	return t
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// TestTrustFileIsFollowed: a host that is enrolled while the collector runs is trusted without a restart, and while the file is half
// written, or gone, those of before stay.
func TestTrustFileIsFollowed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trust")
	health := &health{host: componenttest.NewNopHost(), logger: zap.NewNop()}
	f := newTrustFile(TrustConfig{File: path}, zap.NewNop(), health)

	assert.Empty(t, f.read(nil), "nobody is trusted while there is no file")
	assert.False(t, health.good())

	first, second := trustOf("web-17", 1), trustOf("db-3", 2)
	write(t, path, first.String()+"\n")
	list, changed := f.follow()
	assert.True(t, changed)
	assert.Equal(t, []seal.Trust{first}, list)
	assert.True(t, health.good())
	_, changed = f.follow()
	assert.False(t, changed)

	for name, text := range map[string]string{"half a line": first.String()[:30], "empty": ""} {
		write(t, path, text)
		list, changed = f.follow()
		assert.False(t, changed, name)
		assert.Equal(t, []seal.Trust{first}, list, name)
		assert.False(t, health.good(), name)
	}
	require.NoError(t, os.Remove(path))
	list, changed = f.follow()
	assert.False(t, changed)
	assert.Equal(t, []seal.Trust{first}, list)

	write(t, path, "# hosts\n"+first.String()+"\n"+second.String()+" optional\n")
	second.Optional = true
	list, changed = f.follow()
	assert.True(t, changed)
	assert.Equal(t, []seal.Trust{first, second}, list)
	assert.True(t, health.good())

	// A line that is gone counts when it is so twice: somebody may have been writing.
	write(t, path, first.String()+"\n")
	list, changed = f.follow()
	assert.False(t, changed)
	assert.Equal(t, []seal.Trust{first, second}, list)
	write(t, path, second.String()+"\n")
	_, changed = f.follow()
	assert.False(t, changed, "another text without a line of before")
	list, changed = f.follow()
	assert.True(t, changed)
	assert.Len(t, list, 1)
	assert.Equal(t, "db-3", list[0].Name)
	_, changed = f.follow()
	assert.False(t, changed)
}

// TestLearnedIsATrustFile: what was learned is what `logseal verify --trust` takes, with when and from where beside it.
func TestLearnedIsATrustFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "learned.trust")
	health := &health{host: componenttest.NewNopHost(), logger: zap.NewNop()}
	f := newTrustFile(TrustConfig{LearnedFile: path}, zap.NewNop(), health)
	var list []watch.Learned
	learned := func() []watch.Learned { return list }

	f.writeLearned(learned)
	assert.NoFileExists(t, path)

	when := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	list = []watch.Learned{
		{Trust: trustOf("web-17", 1), When: when, From: watch.Peer{Address: "192.0.2.7:4711", Identity: "web-17\n" + trustOf("evil", 9).String()}},
		{Trust: trustOf("db-3", 2), When: when},
	}
	f.writeLearned(learned)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(text), "# 2026-11-28T09:00:00Z from 192.0.2.7:4711, certificate of web-17")
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	parsed, err := seal.ParseTrust(file)
	require.NoError(t, err)
	assert.Equal(t, []seal.Trust{list[0].Trust, list[1].Trust}, parsed, "a line in a certificate's name is no line of the file")

	f.config.LearnedFile = filepath.Join(path, "below a file")
	list = list[:1]
	f.writeLearned(learned)
	assert.False(t, health.good())
}

// TestHealth: the status says everything that is wrong, and that nothing is any more.
func TestHealth(t *testing.T) {
	host := &statusHost{Host: componenttest.NewNopHost()}
	h := &health{host: host, logger: zap.NewNop()}
	h.set(troubleStorage, nil)
	assert.Empty(t, host.events, "nothing has changed")
	h.set(troubleStorage, assert.AnError)
	h.set(troubleStorage, assert.AnError)
	require.Len(t, host.events, 1, "it is said once")
	assert.Equal(t, componentstatus.StatusRecoverableError, host.events[0].Status())
	h.set(troubleQueue, errOverflow)
	require.Len(t, host.events, 2)
	require.ErrorIs(t, host.events[1].Err(), errOverflow)
	require.ErrorIs(t, host.events[1].Err(), assert.AnError)
	h.set(troubleStorage, nil)
	h.set(troubleQueue, nil)
	assert.Equal(t, componentstatus.StatusOK, host.events[len(host.events)-1].Status())
	assert.True(t, h.good())
}

// TestStartWithoutTrustFile: the records' way does not lead through this connector, so a file that is missing does not close it.
func TestStartWithoutTrustFile(t *testing.T) {
	r := newRig(t)
	r.config.Trust.File = filepath.Join(t.TempDir(), "trust")
	r.start(t)
	assert.Equal(t, componentstatus.StatusRecoverableError, r.host.last())
	require.NoError(t, r.entrance.ConsumeLogs(context.Background(), of(1, "web-17")))
}

// TestTrustFileGoneAtAStart: whoever can take the file away for one start does not make the connector forget its streams.
func TestTrustFileGoneAtAStart(t *testing.T) {
	a := newAgent(t)
	line, err := sealer.CreateKeyFile(filepath.Join(a.dir, "stamp.key"), sealer.NewStream{Name: "web-17", PostQuantum: true})
	require.NoError(t, err)
	file := filepath.Join(a.dir, "streams.trust")
	a.config.Trust = TrustConfig{File: file, Unknown: unknownAlert}
	for round, there := range []bool{true, false, true} {
		require.NoError(t, os.RemoveAll(file))
		if there {
			require.NoError(t, os.WriteFile(file, []byte(line.String()+"\n"), 0o600))
		}
		stopConnector := a.start(t)
		stopStamp := a.seal(t)
		a.log(t, 20)
		a.awaitVerified(t, 20)
		stopStamp()
		if !there {
			assert.ErrorContains(t, a.host.lastErr(), "trust.file", round)
		}
		stopConnector()
		assert.Empty(t, a.next.attributes(ocsf.AttributeCode), round)
	}
}

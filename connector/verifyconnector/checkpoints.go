// SPDX-License-Identifier: Apache-2.0

package verifyconnector

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/logseal/logseal/pkg/seal/verifier"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// checkpoints is the file that says from where streams are watched that began before, followed.
type checkpoints struct {
	path   string // empty: there is none
	health *health
	text   []byte // what was read last, good or bad
}

// follow has the watcher go on from what the file says, if it has changed, and returns what that resolves. What does not fit is an error of the component's
// status; the streams that do are watched.
func (c *checkpoints) follow(w *watch.Watcher, now time.Time) (events []watch.Event) {
	if c.path == "" {
		return nil
	}
	text, err := os.ReadFile(c.path)
	if err == nil && c.text != nil && bytes.Equal(text, c.text) {
		return nil
	}
	c.text = text
	var list []verifier.Checkpoint
	if err == nil {
		list, err = verifier.ParseCheckpoints(text)
	}
	for i := range list {
		more, wrong := w.StartFrom(startOf(&list[i]), now)
		events, err = append(events, more...), errors.Join(err, wrong)
	}
	if err != nil {
		err = fmt.Errorf("trust.checkpoint_file %s cannot be used, or not all of it: write it with logseal verify --checkpoint: %w", c.path, err)
	}
	c.health.set(troubleCheckpoints, err)
	return events
}

// startOf is a checkpoint as the watcher takes it.
func startOf(c *verifier.Checkpoint) *watch.Start {
	s := &watch.Start{
		Last: c.Last, StartSession: watch.StartSession{Open: c.Open, Settled: c.Settled, Waiting: leavesOf(c.Waiting)}, Complete: c.Complete, Former: c.Former,
	}
	if p := c.Prior; p != nil {
		s.Prior = &watch.StartSession{Open: p.Open, Settled: p.Settled, Waiting: leavesOf(p.Waiting)}
	}
	return s
}

func leavesOf(list []verifier.WaitingLeaf) []watch.StartLeaf {
	leaves := make([]watch.StartLeaf, len(list))
	for i := range list {
		leaves[i] = watch.StartLeaf(list[i])
	}
	return leaves
}

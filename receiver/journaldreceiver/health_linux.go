// SPDX-License-Identifier: Apache-2.0

package journaldreceiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// settleTime is how long a journalctl that says nothing may run before it is looked whether there is a journal at all:
	// longer than one that fails takes to end.
	settleTime = 3 * time.Second
	// lookInterval is how often that is done while there is none, and lookTimeout how long it may take.
	lookInterval = 10 * time.Second
	lookTimeout  = 10 * time.Second
)

// denials are what journalctl says when its user may not read some or all of the journal. It goes on with the rest.
var denials = []string{"not seeing messages from other users", "insufficient permissions"}

// says notes a line of stderr and reports whether entries are denied for the first time.
func (j *journalctl) says(line string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if strings.TrimSpace(line) != "" {
		j.lastSaid = line
	}
	for _, denial := range denials {
		if j.denial == "" && strings.Contains(line, denial) {
			j.denial = line
			return true
		}
	}
	return false
}

// denied returns why some entries cannot be read, nil if all can.
func (j *journalctl) denied() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.denial == "" {
		return nil
	}
	return fmt.Errorf("not every entry of the journal is read; run the collector in the group systemd-journal: journalctl says %q", j.denial)
}

// ended returns why nothing is read after journalctl has ended by itself. It begins anew, and may be in order then.
func (j *journalctl) ended(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err == nil {
		err = errors.New("exit status 0")
	}
	if j.lastSaid == "" {
		return fmt.Errorf("journalctl has ended: %w", err)
	}
	return fmt.Errorf("journalctl has ended: %w: it says %q", err, j.lastSaid)
}

// watch looks whether there is a journal that entries can come from. journalctl waits for one without a word where there is
// none: no entry and no journal look the same.
func (in *input) watch(ctx context.Context, j *journalctl) {
	wait := settleTime
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if j.delivered.Load() {
			return
		}
		err := in.cfg.look(ctx)
		if ctx.Err() != nil || j.delivered.Load() {
			return
		}
		if err == nil {
			in.cfg.report(j.denied())
			return
		}
		in.cfg.report(err)
		wait = lookInterval
	}
}

// look asks journalctl for the headers of the files that it would read.
func (c *inputConfig) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	out, err := c.command(ctx, append([]string{"--header"}, c.place()...)...).CombinedOutput()
	if ctx.Err() != nil || bytes.Contains(out, []byte("File path:")) {
		return nil
	}
	said := strings.TrimSpace(string(out))
	said = said[strings.LastIndexByte(said, '\n')+1:]
	if err == nil {
		err = errors.New("no file")
	}
	return fmt.Errorf("there is no journal to read: %w: journalctl says %q; check directory, files, namespace, and who may read them", err, said)
}

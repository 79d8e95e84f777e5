// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/ocsf"
)

// Archive follows the OTLP JSON lines that the stand-in SIEM writes. Each Read takes up where the last one ended.
type Archive struct {
	Path   string // the file being written; rotated files lie beside it
	Torn   int    // requests that a kill of the writer cut off; they were never acknowledged
	offset map[string]int64
}

// Read hands every record that was written since the last call to each, with its resource. It returns how many there
// were. A line that is still being written is left for the next call.
func (a *Archive) Read(each func(plog.ResourceLogs, plog.LogRecord)) (int, error) {
	if a.offset == nil {
		a.offset = map[string]int64{}
	}
	paths, err := a.Files()
	if err != nil {
		return 0, err
	}
	records := 0
	for _, path := range paths {
		n, err := a.readFile(path, each)
		records += n
		if err != nil {
			return records, err
		}
	}
	return records, nil
}

func (a *Archive) readFile(path string, each func(plog.ResourceLogs, plog.LogRecord)) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, err := f.Seek(a.offset[path], io.SeekStart); err != nil {
		return 0, err
	}
	records := 0
	for r := bufio.NewReaderSize(f, 1<<20); ; {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return records, err
		}
		a.offset[path] += int64(len(line))
		n, torn := readLine(line, each)
		records += n
		a.Torn += torn
	}
}

var requestStart = []byte(`{"resourceLogs":[`)

// readLine reads the requests of one line. The file exporter writes a request and its line feed one after the other: a
// SIGKILL between them leaves two requests on a line, one within the first leaves a torn one before the next. Both are
// told apart by how a request starts, which cannot stand unescaped inside one.
func readLine(line []byte, each func(plog.ResourceLogs, plog.LogRecord)) (records, torn int) {
	starts := bytes.Split(bytes.TrimSpace(line), requestStart)
	if len(starts[0]) > 0 {
		torn++
	}
	for _, rest := range starts[1:] {
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(append(bytes.Clone(requestStart), rest...))
		if err != nil {
			torn++
			continue
		}
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					records++
					if each != nil {
						each(rl, lr)
					}
				}
			}
		}
	}
	return records, torn
}

// Tally counts numbered lines: which have arrived, and how often.
type Tally struct {
	Prefix     string // a line is Prefix, a number, and anything after a space
	Others     int    // records that are none of ours
	Seals      int
	Duplicates int
	seen       map[int]struct{}
}

// Add takes a record's body.
func (t *Tally) Add(_ plog.ResourceLogs, lr plog.LogRecord) {
	if seal.IsSeal(lr) {
		t.Seals++
		return
	}
	if lr.EventName() == ocsf.EventName {
		return // the gateway's: a kill leaves records in doubt, and it may say so
	}
	body, there := lr.Body(), true
	if body.Type() == pcommon.ValueTypeMap {
		body, there = body.Map().Get("MESSAGE") // as journald has it
	}
	if !there {
		t.Others++
		return
	}
	rest, ok := strings.CutPrefix(body.AsString(), t.Prefix)
	var n int
	if !ok {
		t.Others++
		return
	}
	if _, err := fmt.Sscanf(rest, "%d", &n); err != nil {
		t.Others++
		return
	}
	if t.seen == nil {
		t.seen = map[int]struct{}{}
	}
	if _, twice := t.seen[n]; twice {
		t.Duplicates++
		return
	}
	t.seen[n] = struct{}{}
}

// Seen is the number of different lines that have arrived.
func (t *Tally) Seen() int { return len(t.seen) }

// Missing returns up to five numbers below n that have not arrived, and how many there are.
func (t *Tally) Missing(n int) (first []int, total int) {
	for i := range n {
		if _, ok := t.seen[i]; !ok {
			total++
			if len(first) < 5 {
				first = append(first, i)
			}
		}
	}
	return first, total
}

// SPDX-License-Identifier: Apache-2.0

package sealer_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/sealer"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// memory is a store that forgets at the end: a host keeps it on disk.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
}

func (m *memory) Batch(_ context.Context, ops ...*sealer.Op) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, op := range ops {
		switch op.Kind {
		case sealer.OpGet:
			op.Value = m.values[op.Key]
		case sealer.OpSet:
			m.values[op.Key] = append([]byte{}, op.Value...)
		case sealer.OpDelete:
			delete(m.values, op.Key)
		}
	}
	return nil
}

// A host stamps and seals what it sends; whoever holds the trust line verifies what has arrived.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "logseal-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "stamp.key")
	trust, err := sealer.CreateKeyFile(path, sealer.NewStream{Name: "web-17"}) // once; the trust line goes to who verifies
	if err != nil {
		log.Fatal(err)
	}
	keys, err := sealer.OpenKeyFile(path)
	if err != nil {
		log.Fatal(err)
	}
	v := verifier.New([]seal.Trust{trust})
	send := func(_ context.Context, ld plog.Logs) error { // what a SIEM would receive
		v.AddLogs(ld, finding.Place{File: "received", Line: 1})
		return nil
	}

	s, err := sealer.Open(ctx, sealer.Config{Keys: keys, Store: &memory{values: map[string][]byte{}}, Policy: seal.Usual(), Software: "example/1"})
	if err != nil {
		log.Fatal(err)
	}
	if err := s.Seal(ctx, send); err != nil { // the open seal, without which nothing is stamped
		log.Fatal(err)
	}
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, line := range []string{"GET /", "GET /admin", "POST /login"} {
		records.AppendEmpty().Body().SetStr(line)
	}
	batch, err := s.Stamp(ctx, ld)
	if err != nil {
		log.Fatal(err) // errors.Is(err, sealer.ErrBusy): hold the batch, and try again
	}
	batch.Settle(send(ctx, ld) == nil)
	if err := s.Close(ctx, send); err != nil { // seals what is settled, and ends the session
		log.Fatal(err)
	}

	report, err := v.Finish(time.Time{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Verdict, report.Verified, "of", report.Records, "verified")
	// Output:
	// ok 3 of 3 verified
}

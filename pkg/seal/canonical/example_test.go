// SPDX-License-Identifier: Apache-2.0

package canonical_test

import (
	"fmt"
	"log"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
)

// The digest of a record covers everything but its id, and what the policy of its stream leaves out.
func ExampleHasher() {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("host.name", "web-17")
	sl := rl.ScopeLogs().AppendEmpty()
	lr := sl.LogRecords().AppendEmpty()
	lr.Body().SetStr("GET /")

	var h canonical.Hasher
	policy := seal.Usual()
	digest := func() seal.Hash {
		source, err := h.Source(rl, sl, &policy)
		if err != nil {
			log.Fatal(err)
		}
		leaf, err := h.Record(&source, lr, &policy)
		if err != nil {
			log.Fatal(err) // the record can be read in two ways: errors.Is(err, canonical.ErrDuplicateKey)
		}
		return leaf
	}
	before := digest()
	lr.Attributes().PutStr(seal.IDKey, "k3x5a2qd-17")
	rl.Resource().Attributes().PutStr("logseal.client.name", "web-17.example.com") // by a gateway, on the way
	fmt.Println(digest() == before)
	lr.Body().SetStr("GET /admin")
	fmt.Println(digest() == before)
	// Output:
	// true
	// false
}

// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"encoding/base64"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/original"
)

// maxCarried bounds a record and its original together, in bytes: stores that need one drop records of more than 2 MiB, and one that is
// stored without its original is better than none.
const maxCarried = 2<<20 - 64<<10 // the rest is for names, and for what is added on the way

// carrier puts originals beside records.
type carrier struct {
	writer original.Writer
	line   []byte
	base64 []byte
}

var carriers = sync.Pool{New: func() any { return new(carrier) }}

// carry puts the original of each stamped record of ld beside it, unless the two would be too long.
func carry(ld plog.Logs) {
	c := carriers.Get().(*carrier)
	defer carriers.Put(c)
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			c.writer.SetSource(rl, sl)
			for _, lr := range sl.LogRecords().All() {
				c.line = c.writer.Append(c.line[:0], lr)
				if len(c.line)+base64.StdEncoding.EncodedLen(len(c.line)) < maxCarried {
					c.base64 = base64.StdEncoding.AppendEncode(c.base64[:0], c.line)
					lr.Attributes().PutStr(seal.OriginalKey, string(c.base64))
				}
			}
		}
	}
	if cap(c.line) > 1<<20 {
		c.line, c.base64 = nil, nil
	}
}

// takeOffOriginals takes off what came in as an original: it is another stream's, or somebody made it.
func takeOffOriginals(ld plog.Logs) {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if _, there := lr.Attributes().Get(seal.OriginalKey); there {
					lr.Attributes().RemoveIf(func(key string, _ pcommon.Value) bool { return key == seal.OriginalKey })
				}
			}
		}
	}
}

// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/encoding/protowire"
)

// A file that takes long to read does not keep another one waiting, and every line of both comes once.
func TestOtherFilesTakeTurns(t *testing.T) {
	const total = 40_000
	p := newPlace(t)
	p.factory = newFactory(time.Now, requestChunks)
	p.write("flood", lines("flood %d", 0, total))
	var once sync.Once
	before := 0 // lines of the flood that had come before the quiet one
	p.onAccept = func() {
		once.Do(func() { p.write("quiet", "quiet 0\n") })
		time.Sleep(5 * time.Millisecond) // what a pipeline takes for a batch: the flood takes two seconds
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.accepted["quiet 0"] > 0 && before == 0 {
			before = len(p.accepted)
		}
	}
	p.run(total+1, shutdownComplete)
	assert.Less(t, before, total, "the quiet file was not looked at before the other had been read")
	assert.Len(t, p.accepted, total+1)
	for body, n := range p.accepted {
		if n != 1 {
			t.Fatalf("%q came %d times", body, n)
		}
	}
}

func TestCountFiles(t *testing.T) {
	var b []byte
	for range 3 {
		b = protowire.AppendBytes(protowire.AppendTag(b, fieldFile, protowire.BytesType), []byte("a file"))
	}
	assert.Equal(t, 0, countFiles(nil))
	assert.Equal(t, 3, countFiles(b))
	assert.Equal(t, -1, countFiles([]byte("[{}]")))
	assert.Equal(t, -1, countFiles(b[:len(b)-1]))
}

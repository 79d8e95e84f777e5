// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bufio"
	"io"

	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// Decoder reads objects of OTLP JSON one by one, as strictly as [Read] reads the lines of a file: for originals that stand within something
// else. The zero value is ready; it is not safe for concurrent use.
type Decoder struct{ d decoder }

// Decode returns the records of one object, without places. They are valid until the next call. The fault of what is the beginning of an
// object and no more is [finding.LineUnfinished].
func (d *Decoder) Decode(object []byte) []verifier.Observed {
	d.d.begin()
	d.d.unfinished = true
	d.d.decodeJSON(object)
	return d.d.records
}

// Cut reports whether an object that was decoded ends before its end.
func Cut(records []verifier.Observed) bool {
	return len(records) == 1 && records[0].Fault == finding.LineUnfinished
}

// Unpack returns a reader of what gzip or zstd has compressed in r, which is recognised by its content, and r itself where nothing is. It is
// to be closed.
func Unpack(r io.Reader) (io.ReadCloser, error) {
	b := bufio.NewReaderSize(r, bufferSize)
	packed, err := unpack(b)
	if packed != nil || err != nil {
		return packed, err
	}
	return io.NopCloser(b), nil
}

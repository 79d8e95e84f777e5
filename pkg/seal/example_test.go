// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/logseal/logseal/pkg/seal"
)

// The note of a seal, as it stands in an archive: what it says counts if the key that the seal before named has signed it.
func ExampleParseNote() {
	archive, err := os.ReadFile("testdata/vectors/archives/excluded.jsonl")
	if err != nil {
		log.Fatal(err)
	}
	var frame struct {
		ResourceLogs []struct {
			ScopeLogs []struct {
				LogRecords []struct{ Body struct{ StringValue string } }
			}
		}
	}
	if err := json.NewDecoder(bytes.NewReader(archive)).Decode(&frame); err != nil {
		log.Fatal(err)
	}
	note, err := seal.ParseNote(frame.ResourceLogs[0].ScopeLogs[0].LogRecords[0].Body.StringValue)
	if errors.Is(err, seal.ErrUnsupported) {
		log.Fatal("a newer format: update this program")
	} else if err != nil {
		log.Fatal(err)
	}
	s := note.Seal
	fmt.Println(s.Kind, s.Number, s.Name, s.Exclude, s.ExcludeResource)
	fmt.Println(note.SignedBy(&s.Key)) // seal 0 is signed by the key that a trust line holds; in an open seal it is for readers
	// Output:
	// open 0 web-17 [added k8s.*] [cluster]
	// true
}

// A trust file names the streams whose seals count.
func ExampleParseTrust() {
	trust, err := seal.ParseTrust(strings.NewReader(`
# the web servers
web-17+83164c5d+AfsEbFSFqd6wywWj9My1splwoJufAbRRP330hrlyyhXG
db-3+1fe86d79+AUOX9YGXY1kqdfTjuCWDUO8fk9phmbfHCjlDxwJoxgau optional
`))
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range trust {
		fmt.Println(t.Name, t.StreamID(), t.Optional)
	}
	// Output:
	// web-17 5473721844fba46c false
	// db-3 e0f6d5eb3e60de41 true
}

// The id on a record names the session and its number there.
func ExampleParseID() {
	id, err := seal.ParseID("k3x5a2qd-104233")
	fmt.Println(id.Handle, id.Seq, err)
	_, err = seal.ParseID("k3x5a2qd-0104233")
	fmt.Println(err != nil)
	// Output:
	// k3x5a2qd 104233 <nil>
	// true
}

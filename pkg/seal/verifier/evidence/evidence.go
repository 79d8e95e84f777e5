// SPDX-License-Identifier: Apache-2.0

// Package evidence is the proof of one record as one file: the record, those that were sealed together with it, the seals of its stream from the
// first to the one that vouches for it, and the stream's trust line. It verifies without the archive, by the rules of docs/stamp-format.md: the seals
// by packages chain and session, as every verification does, the record by its group's root.
//
//	{"logseal_evidence":1,"id":"k3x7a2qd-17","trust":"web-17+7f3b7e96+AScH…","records":["{\"resourceLogs\":…}",…],"seals":["logseal.v1/…",…]}
//
// [Build] makes it of an archive, [Read] and [Evidence.Check] are for whoever is given it, [Proof.WriteHTML] is for people.
package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/logseal/logseal/pkg/seal"
)

const (
	// MaxSize is how long the file may be, in bytes: a stream that seals every second has some two weeks of seals in it.
	MaxSize = 1 << 30

	version = 1
)

// Evidence is what is in the file.
type Evidence struct {
	ID      seal.ID    // of the record that is proven
	Trust   seal.Trust // of its stream
	Records [][]byte   // originals: the record's group, in the order of their ids
	Seals   [][]byte   // notes, in the order of their numbers
}

// file is an Evidence as JSON. Members are in this order.
type file struct {
	Version int      `json:"logseal_evidence"`
	ID      string   `json:"id"`
	Trust   string   `json:"trust"`
	Records []string `json:"records"`
	Seals   []string `json:"seals"`
}

// Write writes the file.
func (e *Evidence) Write(w io.Writer) error {
	f := file{Version: version, ID: e.ID.String(), Trust: e.Trust.String(), Records: texts(e.Records), Seals: texts(e.Seals)}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(f)
}

func texts(list [][]byte) []string {
	out := make([]string, len(list))
	for i, b := range list {
		out[i] = string(b)
	}
	return out
}

// Is reports whether what begins with these bytes is meant to be evidence: an object whose first member says so.
func Is(head []byte) bool {
	const space = " \t\r\n"
	rest, object := bytes.CutPrefix(bytes.TrimLeft(head, space), []byte("{"))
	return object && bytes.HasPrefix(bytes.TrimLeft(rest, space), []byte(`"logseal_evidence"`))
}

// Read reads the file. It has one reading: members are there once each, as Write writes them, in any layout.
func Read(r io.Reader) (*Evidence, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxSize {
		return nil, fmt.Errorf("evidence of more than %d bytes", MaxSize)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("the evidence is not valid UTF-8")
	}
	if err := onceEach(data); err != nil {
		return nil, fmt.Errorf("no evidence as logseal prove writes it: %w", err)
	}
	var f file
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return nil, fmt.Errorf("no evidence as logseal prove writes it: %w", err)
	}
	if f.Version != version {
		return nil, fmt.Errorf("evidence of version %d, and this program knows version %d: use a newer one", f.Version, version)
	}
	e := &Evidence{}
	if e.ID, err = seal.ParseID(f.ID); err != nil {
		return nil, fmt.Errorf("id %q: %w", f.ID, err)
	}
	if e.Trust, err = seal.ParseTrustLine(f.Trust); err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	for _, text := range f.Records {
		e.Records = append(e.Records, []byte(text))
	}
	for _, text := range f.Seals {
		e.Seals = append(e.Seals, []byte(text))
	}
	return e, nil
}

// onceEach checks what encoding/json lets pass: members that are repeated, or spelled otherwise, and data behind the object.
func onceEach(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return errors.New("it is no JSON object")
	}
	left := map[string]bool{"logseal_evidence": true, "id": true, "trust": true, "records": true, "seals": true}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		if !left[name] {
			return errors.New("a member is unknown, or there twice")
		}
		delete(left, name)
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands behind the object")
	}
	if len(left) > 0 {
		return errors.New("a member is missing")
	}
	return nil
}

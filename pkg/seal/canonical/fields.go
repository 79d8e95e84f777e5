// SPDX-License-Identifier: Apache-2.0

package canonical

import "github.com/logseal/logseal/pkg/seal"

// Fields are a record's fields as a strict reader of an encoding other than pdata's finds them. Texts are valid UTF-8.
type Fields struct {
	Head
	SeverityText, EventName []byte
	Body                    []byte // a value as the Append and Begin functions write it; empty when there is none
	Attributes              []byte // pairs as [Maps] writes them
}

// Span is where in a buffer a record was written.
type Span struct{ start, attributes, end int }

// AppendRecord appends the canonical encoding of a record. Its source's digest is missing until [Span.SetSource].
func AppendRecord(dst []byte, f *Fields) ([]byte, Span) {
	at := Span{start: len(dst)}
	dst = appendHead(dst, &seal.Hash{}, &f.Head, f.SeverityText, f.EventName)
	if len(f.Body) == 0 {
		dst = AppendEmpty(dst)
	} else {
		dst = append(dst, f.Body...)
	}
	at.attributes = len(dst)
	dst = append(dst, f.Attributes...)
	at.end = len(dst)
	return dst, at
}

// Empty reports whether no record was written there.
func (s Span) Empty() bool { return s.end == 0 }

// SetSource fills in the digest of the record's source. buf is what the record was appended to.
func (s Span) SetSource(buf []byte, digest *seal.Hash) { copy(buf[s.start+sourceAt:], digest[:]) }

// Record returns the record, which shares buf.
func (s Span) Record(buf []byte, source *Source) Record {
	return Record{Canonical: buf[s.start:s.end:s.end], Attributes: s.attributes - s.start, Source: source}
}

// ResourceFields are the fields of a resource and its ResourceLogs, as those of [Fields].
type ResourceFields struct {
	Attributes        []byte // pairs
	DroppedAttributes uint32
	SchemaURL         []byte
}

// ScopeFields are the fields of an instrumentation scope and its ScopeLogs, as those of [Fields].
type ScopeFields struct {
	Name, Version     []byte
	Attributes        []byte // pairs
	DroppedAttributes uint32
	SchemaURL         []byte
}

// AppendResource appends the first part of the canonical encoding of a source. [AppendScope] appends the rest.
func AppendResource(dst []byte, f *ResourceFields) []byte {
	dst = append(dst, sourceTag...)
	dst = append(dst, f.Attributes...)
	return appendEnd(dst, f.DroppedAttributes, f.SchemaURL)
}

// AppendScope appends the second part of the canonical encoding of a source.
func AppendScope(dst []byte, f *ScopeFields) []byte {
	dst = appendText(dst, f.Name)
	dst = appendText(dst, f.Version)
	dst = append(dst, f.Attributes...)
	return appendEnd(dst, f.DroppedAttributes, f.SchemaURL)
}

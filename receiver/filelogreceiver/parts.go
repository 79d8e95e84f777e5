// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import "bytes"

// partWait is how many other lines may come before the next part of a line does: a container that died in the middle of a
// line must not hold up what the others write.
const partWait = 256

// part is a line of a container's log file. Runtimes cut what a program writes at 16 KiB.
type part struct {
	stream  int    // 0: stdout, 1: stderr
	head    []byte // what stands before the content
	content []byte // what the program wrote
	tail    []byte // what stands behind it
	more    bool   // the program's line goes on in the stream's next
}

// parsePart reads a line as the CRI has it (TIME STREAM TAG CONTENT, tag P for a part and F for a line or its last part), or
// as Docker's json-file driver ({"log":"CONTENT","stream":"STREAM",…}, a line's last part ending in \n).
func parsePart(line []byte) (part, bool) {
	if rest, ok := bytes.CutPrefix(line, dockerHead); ok {
		return parseDocker(line, rest)
	}
	time, rest, ok := bytes.Cut(line, []byte{' '})
	if !ok || len(time) < len("2006-01-02T15:04:05Z") || time[0] < '0' || time[0] > '9' || time[10] != 'T' {
		return part{}, false
	}
	stream, rest, ok := cutStream(rest, []byte{' '})
	if !ok {
		return part{}, false
	}
	tag, content, _ := bytes.Cut(rest, []byte{' '})
	first, _, _ := bytes.Cut(tag, []byte{':'}) // tags may follow one another
	if len(first) != 1 || first[0] != 'P' && first[0] != 'F' {
		return part{}, false
	}
	return part{stream: stream, head: line[:len(line)-len(rest)], content: content, more: first[0] == 'P'}, true
}

var (
	dockerHead   = []byte(`{"log":"`)
	dockerStream = []byte(`","stream":"`)
	streamNames  = [2][]byte{[]byte("stdout"), []byte("stderr")}
)

func parseDocker(line, rest []byte) (part, bool) {
	end := 0
	for ; end < len(rest) && rest[end] != '"'; end++ {
		if rest[end] == '\\' {
			end++
		}
	}
	if end >= len(rest) || !bytes.HasPrefix(rest[end:], dockerStream) {
		return part{}, false
	}
	stream, _, ok := cutStream(rest[end+len(dockerStream):], []byte{'"'})
	if !ok {
		return part{}, false
	}
	content := rest[:end]
	escapes := 0 // of the last character: `\\n` is a backslash and a letter
	for i := len(content) - 2; i >= 0 && content[i] == '\\'; i-- {
		escapes++
	}
	ends := escapes%2 == 1 && content[len(content)-1] == 'n'
	return part{stream: stream, head: line[:len(dockerHead)], content: content, tail: rest[end:], more: !ends}, true
}

func cutStream(text, behind []byte) (stream int, rest []byte, ok bool) {
	for stream, name := range streamNames {
		if rest, ok = bytes.CutPrefix(text, name); ok {
			rest, ok = bytes.CutPrefix(rest, behind)
			return stream, rest, ok
		}
	}
	return 0, nil, false
}

// openParts says which streams are in the middle of a line.
type openParts struct {
	open  [2]bool
	since [2]int // lines that were not of this stream
}

func (o *openParts) any() bool { return o.open[0] || o.open[1] }

func (o *openParts) add(line []byte) {
	p, ok := parsePart(line)
	for stream := range o.open {
		if ok && stream == p.stream {
			o.open[stream], o.since[stream] = p.more, 0
		} else if o.since[stream]++; o.since[stream] > partWait {
			o.open[stream] = false
		}
	}
}

// partJoiner joins the parts of lines of one file, each stream for itself.
type partJoiner struct {
	held      [2]joined
	elsewhere bool // it reads what another reader hands on
}

// joined is the parts of a line so far. Its record has the first part's time.
type joined struct {
	head, content, tail []byte
	first               []byte   // its first part in this file, nil: it has none yet
	earlier             []uint64 // hashes of its first parts in the files before
	since               int      // lines that were not of this stream
	told                bool     // nothing is new since it was handed on as far as it was there
}

// join returns the line that is complete with this one: the same, if it is no part; nil, if more is to come. Earlier says
// in which files before it began.
func (j *partJoiner) join(line []byte) (whole []byte, earlier []uint64) {
	p, ok := parsePart(line)
	for i := range j.held {
		if h := &j.held[i]; h.head != nil && (!ok || i != p.stream) {
			if h.since++; h.since > partWait && (h.told || j.elsewhere) {
				*h = joined{}
			}
		}
	}
	if !ok {
		return line, nil
	}
	held := &j.held[p.stream]
	if held.head == nil {
		if !p.more {
			return line, nil
		}
		*held = joined{head: p.head, tail: p.tail}
	}
	if held.first == nil {
		held.first = line
	}
	held.content = append(held.content, p.content...)
	held.since, held.told = 0, false
	if p.more {
		return nil, nil
	}
	whole, earlier = held.text(), held.earlier
	*held = joined{}
	return whole, earlier
}

// leave is called at the end of what another reader hands on. What is longer than a line may be is forgotten.
func (j *partJoiner) leave(maxLine int64) {
	j.elsewhere = false
	for i := range j.held {
		h := &j.held[i]
		if h.head == nil || int64(len(h.content)) > maxLine {
			*h = joined{}
			continue
		}
		if h.first != nil {
			h.earlier = append(h.earlier, hashOf(h.first))
		}
		h.first, h.told = nil, true
	}
}

func (h *joined) text() []byte {
	text := make([]byte, 0, len(h.head)+len("F ")+len(h.content)+len(h.tail))
	text = append(text, h.head...)
	if h.tail == nil {
		text = append(text, "F "...)
	}
	return append(append(text, h.content...), h.tail...)
}

// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"bytes"
	"hash/maphash"
	"iter"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A container's log file is rotated between two writes, so the parts of a line may lie in two files: at the end of the one
// that was renamed, and at the start of the new one (containerd ends the old file with a part of its own for that).
//
// The new file's reader puts them together: what is open where it begins is read from the files before it. Positions know
// nothing of that and need not, since what is open is looked up on disk again after a restart. The old file's reader waits
// before the parts as before any line that is not complete. It goes on when the line has been accepted, and drops them.
// When it has waited for too long, or does not know of that since a restart, it reads the rest from the files behind it: the line may come twice, but not in pieces.

const (
	atEnd = math.MaxInt64 // of a file

	// Of how many files and lines is remembered what was read last. What is forgotten is looked up on disk again.
	spanFiles = 4096
	spanLines = 1024
)

// spans joins the parts of lines that lie in several files.
type spans struct {
	maxLine int64 // bytes that are looked at before and behind a file's end
	decode  func(text []byte) []byte

	mu     sync.Mutex
	read   map[string]openEnd // by path
	joined map[uint64]string  // the first part in a file of each line that has been accepted whole, and the file's folder
}

// openEnd is what is open where a file has been read to.
type openEnd struct {
	offset int64
	parts  partJoiner
}

var spanSeed = maphash.MakeSeed()

// hashOf tells a part from all others: a runtime writes its time into it, in nanoseconds.
func hashOf(part []byte) uint64 { return maphash.Bytes(spanSeed, part) }

// before returns what is open at an offset of the file that token was read from.
func (s *spans) before(path string, start int64, token []byte) partJoiner {
	s.mu.Lock()
	known, ok := s.read[path]
	delete(s.read, path)
	s.mu.Unlock()
	parts := known.parts
	if !ok || known.offset != start {
		if start > s.maxLine {
			return partJoiner{} // what were open there is too long
		}
		paths := generations(path)
		parts = s.openAt(paths, find(paths, start, token), start, func(earlier []uint64) { s.accepted(path, earlier) })
	}
	for i := range parts.held {
		if h := &parts.held[i]; int64(len(h.content)+len(token)) > s.maxLine {
			*h = joined{}
		}
	}
	return parts
}

// behind notes what is open where a file has been read to.
func (s *spans) behind(path string, end int64, parts partJoiner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read == nil {
		s.read = map[string]openEnd{}
	}
	forgetOne(s.read, spanFiles)
	s.read[path] = openEnd{end, parts}
}

// openAt reads what is open at an offset of one of the files. It calls ended for each line before that offset which began in a
// file before: what has been read has been accepted, perhaps before a restart.
func (s *spans) openAt(paths []string, i int, end int64, ended func(earlier []uint64)) partJoiner {
	var j partJoiner
	if i < 0 {
		return j
	}
	end = min(end, sizeOf(paths[i]))
	from := max(0, end-s.maxLine)
	text, err := readAt(paths[i], from, max(0, end-from))
	if err != nil {
		return j
	}
	if from == 0 {
		j = s.openAt(paths, i-1, atEnd, func([]uint64) {})
	} else {
		_, text, _ = bytes.Cut(text, []byte{'\n'})
	}
	j.elsewhere = true
	for line := range wholeLines(s.decode(text)) {
		_, earlier := j.join(line)
		ended(earlier)
	}
	j.leave(s.maxLine)
	return j
}

func (s *spans) readStart(path string) []byte {
	text, err := readAt(path, 0, min(s.maxLine, max(0, sizeOf(path))))
	if err != nil {
		return nil
	}
	return s.decode(text)
}

// finish completes a line from the files behind the one that token was read from, which has to end there. Nil: they do not end it.
func (s *spans) finish(path string, start, end int64, token []byte, stream int, held joined) []byte {
	paths := generations(path)
	i := slices.Index(paths, path)
	if !strings.HasSuffix(path, compressedSuffix) { // else its name has not changed
		if i = find(paths, start, token); i >= 0 && sizeOf(paths[i]) != end {
			i = -1
		}
	}
	if i < 0 {
		return nil
	}
	j := partJoiner{elsewhere: true}
	j.held[stream] = held
	for _, next := range paths[i+1:] {
		for line := range wholeLines(s.readStart(next)) {
			whole, _ := j.join(line)
			if j.held[stream].head != nil {
				continue
			}
			if p, ok := parsePart(line); !ok || p.stream != stream || int64(len(whole)) > s.maxLine {
				return nil // too many others came before it, or it is too long
			}
			return whole
		}
	}
	return nil
}

// released says whether all that is open behind these lines has been accepted together with its rest.
func (s *spans) released(lines []byte) bool {
	s.mu.Lock()
	none := len(s.joined) == 0
	s.mu.Unlock()
	if none {
		return false
	}
	var j partJoiner
	for line := range wholeLines(lines) {
		j.join(line)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	open := 0
	for _, h := range j.held {
		if h.head == nil {
			continue
		}
		if _, ok := s.joined[hashOf(h.first)]; !ok {
			return false
		}
		open++
	}
	return open > 0
}

// accepted notes a line that was put together from several files, by its first parts in those before the last.
func (s *spans) accepted(path string, earlier []uint64) {
	if len(earlier) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.joined == nil {
		s.joined = map[uint64]string{}
	}
	for _, first := range earlier {
		forgetOne(s.joined, spanLines)
		s.joined[first] = filepath.Dir(path)
	}
}

// isAccepted says, once, whether the line that a part begins in its file has been accepted as a whole.
func (s *spans) isAccepted(path string, first []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := hashOf(first)
	dir, ok := s.joined[key]
	if ok = ok && dir == filepath.Dir(path); ok {
		delete(s.joined, key)
	}
	return ok
}

func forgetOne[K comparable, V any](m map[K]V, most int) {
	if len(m) < most {
		return
	}
	for key := range m {
		delete(m, key)
		return
	}
}

// wholeLines yields the lines of a text that have an end.
func wholeLines(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for {
			line, rest, finished := bytes.Cut(text, []byte{'\n'})
			if !finished || !yield(bytes.TrimSuffix(line, []byte{'\r'})) {
				return
			}
			text = rest
		}
	}
}

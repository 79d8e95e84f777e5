// SPDX-License-Identifier: Apache-2.0

package record

import "github.com/logseal/logseal/pkg/seal/finding"

// place is a [finding.Place] in eight bytes: the file's index and the line, and in the highest bit whether the record that is there gives a time of
// its own outside the interval of [Coverage].
type place uint64

const (
	lineBits = 40
	beyond   = place(1) << 63
)

// places are the files that places are in.
type places struct {
	index     map[string]uint64
	names     []string
	lastFile  string
	lastIndex uint64
}

// pack returns the short form of a place.
func (p *places) pack(at finding.Place) place {
	if at.File != p.lastFile || len(p.names) == 0 {
		index, ok := p.index[at.File]
		if !ok {
			index = uint64(len(p.names))
			if p.index == nil {
				p.index = map[string]uint64{}
			}
			p.index[at.File] = index
			p.names = append(p.names, at.File)
		}
		p.lastFile, p.lastIndex = at.File, index
	}
	return place(p.lastIndex<<lineBits | uint64(at.Line)&(1<<lineBits-1))
}

// unpack returns the place again.
func (p *places) unpack(at place) finding.Place {
	return finding.Place{File: p.names[at&^beyond>>lineBits], Line: int(at & (1<<lineBits - 1))}
}

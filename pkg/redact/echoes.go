// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/rules"
)

// Echoes are further places where the text of a match stands, without what told that it is a secret: "password=x, login with x". All of them
// are looked for at once: four bytes at every fifth place of the text are compared with the first ones of the values. A value of eight bytes
// that stands anywhere has one of these places in its first five.
const (
	minEcho      = 8
	maxEchoes    = 64 // matches; in a text with more of them it is left
	gramBytes    = 4
	echoStride   = minEcho - gramBytes + 1
	bytesOfEcho  = 32 // of text that are looked through in a step
	echoesOfStep = 4  // values that are compared in one
	echoBuckets  = 1 << 10
)

// echoIndex finds the values by four of their first bytes.
type echoIndex struct {
	first [echoBuckets]uint16 // of a list in grams, counted from 1
	grams []echoGram
}

type echoGram struct {
	gram   uint32
	next   uint16
	offset uint8 // in the value
	span   uint8
	value  string
}

func gramAt(s string, i int) uint32 {
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

func echoBucket(gram uint32) uint32 { return gram * 0x9e3779b1 >> 22 }

func (x *echoIndex) add(span int, value string) {
	if len(value) < minEcho || !rules.Mixed(value) {
		return
	}
	for k := x.first[echoBucket(gramAt(value, 0))]; k > 0; k = x.grams[k-1].next {
		if g := &x.grams[k-1]; g.offset == 0 && g.value == value {
			return // many matches may have one value
		}
	}
	for offset := range echoStride {
		gram := gramAt(value, offset)
		b := &x.first[echoBucket(gram)]
		x.grams = append(x.grams, echoGram{gram, *b, uint8(offset), uint8(span), value})
		*b = uint16(len(x.grams))
	}
}

// echoes adds the echoes of the matches to them, and reports whether there are any.
func (c *scan) echoes() bool {
	n := len(c.spans)
	if n == 0 || n > maxEchoes {
		return false
	}
	x := &c.w.echoes
	x.grams = x.grams[:0]
	for k := range n {
		sp := c.spans[k]
		v := c.S[sp.start:sp.end]
		x.add(k, v)
		if sp.text != v {
			x.add(k, sp.text)
		}
	}
	if len(x.grams) == 0 {
		return false
	}
	compared := 0
	for i := 0; i+gramBytes <= len(c.S) && c.w.work >= 0; i += echoStride {
		gram := gramAt(c.S, i)
		for k := x.first[echoBucket(gram)]; k > 0; k = x.grams[k-1].next {
			g := &x.grams[k-1]
			if g.gram != gram || i < int(g.offset) {
				continue
			}
			compared++
			at := i - int(g.offset)
			if sp := c.spans[g.span]; at != sp.start && strings.HasPrefix(c.S[at:], g.value) {
				// An echo keeps the form of the text, as any match does.
				if from, to, quote, ok := c.Fit(sp.rule, at, at+len(g.value)); ok {
					c.spans = append(c.spans, span{from, to, sp.rule, sp.text, quote})
					c.w.work -= costOfMatch
				}
			}
		}
	}
	for _, g := range x.grams {
		x.first[echoBucket(g.gram)] = 0
	}
	clear(x.grams)
	c.Charge(len(c.S)/bytesOfEcho + compared/echoesOfStep)
	return len(c.spans) > n
}

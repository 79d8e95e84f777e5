// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/container"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

// Context is what a detector sees of the text in which it examines a place.
type Context struct {
	prefilter.State // the text is S

	// taken is the end of the last match: what lies before it belongs to no other.
	taken int
	// last is the rule of the last match, and where that ends.
	last struct {
		rule ID
		end  int
	}
	sink  Sink
	names *Namer
	memo  memo
	// numbers are what the detectors of numbers take a text apart into; the second one is for those that are called by the first.
	numbers *[2]number
	digits  [maxNationalDigits]int // of a number that is checked
	forms   *formTable
	cues    *cueTable
	parts   *container.Parts
	outside outside
	around  enclosure
	lines   []int // places at which a detector that asks for its line has found nothing
	cueAt   []int // where the last cue of a rule begins that has been looked for, or -1, by rule; see memo.cues
}

// memo is what families of detectors remember of a text, so that it is not found out again. Each has its own.
type memo struct {
	values  valueMemo
	command commandMemo
	url     urlMemo
	quotes  quoteMemo
	key     keyMemo
	device  deviceMemo
	printed printedMemo
	cues    cueMemo
	parted  bool // parts is that of the text
	acl     int  // up to where users of Redis have been looked for
	pgpass  int  // and lines of .pgpass
}

// Sink takes what detectors find.
type Sink interface {
	// On reports whether anything is done with matches of the rule.
	On(r ID) bool
	// Offer takes S[start:end] as a match of the rule, and reports whether it is to be redacted. text is the decoded form of the
	// match where that differs from the text, or "".
	Offer(r ID, start, end int, text string) bool
	// Base64 decodes S[start:end], looks through what comes out, and takes all of it if there is something in it.
	Base64(start, end int) bool
	// Hex decodes S[start:end], which is hexadecimal, and looks through what comes out, in which NUL separates words.
	Hex(start, end int)
	// Marker keeps S[start:end], which has the form of a marker of ours, if it is one.
	Marker(start, end int) bool
}

// Costs of work, in steps; see [prefilter.State]. A detector is charged for its call by the prefilter, and by itself for what takes longer:
// for all that it looks at beyond some dozens of bytes, by [Context.look], so that no text costs more than in proportion to its length.
const (
	costOfName    = prefilter.CostOfCall     // to look for the value of a name
	costOfValue   = prefilter.CostOfCall     // to examine it
	costOfList    = 8 * prefilter.CostOfCall // to examine a header or statement of several parts
	costOfCheck   = 3 * prefilter.CostOfCall // of a card number's digits
	costOfCommand = 6 * prefilter.CostOfCall // to begin to read the words of a command
	costOfWord    = 3 * prefilter.CostOfCall // to read one
	costOfLabel   = 3 * prefilter.CostOfCall // to look at what a BEGIN line begins
)

// NewContext returns a context that hands what is found to sink.
func NewContext(sink Sink, names *Namer, budget *int) *Context {
	c := &Context{sink: sink, names: names, numbers: new([2]number), parts: new(container.Parts), forms: numberForms(), cues: cueWordsInText(), cueAt: make([]int, len(registered))}
	c.Budget = budget
	return c
}

// Reset starts the examination of a text.
func (c *Context) Reset(s string) {
	budget := c.Budget
	c.State = prefilter.State{S: s, Budget: budget}
	c.lines, c.around.done = c.lines[:0], 0
	c.taken, c.last.rule, c.last.end = 0, 0, 0
	c.memo = memo{}
}

// Sink returns where matches go.
func (c *Context) Sink() Sink { return c.sink }

// Offer hands over S[start:end] as a match of the rule.
func (c *Context) Offer(r ID, start, end int) {
	if start < end && c.sink.Offer(r, start, end, "") {
		c.taken, c.last.rule, c.last.end = max(c.taken, end), r, end
	}
}

// untaken returns from where on what stands before i, n bytes at most, belongs to no match. A match may reach over i.
func (c *Context) untaken(i, n int) int { return min(i, max(c.taken, i-n)) }

// Charge counts work besides the call of a detector, and reports whether there may be more.
func (c *Context) Charge(n int) bool {
	*c.Budget -= n
	return *c.Budget >= 0
}

// look charges for n bytes that a detector has looked at.
func (c *Context) look(n int) { c.Charge(n / bytesOfStep) }

// lookAhead charges for n bytes that have been looked at once for the whole text.
func (c *Context) lookAhead(n int) {
	c.look(n)
	c.Ahead += n / bytesOfStep
}

// weigh charges for n bytes that a detector has found out the make-up of, which takes several looks at each.
func (c *Context) weigh(n int) { c.Charge(n / weighedOfStep) }

// span is [ascii.Span] in the text, charged for: a run of letters may hold many triggers, from each of which a detector goes to its end.
func (c *Context) span(i int, mask uint16) int {
	end := ascii.Span(c.S, i, mask)
	c.look(max(0, end-i-longWord))
	return end
}

const (
	bytesOfStep   = 8
	weighedOfStep = 2
	longWord      = 32 // bytes of a run that count for nothing
)

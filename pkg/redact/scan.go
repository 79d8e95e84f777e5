// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"encoding/hex"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/container"
	"github.com/logseal/logseal/pkg/redact/internal/decode"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
	"github.com/logseal/logseal/pkg/redact/rules"
)

// maxLayers is how many layers of encoding are looked through.
const maxLayers = 2

// span is a match: s[start:end] of the text that was scanned.
type span struct {
	start, end int
	rule       rules.ID
	// text is what matched, decoded where the text was encoded. It may lie in a buffer of the worker's, valid until the next text
	// is scanned.
	text string
	// quote is what has to be put around what stands in its place.
	quote string
}

// scan is one pass over one text. It is the sink of the detectors.
type scan struct {
	*rules.Context
	w     *worker
	layer int // how many layers of encoding have been taken off
	// wrapped is the end of the base64 in several lines that was looked at last.
	wrapped int
	spans   []span
	// kept are redaction markers and pseudonyms of ours in the text. They are left as they are.
	kept       []span
	customHits []bool
	scanTextOf func(*container.Part) // scanText, made once
}

func newScan(w *worker, layer int) *scan {
	c := &scan{w: w, layer: layer, customHits: make([]bool, len(w.e.custom))}
	c.scanTextOf = c.scanText
	c.Context = rules.NewContext(c, w.names, &w.work)
	return c
}

// run finds all matches in s. The result is in c.spans: in order, not overlapping.
func (c *scan) run(s string) {
	e := c.w.e
	c.Reset(s)
	c.spans, c.kept, c.wrapped = c.spans[:0], c.kept[:0], 0
	clear(c.customHits)
	if c.layer == maxLayers {
		c.Saw = prefilter.SawNotes // nobody will decode it any further
	}
	e.filter.Run(&c.State, c.Context)
	c.Place = -1
	if c.w.work < 0 {
		return // the text is withheld
	}
	if e.runs && c.LastRun > 0 {
		c.examineRuns()
	}
	for i, hit := range c.customHits {
		if hit || e.custom[i].scanAll {
			c.runCustom(i)
		}
	}
	if c.layer < maxLayers {
		c.decode()
		c.Texts(c.scanTextOf)
	}
	if c.w.work < 0 {
		return
	}
	c.resolve()
	if c.echoes() {
		c.resolve()
	}
}

// shareOfRuns is the part of the work for a text that its long runs may take, besides what is decoded from them.
const shareOfRuns = 3

// examineRuns examines the long runs of token characters.
func (c *scan) examineRuns() {
	known := c.spans
	budget := c.w.work + c.Ahead
	c.Runs(func(start, end int) bool {
		for len(known) > 0 && known[0].end <= start {
			known = known[1:]
		}
		// What is masked already need not be known for a token as well, nor the path of an address whose end is.
		if len(known) > 0 && known[0].start > start && known[0].start < end && known[0].end >= end && c.S[known[0].start-1] == '/' {
			end = known[0].start
		}
		if len(known) == 0 || known[0].start > start || known[0].end < end || c.w.e.rules[known[0].rule].action < c.w.e.severest {
			c.ExamineRun(start, end)
		}
		if budget-c.w.work-c.Ahead > prefilter.WorkFor(end)/shareOfRuns {
			c.w.work = min(c.w.work, -1) // made of them
		}
		return c.w.work >= 0
	})
}

// decode scans the decoded forms of the text, each with what is written with unusual characters folded to ASCII.
func (c *scan) decode() {
	saw := c.Saw
	if saw&(prefilter.SawBackslash|prefilter.SawUnusual) != 0 && !(c.layer == 0 && c.w.escapedOnly) {
		c.decodeAs(decode.Backslashes)
	}
	if saw&prefilter.SawPercent != 0 {
		c.decodeAs(decode.Percents)
	}
	if saw&prefilter.SawEntity != 0 {
		c.decodeAs(decode.Entities)
	}
	if saw&prefilter.SawByteList != 0 {
		c.decodeAs(decode.ByteLists)
	}
	if saw&prefilter.SawWritten != 0 {
		c.decodeAs(decode.Controls)
	}
	if saw&prefilter.SawDoubled != 0 {
		c.decodeAs(decode.DoubledQuotes)
	}
	if saw&prefilter.SawQuotedPrintable != 0 {
		c.decodeAs(decode.QuotedPrintable)
	}
}

func (c *scan) decodeAs(how decode.Coding) {
	if c.w.work < 0 {
		return
	}
	d := &c.w.decoded[c.layer][how]
	d.Decode(c.S, how)
	c.Charge(len(c.S) / bytesOfDecoding)
	if len(d.String()) == len(c.S) && strings.IndexByte(c.S, 0) < 0 {
		return // every escape but NUL between arguments is longer than what it stands for: nothing was decoded
	}
	n := len(d.String())
	if n <= wholeText {
		c.scanDecoded(d, 0, n)
		return
	}
	for i := 0; i < n && c.w.work >= 0; {
		start, end, ok := d.Part(i, reachOfDecoded)
		if !ok {
			return
		}
		i = c.scanDecoded(d, start, end)
	}
}

// What is looked at again of a long text is what lies around the places at which something was decoded: the rest is as it was.
const (
	reachOfDecoded = 1 << 10
	wholeText      = 8 * reachOfDecoded
)

// scanDecoded scans a part of a decoded text, and more of it if a match reaches to the part's end. It returns up to where.
func (c *scan) scanDecoded(d *decode.Text, start, end int) int {
	s := d.String()
	sub := c.w.scans[c.layer+1]
	for {
		sub.From(c.Context, d, start)
		sub.run(s[start:end])
		sub.From(nil, nil, 0)
		if n := len(sub.spans); n == 0 || end == len(s) || sub.spans[n-1].end < end-start {
			break
		}
		end = min(len(s), start+4*(end-start))
	}
	for _, sp := range sub.spans {
		text := sp.text
		if c.layer > 0 {
			text = strings.Clone(text) // the buffer is used again by the next decoded form on this level
		}
		c.spans = append(c.spans, span{d.Source(start + sp.start), d.Source(start + sp.end), sp.rule, text, sp.quote})
	}
	return end
}

// scanText scans a text in this one by itself.
func (c *scan) scanText(text *container.Part) {
	if c.w.work < 0 {
		return
	}
	view := &c.w.texts[c.layer]
	content, decoded := text.Open(c.S, view)
	c.Charge(prefilter.CostOfCall + len(content)/bytesOfDecoding)
	sub := c.w.scans[c.layer+1]
	sub.run(content)
	for _, sp := range sub.spans {
		start, end := sp.start, sp.end
		if decoded {
			start, end = view.Source(start), view.Source(end)
		}
		// The buffer is used again by the next text.
		c.spans = append(c.spans, span{text.Start + start, text.Start + end, sp.rule, strings.Clone(sp.text), text.Written(c.S, sp.quote)})
	}
}

// On reports whether the rule is on.
func (c *scan) On(r rules.ID) bool { return c.w.e.rules[r].action != actionOff }

// Offer records that S[start:end] is a match of the rule. text is its decoded form, where that differs; it names the value when
// allow-lists are compared and pseudonyms made.
func (c *scan) Offer(r rules.ID, start, end int, text string) bool {
	rule := &c.w.e.rules[r]
	if rule.action == actionOff {
		return false
	}
	if n := rules.MarkerLen(c.S, start); n == end-start && c.w.e.isOurs(c.S[start:end]) {
		return false
	}
	from, to, quote, ok := c.Fit(r, start, end)
	if !ok {
		c.Cut = max(c.Place, 1) // what was taken for a match is looked at as if there were none
		return false
	}
	if from != start || to != end {
		text = ""
		if to < end {
			c.Cut = to
			if r == rules.PrivateKey {
				c.Place = -1
				c.KeyTexts(to, end, func(from, to int) { c.Offer(r, from, to, "") })
			}
		}
	}
	start, end = from, to
	if text == "" {
		text = c.S[start:end]
	}
	for _, glob := range rule.allow {
		if ascii.Glob(glob, text) {
			if !c.w.again {
				c.w.spared(r)
			}
			return false
		}
	}
	c.w.work -= costOfMatch
	c.spans = append(c.spans, span{start, end, r, text, quote})
	return true
}

// Marker keeps S[start:end] if it is a marker of ours.
func (c *scan) Marker(start, end int) bool {
	if !c.w.e.isOurs(c.S[start:end]) {
		return false
	}
	c.kept = append(c.kept, span{start: start, end: end})
	return true
}

// Base64 decodes S[start:end] and scans what comes out, if that is text. All of it is redacted: a part of it could not be taken
// out without breaking the encoding.
func (c *scan) Base64(start, end int) bool {
	if c.layer == maxLayers || start < c.wrapped {
		return false
	}
	s := c.S[start:end]
	var seen uint16
	for i := range min(len(s), 64) {
		seen |= ascii.Class[s[i]]
	}
	if seen&ascii.UpperCase == 0 || seen&ascii.LowerCase == 0 {
		return false
	}
	c.wrapped = decode.WrappedEnd(c.S, start, end)
	end = c.wrapped
	buf := &c.w.base64[c.layer]
	var ok bool
	if *buf, ok = decode.Base64((*buf)[:0], c.S[start:end]); !ok {
		return false
	}
	budget := c.w.work
	c.w.work -= costOfBase64 + len(s)/bytesOfStep
	sub := c.w.scans[c.layer+1]
	sub.run(ascii.UnsafeString(*buf))
	c.Ahead += budget - c.w.work
	if len(sub.spans) == 0 {
		return false
	}
	c.Offer(sub.spans[0].rule, start, end, strings.Clone(sub.spans[0].text))
	return true
}

// Hex decodes S[start:end], which is hexadecimal, and scans what comes out, with its NULs as spaces.
func (c *scan) Hex(start, end int) {
	b, err := hex.DecodeString(c.S[start:end])
	if err != nil || c.layer == maxLayers || len(b) > maxHex {
		return
	}
	for i := range b {
		if b[i] == 0 {
			b[i] = ' '
		}
	}
	c.w.work -= costOfBase64 + len(b)/bytesOfStep
	sub := c.w.scans[c.layer+1]
	sub.run(ascii.UnsafeString(b))
	for _, sp := range sub.spans {
		c.Offer(sp.rule, start+2*sp.start, start+2*sp.end, strings.Clone(sp.text))
	}
}

const maxHex = 1 << 14

// resolve drops matches inside our own markers, and joins those that overlap: the union is redacted, by the more
// severe action and, of equals, the longer match.
func (c *scan) resolve() {
	if len(c.spans) == 0 {
		return
	}
	if len(c.kept) > 0 {
		for k := range c.spans {
			c.wholeKept(&c.spans[k])
		}
		c.spans = slices.DeleteFunc(c.spans, c.onlyKept)
	}
	if len(c.spans) < 2 {
		return
	}
	slices.SortFunc(c.spans, func(a, b span) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return b.end - a.end
	})
	all := c.w.e.rules
	out := c.spans[:1]
	for _, sp := range c.spans[1:] {
		last := &out[len(out)-1]
		if sp.start >= last.end {
			out = append(out, sp)
			continue
		}
		a, b := all[last.rule].action, all[sp.rule].action
		if b > a || b == a && sp.end-sp.start > last.end-last.start {
			last.rule, last.text = sp.rule, sp.text
		}
		if sp.end > last.end {
			last.end = sp.end
			last.text = c.S[last.start:last.end]
		}
	}
	c.spans = out
}

// wholeKept makes a span that covers a part of a marker of ours cover all of it. What is left of one would be taken for a value by the next
// pass, and so on.
func (c *scan) wholeKept(sp *span) {
	first := sort.Search(len(c.kept), func(k int) bool { return c.kept[k].end > sp.start })
	start, end := sp.start, sp.end
	for _, k := range c.kept[first:] {
		if k.start >= sp.end {
			break
		}
		start, end = min(start, k.start), max(end, k.end)
	}
	if start < sp.start || end > sp.end {
		*sp = span{start, end, sp.rule, c.S[start:end], sp.quote}
	}
}

// onlyKept reports whether a span holds nothing but markers of ours and punctuation.
func (c *scan) onlyKept(sp span) bool {
	touched := false
	i := sp.start
	first := sort.Search(len(c.kept), func(k int) bool { return c.kept[k].end > sp.start })
	for _, k := range c.kept[first:] {
		if k.start >= sp.end {
			break
		}
		touched = true
		if ascii.HasAlnum(c.S[i:max(i, k.start)]) {
			return false
		}
		i = k.end
	}
	return touched && !ascii.HasAlnum(c.S[min(i, sp.end):sp.end])
}

// notes are the triggers of what asks for a decoded form of the text, or for characters to be escaped.
func notes() []prefilter.Trigger[*rules.Context] {
	note := func(flag uint16, find prefilter.Detector[*rules.Context], at ...*prefilter.Set) prefilter.Trigger[*rules.Context] {
		return prefilter.Trigger[*rules.Context]{Sets: at, Note: flag, Free: true, Always: true, Detect: find}
	}
	saw := func(flag uint16) prefilter.Detector[*rules.Context] {
		return func(c *rules.Context, _ rules.ID, _ int) int {
			c.Saw |= flag
			return 0
		}
	}
	written := func(c *rules.Context, _ rules.ID, i int) int {
		if n, _ := decode.WrittenControl(c.S, i); n > 0 {
			c.Saw |= prefilter.SawWritten
		}
		return 0
	}
	doubled := func(c *rules.Context, _ rules.ID, i int) int {
		if q := c.S[i]; ascii.At(c.S, i-1) != q || !ascii.Is(c.S, i-2, ascii.Space) || c.S[i-2] == '\n' { // not three, as Python and Java have around a text
			c.Saw |= prefilter.SawDoubled
		}
		return 0
	}
	entity := func(c *rules.Context, _ rules.ID, i int) int {
		if decode.IsEntity(c.S, i) {
			c.Saw |= prefilter.SawEntity
		}
		return 0
	}
	softBreak := func(c *rules.Context, _ rules.ID, i int) int {
		if n, _ := decode.QuotedPrintableAt(c.S, i); n > 0 {
			c.Saw |= prefilter.SawQuotedPrintable
		}
		return 0
	}
	anything := prefilter.Not(prefilter.Bytes("")) // a third set, so that the trigger is not among the short ones
	alpha, alnum := prefilter.Class(ascii.Alpha), prefilter.Class(ascii.Alnum)
	nameStart := prefilter.Class(ascii.Alpha)
	nameStart['#'] = true
	upperHex := prefilter.Bytes("0123456789ABCDEF")
	octal := prefilter.Bytes("01234567")
	hex, special := prefilter.Class(ascii.HexDigit), prefilter.Not(prefilter.Bytes("\t"))
	hex['u'], hex['U'] = true, true
	for b := ' '; b < 0x7f; b++ {
		special[b] = false
	}
	inList := prefilter.Bytes("-0123456789, \r\n\t")
	return []prefilter.Trigger[*rules.Context]{
		note(prefilter.SawPercent, saw(prefilter.SawPercent), prefilter.Bytes("%"), hex),
		note(prefilter.SawBackslash, saw(prefilter.SawBackslash), prefilter.Bytes("\\")),
		note(prefilter.SawSpecial, noteSpecial, special),
		note(prefilter.SawEntity, entity, prefilter.Bytes("&"), nameStart, alnum, alnum),                                                           // &#64; &#x40; &amp; &nbsp;
		note(prefilter.SawEntity, entity, prefilter.Bytes("&"), alpha, prefilter.Bytes("tT"), prefilter.Bytes(";")),                                // &lt;
		note(prefilter.SawByteList, noteByteList, prefilter.Bytes("["), prefilter.Bytes("-0123456789 \r\n\t"), inList, inList),                     // [112, 97
		note(prefilter.SawWritten, written, prefilter.Bytes("#"), prefilter.Bytes("01"), octal, octal),                                             // #012
		note(prefilter.SawWritten, written, prefilter.Bytes("<"), prefilter.Bytes("0uU"), prefilter.Bytes("xX+"), prefilter.Class(ascii.HexDigit)), // <0x0a> <U+000A>
		note(prefilter.SawWritten, written, prefilter.Bytes("_"), prefilter.Bytes("x"), prefilter.Bytes("0"), prefilter.Bytes("0")),                // _x000A_
		note(prefilter.SawDoubled, doubled, prefilter.Bytes(`"`), prefilter.Bytes(`"`), alnum),                                                     // ""password""
		note(prefilter.SawDoubled, doubled, prefilter.Bytes("'"), prefilter.Bytes("'"), alnum),
		note(prefilter.SawQuotedPrintable, saw(prefilter.SawQuotedPrintable), prefilter.Bytes("="), prefilter.Bytes("3"), prefilter.Bytes("AD")),                           // =3D =3A
		note(prefilter.SawQuotedPrintable, saw(prefilter.SawQuotedPrintable), prefilter.Bytes("="), upperHex, upperHex, prefilter.Bytes("=")),                              // =C3=BC
		note(prefilter.SawQuotedPrintable, saw(prefilter.SawQuotedPrintable), prefilter.Bytes("="), prefilter.Bytes("02"), prefilter.Bytes("09"), prefilter.Bytes("\r\n")), // =20, =09 at the end of a line
		note(prefilter.SawQuotedPrintable, saw(prefilter.SawQuotedPrintable), prefilter.Bytes("="), prefilter.Bytes("4"), prefilter.Bytes("0"), alpha),
		note(prefilter.SawQuotedPrintable, softBreak, prefilter.Bytes("="), prefilter.Bytes("\r\n"), anything),
		note(prefilter.SawWritten, written, prefilter.Bytes("^"), prefilter.Bytes("JMI@[")), // ^M
	}
}

// noteSpecial looks through the text from the first byte on that is no printable ASCII, for what decoding would fold and for what
// has to be escaped. Escapes count as work: what consists of them is not text, and gets several times as long.
func noteSpecial(c *rules.Context, _ rules.ID, i int) int {
	s := c.S
	c.Saw |= prefilter.SawSpecial
	work := 0
	for *c.Budget >= work {
		if i = decode.Printable(s, i); i == len(s) {
			break
		}
		b := s[i]
		n, escape := decode.Character(s, i)
		switch {
		case !escape:
		case b == '\n' || b == '\r':
			work++
		default:
			work += stepsOfEscape
		}
		if b >= utf8.RuneSelf || b == 0x1b || b == '\b' || b == 0 || b == 0x7f {
			c.Saw |= prefilter.SawUnusual
		}
		i += n
	}
	if work > 0 {
		c.Saw |= prefilter.SawControl
		c.Ahead += work
		c.Charge(work)
	}
	return 0
}

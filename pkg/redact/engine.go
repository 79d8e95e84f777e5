// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/logseal/logseal/pkg/redact/internal/decode"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
	"github.com/logseal/logseal/pkg/redact/rules"
)

// Engine redacts according to a configuration. It is safe for concurrent use.
type Engine struct {
	cfg               Config
	rules             []rule // the built-in rules, then the custom ones
	custom            []customRule
	filter            *prefilter.Filter[*rules.Context]
	runs              bool // whether a rule wants long runs of token characters
	audit             bool
	marks             map[string]bool // the markers that this engine writes
	sensitive, ignore []string        // globs over names, lower case
	workers           sync.Pool
	keys              *openKeys
	probe             func(string) // tests make it panic

	severest action // of all rules
}

// New compiles the configuration and tests itself with an example of every rule. Errors name the key and the remedy.
func New(cfg Config) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	e := &Engine{
		cfg:       cfg,
		keys:      newOpenKeys(),
		audit:     cfg.Mode == ModeAudit,
		marks:     map[string]bool{markLimit: true, markFailure: true},
		sensitive: allLower(cfg.Keys.Sensitive), ignore: allLower(cfg.Keys.Ignore),
	}
	for _, b := range rules.All() {
		r := rule{id: b.ID, builtin: b, action: actionOff}
		if !b.Off && (b.Pack == "" || slices.Contains(cfg.Packs, b.Pack)) {
			r.action = actionMask
		}
		e.rules = append(e.rules, r)
	}
	if len(e.sensitive) > 0 {
		e.rules[rules.SensitiveKey].action = actionMask
	}
	for _, rc := range cfg.Rules {
		e.configure(rc)
	}
	for _, a := range cfg.Allow {
		for i := range e.rules {
			if e.rules[i].id == a.Rule {
				e.rules[i].allow = append(e.rules[i].allow, strings.ToLower(a.Match))
			}
		}
	}
	if err := e.loadKeys(); err != nil {
		return nil, err
	}
	for i := range e.rules {
		e.severest = max(e.severest, e.rules[i].action)
		e.rules[i].mask = maskOf(e.rules[i].id)
		e.marks[e.rules[i].mask] = true
	}
	e.compile()
	e.workers.New = func() any { return newWorker(e) }
	if err := e.selfTest(); err != nil {
		return nil, err
	}
	return e, nil
}

func allLower(globs []string) []string {
	out := make([]string, len(globs))
	for i, g := range globs {
		out[i] = strings.ToLower(g)
	}
	return out
}

// configure applies one entry of rules, which has been validated.
func (e *Engine) configure(rc Rule) {
	id, isBuiltin := rules.ByID(rc.ID)
	if !isBuiltin {
		id = rules.ID(len(e.rules))
		e.rules = append(e.rules, rule{id: rc.ID, action: actionMask})
		e.custom = append(e.custom, customRule{id, regexp.MustCompile(rc.Regex), rc.ScanAll})
	}
	r := &e.rules[id]
	if rc.Action != "" {
		r.action = action(slices.Index(actionNames[:], rc.Action))
	}
	r.keepFirst, r.keepLast = rc.KeepFirst, rc.KeepLast
}

func (e *Engine) loadKeys() error {
	var master []byte
	for i := range e.rules {
		r := &e.rules[i]
		if r.action != actionPseudonymize {
			continue
		}
		var err error
		if master == nil {
			if master, err = readKey(e.cfg.PseudonymKey); err != nil {
				return err
			}
		}
		if r.pseudonym, err = newPseudonymizer(r, e.cfg.PseudonymKey, master); err != nil {
			return err
		}
	}
	return nil
}

// compile builds the prefilter from the triggers of the rules that are on.
func (e *Engine) compile() {
	e.filter = prefilter.New(e.triggers())
	for i, r := range rules.All() {
		e.runs = e.runs || r.Runs && e.rules[i].action != actionOff
	}
}

// triggers returns what leads to the rules that are on.
func (e *Engine) triggers() []prefilter.Trigger[*rules.Context] {
	on := func(r rules.ID) bool { return e.rules[r].action != actionOff }
	var sensitive []string
	if on(rules.SensitiveKey) {
		sensitive = e.sensitive
	}
	t := append(notes(), rules.Triggers(on, sensitive)...)
	for i, c := range e.custom {
		if c.scanAll {
			continue
		}
		hit := func(c *rules.Context, _ rules.ID, _ int) int {
			c.Sink().(*scan).customHits[i] = true
			return 0
		}
		for _, lit := range requiredLiterals(c.re.String()) {
			t = append(t, prefilter.Trigger[*rules.Context]{Lit: lit, Detect: hit, Free: true, Always: true})
		}
	}
	return t
}

// selfTest redacts the examples of every built-in rule that is on: an engine that would let one through does not start.
// That another rule takes the whole of it is as good: a name in it may be one of the configuration's, too.
func (e *Engine) selfTest() error {
	w := newWorker(e)
	w.work = math.MaxInt / 2 // there is room for what detectors give back
	for i := range e.rules {
		b := e.rules[i].builtin
		if b == nil || e.rules[i].action == actionOff {
			continue
		}
		for _, x := range b.Gone {
			c := w.scans[0]
			c.run(x.Text)
			found := w.counts.suppressed[i] > 0 || slices.ContainsFunc(c.spans, func(sp span) bool {
				return sp.rule == rules.ID(i) || strings.Contains(x.Text[sp.start:sp.end], x.Secret)
			})
			if rules.ID(i) == rules.Control {
				found = c.Saw&prefilter.SawControl != 0
			}
			if !found {
				return fmt.Errorf("self-test: the rule %s does not find its own example; the engine does not start", b.ID)
			}
		}
	}
	return nil
}

// Recorder takes the counts of a batch. Its arguments are names from the configuration and this package, never content.
type Recorder interface {
	// Matches counts redactions by rule, action and location.
	Matches(rule, action, location string, n int64)
	// Suppressed counts matches that the allow-list let through.
	Suppressed(rule string, n int64)
	// Failures counts records and values that could not be examined: panic, value_bytes, depth, work.
	Failures(reason string, n int64)
	// Scanned counts bytes of text that were examined.
	Scanned(bytes int64)
}

// location is where a text was found.
type location uint8

const (
	inBody location = iota
	inAttributes
	inResource
	inScope
	inEventName
	inSeverityText
	inKey
	inText
	numLocations
)

var locationNames = [numLocations]string{"body", "attributes", "resource", "scope", "event_name", "severity_text", "key", "text"}

type failure uint8

const (
	failedPanic failure = iota
	failedBytes
	failedDepth
	failedWork
	numFailures
)

var failureNames = [numFailures]string{"panic", "value_bytes", "depth", "work"}

// counts are what a worker has seen since the last report.
type counts struct {
	matches    [][numLocations]int64 // by rule
	suppressed []int64               // by rule
	failures   [numFailures]int64
	bytes      int64
	any        bool // whether there is anything in matches
	notes      int  // how often something was counted in matches and suppressed
}

func (w *worker) report(rec Recorder) {
	c := &w.counts
	if rec != nil {
		rec.Scanned(c.bytes)
		for i, n := range c.failures {
			if n > 0 {
				rec.Failures(failureNames[i], n)
			}
		}
		for i := range c.suppressed {
			if n := c.suppressed[i]; n > 0 {
				rec.Suppressed(w.e.rules[i].id, n)
			}
		}
		if c.any {
			for i := range c.matches {
				for l, n := range c.matches[i] {
					if n > 0 {
						rec.Matches(w.e.rules[i].id, w.e.rules[i].action.String(), locationNames[l], n)
					}
				}
			}
		}
	}
	clear(c.suppressed)
	c.failures, c.bytes = [numFailures]int64{}, 0
	if c.any {
		clear(c.matches)
		c.any = false
	}
}

// worker holds what one goroutine needs to redact, so that a clean record costs no allocation.
type worker struct {
	e       *Engine
	names   *rules.Namer
	clean   map[string]rules.Verdict // texts that hold nothing to redact, and what they say as names
	alike   [maxAlike]attribute      // of the record before, by their place
	scans   [maxLayers + 1]*scan
	decoded [maxLayers][decode.NumCodings]decode.Text
	texts   [maxLayers]decode.Text
	base64  [maxLayers][]byte
	echoes  echoIndex
	work    int    // how often detectors may still be called for the text
	found   []span // what the first pass over the text found
	out     []byte // the value being rebuilt
	again   bool   // whether this is another pass over what the first has left
	before  []byte // the value before another pass
	// escapedOnly says that all the first pass did was to escape control characters: decoded, the value is the text again.
	escapedOnly bool
	bytes       []byte // a byte value, or a number as text
	named       []byte // a number behind its name
	words       []span // what was found in a list of words
	counts      counts
	inRecord    []int64 // matches by rule in this record, for the annotation
	loc         location
	place       place

	followed  *keyState // of the stream of lines that is redacted, or nil
	recordKey keyState  // of the stream that the record's text belongs to
	part      span      // of the text that is redacted, what belongs to a key that began before
}

func newWorker(e *Engine) *worker {
	w := &worker{
		e:        e,
		names:    rules.NewNamer(e.sensitive, e.ignore),
		clean:    map[string]rules.Verdict{},
		counts:   counts{matches: make([][numLocations]int64, len(e.rules)), suppressed: make([]int64, len(e.rules))},
		inRecord: make([]int64, len(e.rules)),
	}
	for i := range w.scans {
		w.scans[i] = newScan(w, i)
	}
	return w
}

func (w *worker) matched(r rules.ID) {
	w.counts.matches[r][w.loc]++
	w.counts.any = true
	w.counts.notes++
	w.inRecord[r]++
}

// spared counts a match that the allow-list lets through.
func (w *worker) spared(r rules.ID) {
	w.counts.suppressed[r]++
	w.counts.notes++
}

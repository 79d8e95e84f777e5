// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

// Hostile texts are composed of what leads to detectors: triggers, names, prefixes, the rules' own examples whole and cut off, delimiters and
// values, in units that are repeated, encoded or nested.

// recipe is how a hostile text is made.
type recipe struct {
	unit  []string // its pieces; value stands for one that is different each time
	seed  uint64
	coded string // how the text is encoded: one of codings
	open  string // stands before it, and what it opens is not closed
}

const value = "\x00"

var codings = []string{"", "", "", "", "percent", "backslashes", "quoted", "base64", "entities"}

// text returns the text that the recipe makes, of some size.
func (r recipe) text(size int) string {
	g := gen{rand.New(rand.NewPCG(r.seed, 1))}
	var b strings.Builder
	b.WriteString(r.open)
	for b.Len() < size {
		for _, piece := range r.unit {
			if piece == value {
				piece = g.token(4 + g.IntN(24))
			}
			b.WriteString(piece)
		}
	}
	s := b.String()[:size]
	switch r.coded {
	case "percent":
		s = url.QueryEscape(s)
	case "backslashes":
		s = strconv.Quote(s)
	case "quoted":
		s = strings.ReplaceAll(strings.ReplaceAll(s, "=", "=3D"), ":", "=3A")
	case "base64":
		s = b64(s)
	case "entities":
		s = strings.NewReplacer("=", "&#61;", "\"", "&quot;", ":", "&colon;", " ", "&nbsp;").Replace(s)
	}
	return s[:min(len(s), size)]
}

func (r recipe) String() string { return fmt.Sprintf("%s%q after %q", r.coded, r.unit, r.open) }

// composer makes recipes.
type composer struct {
	gen
	pieces []string
}

func newComposer(e *Engine, seed uint64) *composer {
	c := &composer{gen: gen{rand.New(rand.NewPCG(seed, 3))}}
	c.pieces = slices.Sorted(maps.Keys(madeOf(e)))
	return c
}

func (c *composer) piece() string {
	switch c.IntN(8) {
	case 0:
		return value
	case 1, 2:
		return c.pick("=", ":", " ", "\"", "'", "\n", ",", "{", "}", "[", "]", "<", ">", "(", ")", "/", "://", "@", "|", ";", "&", "\\", "%", "-", "--", ".", "_", "+", "#", "$", "`", "\\n", "\\\"", "=>", " -p", "\t", "\r\n", "\x1b[1m", "é", "\u00a0", "%3D", "&#61;", "=3D")
	case 3:
		s := c.pieces[c.IntN(len(c.pieces))]
		return s[:1+c.IntN(len(s))]
	case 4:
		s := c.pieces[c.IntN(len(c.pieces))]
		return s[c.IntN(len(s)):]
	}
	return c.pieces[c.IntN(len(c.pieces))]
}

func (c *composer) recipe() recipe {
	r := recipe{seed: c.Uint64(), coded: codings[c.IntN(len(codings))]}
	for range 1 + c.IntN(6) {
		r.unit = append(r.unit, c.piece())
	}
	if c.IntN(4) == 0 {
		r.open = c.piece()
	}
	return r
}

// mutate returns a recipe that differs a little.
func (c *composer) mutate(r recipe) recipe {
	r.unit = slices.Clone(r.unit)
	i := c.IntN(len(r.unit))
	switch c.IntN(7) {
	case 0:
		r.unit = slices.Insert(r.unit, i, c.piece())
	case 1:
		if len(r.unit) > 1 {
			r.unit = slices.Delete(r.unit, i, i+1)
		}
	case 2:
		if s := r.unit[i]; len(s) > 1 {
			r.unit[i] = s[:len(s)-1-c.IntN(len(s)/2)]
		}
	case 3:
		if s := r.unit[i]; len(s) > 1 {
			r.unit[i] = s[1+c.IntN(len(s)/2):]
		}
	case 4:
		r.coded = codings[c.IntN(len(codings))]
	case 5:
		r.unit = append(r.unit, r.unit[i])
	default:
		r.unit[i] = c.piece()
	}
	return r
}

// alike reports whether two recipes share a piece that says what they are about.
func alike(x, y recipe) bool {
	return slices.ContainsFunc(x.unit, func(piece string) bool { return len(piece) >= 5 && slices.Contains(y.unit, piece) })
}

// What is composed of what leads to detectors takes no more steps than are allowed, and is withheld where it would.
func TestComposedTextsAreBounded(t *testing.T) {
	e := newEngine(t)
	w := newWorker(e)
	n, seed := 300, uint64(1)
	if os.Getenv("LOGSEAL_EVERY_TEXT") != "" {
		n, seed = 20000, rand.Uint64()
	}
	c := newComposer(e, seed)
	for range n {
		r := c.recipe()
		text := r.text(1 << (8 + c.IntN(8)))
		limit := prefilter.WorkFor(len(text))
		w.work = limit
		w.pass(text)
		assert.LessOrEqual(t, limit-w.work, limit+mostAtOnce, "%s, %d bytes, seed %d", r, len(text), seed)
	}
}

// BenchmarkComposed looks for the dearest texts: it composes some, and changes the dearest of them, many times. With -v it prints them.
// LOGSEAL_COMPOSE says how many are tried.
func BenchmarkComposed(b *testing.B) {
	e := newEngine(b)
	w := newWorker(e)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	tries := 2000
	if n, err := strconv.Atoi(os.Getenv("LOGSEAL_COMPOSE")); err == nil {
		tries = n
	}
	cost := func(text string, runs int) float64 {
		best := int64(math.MaxInt64)
		for range runs {
			start := threadTime(b)
			w.text(text)
			best = min(best, threadTime(b)-start)
		}
		return float64(best) / float64(len(text))
	}
	type found struct {
		recipe
		ns float64
	}
	for b.Loop() {
		ordinary := math.Inf(1)
		for range 15 {
			lines := accessLines(400, 3, true)
			start := threadTime(b)
			for _, line := range lines {
				w.text(line)
			}
			ordinary = min(ordinary, float64(threadTime(b)-start)/float64(totalBytes(lines)))
		}
		c := newComposer(e, rand.Uint64())
		var best []found
		for n := range tries {
			r := c.recipe()
			if n > tries/4 {
				r = c.mutate(best[min(c.IntN(len(best)), c.IntN(len(best)))].recipe)
			}
			text := r.text(1 << 15)
			ns := cost(text, 1)
			if len(best) == 40 && ns <= best[39].ns {
				continue
			}
			if ns = cost(text, 3); len(best) == 40 && ns <= best[39].ns {
				continue
			}
			// Of those that are alike only the dearest is kept.
			best = slices.DeleteFunc(append(best, found{r, ns}), func(f found) bool {
				return slices.ContainsFunc(best, func(x found) bool { return x.ns > f.ns && alike(x.recipe, f.recipe) }) || f.ns < ns && alike(f.recipe, r)
			})
			slices.SortFunc(best, func(x, y found) int { return cmp.Compare(y.ns, x.ns) })
			best = best[:min(len(best), 40)]
		}
		b.ReportMetric(best[0].ns/ordinary, "times-at-most")
		table := ""
		for _, f := range best {
			text := f.text(1 << 15)
			out, _, _ := e.Text(text, nil)
			table += fmt.Sprintf("%6.1f times, withheld %-5v %.240s\n", f.ns/ordinary, out == markLimit, f.recipe.String())
		}
		b.Log("\n" + table)
	}
}

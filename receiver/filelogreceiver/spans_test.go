// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/transformer/noop"
	stock "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runtime is how a container runtime writes a container's log, and what its rotation calls the files.
type runtime struct {
	name, file string
	rotated    [2]string // the last, and the one before
	part       func(at int, stream, text string, last bool) string
}

var runtimes = []runtime{
	{"CRI", "0.log", [2]string{"0.log.20261128-101114", "0.log.20261128-101112"}, func(at int, stream, text string, last bool) string {
		return fmt.Sprintf("2026-11-28T10:11:12.%09dZ %s %s %s\n", at, stream, map[bool]string{true: "F", false: "P"}[last], text)
	}},
	{"Docker", "1f-json.log", [2]string{"1f-json.log.1", "1f-json.log.2"}, func(at int, stream, text string, last bool) string {
		return fmt.Sprintf(`{"log":"%s%s","stream":"%s","time":"2026-11-28T10:11:12.%09dZ"}`+"\n", text, map[bool]string{true: `\n`}[last], stream, at)
	}},
}

// log is a container's log, and what a program wrote into it.
type log struct {
	*place
	runtime
	at int
}

func newLog(t *testing.T, r runtime) *log {
	p := newPlace(t)
	p.config = func(c *stock.FileLogConfig) {
		c.InputConfig.FlushPeriod = time.Hour // nothing may wait for that
		c.InputConfig.Include = []string{filepath.Join(p.dir, "*.log")}
		// The stock container operator's own fields race when two files are read at a time.
		operators := noop.NewConfig()
		operators.OperatorType = "container"
		c.Operators = []operator.Config{operator.NewConfig(operators)}
	}
	return &log{place: p, runtime: r}
}

// out and err write parts to the streams; one that ends with | is the last of its line.
func (l *log) out(parts ...string) { l.add("stdout", parts) }
func (l *log) err(parts ...string) { l.add("stderr", parts) }

func (l *log) add(stream string, parts []string) {
	var text strings.Builder
	for _, part := range parts {
		l.at++
		line, last := strings.CutSuffix(part, "|")
		text.WriteString(l.part(l.at, stream, line, last))
	}
	l.write(l.file, text.String())
}

func (l *log) lines(stream string, from, to int) {
	for i := from; i < to; i++ {
		l.add(stream, []string{fmt.Sprintf("%s %d of some length|", stream, i)})
	}
}

func (l *log) rotate() {
	if _, err := os.Stat(filepath.Join(l.dir, l.rotated[0])); err == nil {
		l.place.rename(l.rotated[0], l.rotated[1])
	}
	l.place.rename(l.file, l.rotated[0])
}

func TestLinesInSeveralFiles(t *testing.T) {
	for _, r := range runtimes {
		for _, tt := range []struct {
			name  string
			steps func(l *log)
			want  int // lines of the form of the others
			whole []string
			twice bool // may come
		}{
			{name: "both files are there", want: 30, whole: []string{"one two three"}, steps: func(l *log) {
				l.lines("stdout", 0, 20)
				l.out("one ", "two ")
				l.rotate()
				l.out("three|")
				l.lines("stdout", 20, 30)
			}},
			{name: "rotated after the parts were seen", want: 30, whole: []string{"one two three"}, steps: func(l *log) {
				l.lines("stdout", 0, 20)
				l.out("one ", "two ")
				l.run(20, shutdown)
				l.rotate()
				l.out("three|")
				l.lines("stdout", 20, 30)
			}},
			{name: "killed before the parts", want: 630, twice: true, whole: []string{"one two three"}, steps: func(l *log) {
				l.lines("stdout", 0, 600)
				l.out("one ", "two ")
				l.run(300, kill)
				l.rotate()
				l.out("three|")
				l.lines("stdout", 600, 630)
			}},
			{name: "killed when the new file is refused", want: 30, twice: true, whole: []string{"one two three"}, steps: func(l *log) {
				l.lines("stdout", 0, 20)
				l.out("one ", "two ")
				l.rotate()
				l.out("three|")
				l.lines("stdout", 20, 30)
				l.run(10, killRefused)
			}},
			{name: "killed between what is saved of the new file and of the old one", want: 630, twice: true, whole: []string{"one two three", "error end"}, steps: func(l *log) {
				l.lines("stdout", 0, 20)
				l.err("error ")
				l.out("one ", "two ")
				l.rotate()
				l.out("three|")
				l.err("end|")
				l.lines("stdout", 20, 630)
				l.run(200, kill)
				l.run(200, kill)
			}},
			{name: "both streams", want: 60, whole: []string{"one two three four", "error 1 2 3"}, steps: func(l *log) {
				l.lines("stdout", 0, 20)
				l.out("one ")
				l.err("error ", "1 ")
				l.out("two ")
				l.rotate()
				l.err("2 ")
				l.out("three ")
				l.err("3|")
				l.out("four|")
				l.lines("stderr", 20, 60)
			}},
			{name: "the other stream goes on for several tokens", want: 220, twice: true, whole: []string{"one two"}, steps: func(l *log) {
				l.lines("stdout", 0, 20)
				l.out("one ")
				l.lines("stderr", 20, 60)
				l.rotate()
				l.lines("stderr", 60, 160)
				l.run(10, kill)
				l.out("two|")
				l.lines("stdout", 160, 220)
			}},
			{name: "three files", want: 30, whole: []string{"one two three four five"}, steps: func(l *log) {
				l.lines("stdout", 0, 20)
				l.out("one ", "two ")
				l.rotate()
				l.out("three ", "four ")
				l.rotate()
				l.out("five|")
				l.lines("stdout", 20, 30)
			}},
			{name: "a line ends where its file ends", want: 30, whole: []string{"one two"}, steps: func(l *log) {
				l.lines("stdout", 0, 20)
				l.out("one ", "two|")
				l.rotate()
				l.lines("stdout", 20, 30)
			}},
		} {
			t.Run(r.name+": "+tt.name, func(t *testing.T) {
				l := newLog(t, r)
				tt.steps(l)
				want := tt.want + len(tt.whole)
				l.run(want, shutdownComplete)
				require.Len(t, l.accepted, want, "lines and pieces")
				for body, n := range l.accepted {
					assert.True(t, n == 1 || tt.twice, "%q came %d times", body, n)
					p, _ := parsePart([]byte(body))
					body = strings.TrimSuffix(string(p.content), `\n`)
					if !strings.HasSuffix(body, " of some length") {
						assert.Contains(t, tt.whole, body, "nobody wrote that")
					}
				}
			})
		}
	}
}

// What one reader does with the end of its file, when the other has not told it that the line is complete.
func TestPartsAtTheEndOfAFile(t *testing.T) {
	other := strings.Repeat("stderr F other\n", partWait+1)
	for _, tt := range []struct {
		name string
		file string // that is read; the file it is rotated to unless said otherwise
		// What lies there, from when it is read on and afterwards.
		older, old, next string
		want             []string
	}{
		{name: "the rest is in the next file", old: "stdout P a\n", next: "stderr F x\nstdout F b\n", want: []string{"stdout F ab"}},
		{name: "and lines of the other stream between", old: "stdout P a\nstderr F x\n", next: "stdout F b\n", want: []string{"stderr F x", "stdout F ab"}},
		{name: "the rest of both streams", old: "stdout P a\nstderr P x\n", next: "stderr F y\nstdout F b\n", want: []string{"stdout F ab", "stderr F xy"}},
		{name: "the start is in the file before", older: "stdout P 0\n", old: "stdout P a\n", next: "stdout F b\n", want: []string{"stdout F 0ab"}},
		{name: "the rest has not come", old: "stdout P a\n", next: "stderr F x\nstdout P b\n", want: []string{"stdout F a [partial]"}},
		{name: "the rest does not come", old: "stdout P a\n", next: other + "stdout F b\n", want: []string{"stdout F a [partial]"}},
		{name: "no next file", old: "stdout P a\n", want: []string{"stdout F a [partial]"}},
		{name: "it is compressed", file: "0.log.20261128-101112.gz", old: "stdout P a\n", next: "stdout F b\n", want: []string{"stdout F ab"}},
		{name: "another container's file", file: "1.log", old: "stdout P a\n", next: "stdout F b\n", want: []string{"stdout F a [partial]"}},
		{name: "longer than a line may be", old: "stdout P " + strings.Repeat("a", 1<<19) + "\n", next: "stdout F " + strings.Repeat("b", 1<<19) + "\n", want: []string{"stdout F " + strings.Repeat("a", 1<<19) + " [partial]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t)
			name := "0.log.20261128-101112"
			if tt.file != "" {
				name = tt.file
			}
			withTime := func(text string) string { return strings.ReplaceAll(text, "std", cri+"std") }
			for file, text := range map[string]string{"0.log.20261128-101110": tt.older, name: tt.old, "0.log": tt.next} {
				if text != "" {
					p.write(file, withTime(text))
				}
			}
			old := withTime(tt.old)
			got := bodies(newLineReader(true).read(filepath.Join(p.dir, name), batch{tokens: [][]byte{[]byte(old)}, offsets: []int64{0, int64(len(old))}}))
			for i := range got {
				got[i] = strings.TrimPrefix(got[i], cri)
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

// The old file's reader goes on when nothing of its end is missing in what has been accepted, and not before.
func TestEndOfAFileIsReleased(t *testing.T) {
	p := newPlace(t)
	out, err := cri+"stdout P a\n", cri+"stderr P x\n"
	p.write("0.log.20261128-101112", out+err)
	path := filepath.Join(p.dir, "0.log")
	r := newLineReader(true)
	var pos int64
	read := func(text string) []line {
		p.write("0.log", text)
		start := pos
		pos += int64(len(text))
		return r.read(path, batch{tokens: [][]byte{[]byte(text)}, offsets: []int64{start, pos}})
	}
	accept := func(lines []line) {
		for _, l := range lines {
			r.spans.accepted(path, l.earlier)
		}
	}
	assert.False(t, r.spans.released([]byte(out+err)))
	first := read(cri + "stdout F b\n")
	assert.Equal(t, []string{cri + "stdout F ab"}, bodies(first))
	assert.False(t, r.spans.released([]byte(out)), "not accepted yet")
	accept(first)
	assert.True(t, r.spans.released([]byte(out)))
	assert.False(t, r.spans.released([]byte(out+err)), "the other stream's is not complete")
	accept(read(cri + "stderr F y\n"))
	assert.True(t, r.spans.released([]byte(out+err)))

	again := newLineReader(true) // after a restart
	p.write("0.log", cri+"stdout F next\n")
	again.read(path, batch{tokens: [][]byte{[]byte(cri + "stdout F next\n")}, offsets: []int64{pos, pos + int64(len(cri+"stdout F next\n"))}})
	assert.True(t, again.spans.released([]byte(out+err)), "what was read before has been accepted")
	old := []byte(out + err)
	assert.Empty(t, again.read(filepath.Join(p.dir, "0.log.20261128-101112"), batch{tokens: [][]byte{old}, offsets: []int64{0, int64(len(old))}}))
}

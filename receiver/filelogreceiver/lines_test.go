// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/trim"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newLineReader(parts bool) *lineReader {
	r := &lineReader{chunks: true, trim: trim.Whitespace, parts: parts}
	r.spans.maxLine, r.spans.decode = 1<<20, r.decoded
	return r
}

// readText reads a text as the file consumer does, in reads of step bytes, and returns the tokens and the lines.
func readText(t testing.TB, text string, step, maxSize int, parts bool) (tokens []string, lines []line) {
	t.Helper()
	r := newLineReader(parts)
	pos := int64(0)
	split := splitChunks(maxSize, parts, r.spans.released)
	s := bufio.NewScanner(&slowReader{text: text, step: step})
	s.Buffer(make([]byte, 0, 512), maxSize)
	s.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		advance, token, err := split(data, atEOF)
		if token != nil {
			require.Positive(t, advance)
			// The file consumer gives the token away before it reads on.
			lines = append(lines, r.read("path", batch{tokens: [][]byte{bytes.Clone(token)}, offsets: []int64{pos, pos + int64(advance)}})...)
		}
		pos += int64(advance)
		return advance, token, err
	})
	for s.Scan() {
		tokens = append(tokens, s.Text())
	}
	require.NoError(t, s.Err())
	return tokens, lines
}

type slowReader struct {
	text string
	step int
}

func (r *slowReader) Read(p []byte) (int, error) {
	n := copy(p, r.text[:min(r.step, len(r.text))])
	r.text = r.text[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func bodies(lines []line) (all []string) {
	for _, l := range lines {
		body := l.body
		if l.partial {
			body += " [partial]"
		}
		all = append(all, body)
	}
	return all
}

func TestChunksAreWholeLines(t *testing.T) {
	var text strings.Builder
	var want []string
	for i := range 5000 {
		body := fmt.Sprintf("%d %s", i, strings.Repeat("x", 1+i*i%300))
		if i%1000 == 7 {
			body += strings.Repeat("y", 100_000)
		}
		text.WriteString(body + "\n")
		want = append(want, body)
	}
	for _, step := range []int{100, 4096, 1 << 20} {
		tokens, lines := readText(t, text.String(), step, 1<<20, false)
		assert.Equal(t, want, bodies(lines))
		assert.Equal(t, text.String(), strings.Join(tokens, ""))
		for _, token := range tokens {
			n := strings.Count(token, "\n")
			assert.True(t, strings.HasSuffix(token, "\n"))
			assert.LessOrEqual(t, n, chunkLines)
			assert.True(t, n == 1 || len(token) <= chunkSize, "%d bytes", len(token))
		}
		assert.Less(t, len(tokens), len(want)/10, "few tokens at %d bytes a read", step)
	}
}

func TestRequestsAreBounded(t *testing.T) {
	chunks := func(n, size int) [][]byte { return slices.Repeat([][]byte{make([]byte, size)}, n) }
	for _, tt := range []struct {
		name   string
		chunks [][]byte
		want   int
	}{
		{"one", chunks(1, 100), 1},
		{"few", chunks(7, chunkSize), 7},
		{"as many as may be", chunks(requestChunks, 100), requestChunks},
		{"more", chunks(100, 100), requestChunks},
		{"large ones", chunks(100, chunkSize), requestSize / chunkSize},
		{"a line that is larger than a request", chunks(3, 2*requestSize), 1},
		{"a small one before it", append(chunks(1, 100), chunks(3, 2*requestSize)...), 1},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, endOfRequest(tt.chunks, requestChunks)) })
	}
}

// A line that is too long is cut between words, and each part repeats the end of the one before.
func TestLongLinesAreCutBetweenWords(t *testing.T) {
	const maxSize = 200_000
	words := strings.Repeat("some words password: hunter2 and Größe ", 20_000)
	_, lines := readText(t, "before\n"+words+"\nbehind\n", 10_000, maxSize, false)
	require.Greater(t, len(lines), 4)
	assert.Equal(t, line{body: "before"}, lines[0])
	assert.Equal(t, line{body: "behind"}, lines[len(lines)-1])
	rest := words
	for i, l := range lines[1 : len(lines)-1] {
		assert.True(t, l.partial)
		assert.LessOrEqual(t, len(l.body), maxSize)
		at := strings.Index(rest, l.body)
		require.GreaterOrEqual(t, at, 0, "part %d is no part of the line", i)
		assert.True(t, strings.HasSuffix(l.body, "r2") || !strings.HasSuffix(l.body, "hunter"), "cut in a word")
		rest = rest[min(len(rest), at+len(l.body)-cutRepeat-cutReach):]
	}
	last := lines[len(lines)-2]
	assert.True(t, strings.HasSuffix(words, last.body+" "), "the end has arrived")
	if len(lines) > 3 {
		end := lines[1].body[len(lines[1].body)-cutRepeat/2:]
		assert.Contains(t, lines[2].body[:cutRepeat+2*cutReach], end, "what stands before the cut is repeated behind it")
	}
}

func TestLongLinesWithoutBlanksAreCutBetweenCharacters(t *testing.T) {
	text := strings.Repeat("ä€😀", 100_000)
	_, lines := readText(t, text+"\n", 10_000, 200_000, false)
	require.Greater(t, len(lines), 3)
	for _, l := range lines {
		assert.NotContains(t, strings.ToValidUTF8(l.body, "\uFFFD"), "\uFFFD")
	}
}

func TestUnfinishedLineIsHandedOnAgainWhole(t *testing.T) {
	r := &lineReader{chunks: true, trim: trim.Whitespace}
	read := func(path, token string, start int64) []string {
		return bodies(r.read(path, batch{tokens: [][]byte{[]byte(token)}, offsets: []int64{start, start + int64(len(token))}}))
	}
	assert.Equal(t, []string{"one", "two pass [partial]"}, read("a", "one\ntwo pass", 0))
	assert.Equal(t, []string{"other"}, read("b", "other\n", 12), "another file")
	assert.Equal(t, []string{"two password= [partial]"}, read("a", "word=", 12), "still not finished")
	assert.Equal(t, []string{"two password=x", "three"}, read("a", "x\nthree\n", 17))
	assert.Equal(t, []string{"four"}, read("a", "four\n", 25))

	assert.Equal(t, []string{"half [partial]"}, read("a", "half", 30))
	assert.Equal(t, []string{"new file"}, read("a", "new file\n", 0), "something else at its place")

	long := strings.Repeat("x", tailSize+1)
	assert.Equal(t, []string{long + " [partial]"}, read("a", long, 100))
	assert.Equal(t, []string{"end [partial]", "next"}, read("a", "end\nnext\n", 100+int64(len(long))), "too long to be kept")

	for i := range 2 * tailFiles {
		read(fmt.Sprint(i), "half", 0)
	}
	assert.LessOrEqual(t, len(r.tails.files), tailFiles)
}

const (
	cri    = "2026-11-28T10:11:12.000000001Z "
	docker = `{"log":"%s","stream":"%s","time":"2026-11-28T10:11:12.000000001Z"}` + "\n"
)

func TestPartsAreJoinedByStream(t *testing.T) {
	for _, tt := range []struct {
		name string
		text string
		want []string
	}{
		{"whole lines", cri + "stdout F a\n" + cri + "stderr F b\n", []string{cri + "stdout F a", cri + "stderr F b"}},
		{"parts", cri + "stdout P a \n" + cri + "stdout P b\n" + cri + "stdout F c\n", []string{cri + "stdout F a bc"}},
		{
			"two streams", cri + "stdout P secret=hun\n" + cri + "stderr P E1\n" + cri + "stdout F ter2\n" + cri + "stderr F E2\n",
			[]string{cri + "stdout F secret=hunter2", cri + "stderr F E1E2"},
		},
		{"an empty last part", cri + "stdout P a\n" + cri + "stdout F \n" + cri + "stdout F\n", []string{cri + "stdout F a", cri + "stdout F"}},
		{"further tags", cri + "stdout P:x a\n" + cri + "stdout F:x b\n", []string{cri + "stdout F ab"}},
		{"CRI-O", "2026-11-28T10:11:12.1+01:00 stdout P a\n2026-11-28T10:11:12.2+01:00 stdout F b\n", []string{"2026-11-28T10:11:12.1+01:00 stdout F ab"}},
		{"no last part yet", cri + "stdout F a\n" + cri + "stdout P b\n" + cri + "stderr F c\n", []string{cri + "stdout F a"}},
		{"other lines", "2026-11-28 stdout P a\nstdout P b\n\n{\"log\":1}\n", []string{"2026-11-28 stdout P a", "stdout P b", `{"log":1}`}},
		{
			"Docker", fmt.Sprintf(docker, `a\"`, "stdout") + fmt.Sprintf(docker, `E\n`, "stderr") + fmt.Sprintf(docker, `b\\n`, "stdout") + fmt.Sprintf(docker, `c\n`, "stdout"),
			[]string{strings.TrimSpace(fmt.Sprintf(docker, `E\n`, "stderr")), strings.TrimSpace(fmt.Sprintf(docker, `a\"b\\nc\n`, "stdout"))},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, step := range []int{1, 7, 1 << 16} {
				_, lines := readText(t, tt.text, step, 1<<20, true)
				assert.Equal(t, tt.want, bodies(lines))
			}
		})
	}
}

// What force_flush_period takes out of the file is handed on as far as it is there.
func TestPartsThatAreNotFinished(t *testing.T) {
	r := newLineReader(true)
	token := cri + "stdout P a\n" + cri + "stderr F b\n" + cri + "stdo"
	lines := r.read("path", batch{tokens: [][]byte{[]byte(token)}, offsets: []int64{0, int64(len(token))}})
	assert.Equal(t, []string{cri + "stderr F b", cri + "stdo [partial]", cri + "stdout F a [partial]"}, bodies(lines))

	r = newLineReader(true)
	text := ""
	read := func(token string) []string {
		start := int64(len(text))
		text += token
		return bodies(r.read("path", batch{tokens: [][]byte{[]byte(token)}, offsets: []int64{start, int64(len(text))}}))
	}
	assert.Equal(t, []string{cri + "stdout F a [partial]"}, read(cri+"stdout P a\n"))
	assert.Equal(t, []string{cri + "stderr F b"}, read(cri+"stderr F b\n"), "it is not told twice")
	assert.Equal(t, []string{cri + "stdout F ac"}, read(cri+"stdout F c\n"), "whole when its end comes")
	assert.Equal(t, []string{cri + "stdout F d"}, read(cri+"stdout F d\n"))
}

// A long line of a container that writes to both streams, around which the other stream goes on.
func TestPartsAreInOneToken(t *testing.T) {
	var text, long strings.Builder
	for i := range 600 {
		content := strings.Repeat(fmt.Sprintf("%d ", i), 100)
		long.WriteString(content)
		fmt.Fprintf(&text, "%sstdout P %s\n%sstderr F other %d\n", cri, content, cri, i)
	}
	fmt.Fprintf(&text, "%sstdout F end\n", cri)
	_, lines := readText(t, text.String(), 3000, 1<<20, true)
	require.Len(t, lines, 601)
	assert.Equal(t, cri+"stdout F "+long.String()+"end", lines[600].body)
}

// A stream that never ends its line does not hold up the other one.
func TestPartWithoutEnd(t *testing.T) {
	text := cri + "stdout P dead\n" + strings.Repeat(cri+"stderr F alive\n", 5*partWait)
	tokens, lines := readText(t, text, 1000, 1<<20, true)
	assert.Len(t, lines, 5*partWait+1)
	assert.Greater(t, len(tokens), 3)
}

func FuzzSplitChunks(f *testing.F) {
	f.Add("a\nb\r\n\n"+cri+"stdout P a\n"+cri+"stdout F b\n", 3, true)
	f.Add(strings.Repeat("x y", 400), 100, false)
	f.Add(fmt.Sprintf(docker, `a`, "stdout")+"half", 1, true)
	f.Fuzz(func(t *testing.T, text string, step int, parts bool) {
		step = 1 + max(step, -step)%5000
		const maxSize = 1024
		tokens, _ := readText(t, text, max(step, 1), maxSize, parts)
		read := 0
		for _, token := range tokens {
			read += len(token)
		}
		if parts {
			return // some may wait for their last part
		}
		if len(text) < maxSize {
			require.True(t, strings.HasPrefix(text, strings.Join(tokens, "")))
		}
		require.GreaterOrEqual(t, read, strings.LastIndexByte(text, '\n')+1, "lines are missing")
	})
}

// SPDX-License-Identifier: Apache-2.0

package container

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/redact/internal/decode"
)

// texts returns the values in s, in order.
func texts(s string) (all []string) {
	var p Parts
	p.Parse(s)
	for _, q := range p.all {
		if q.Kind == Value {
			all = append(all, s[q.Start:q.End])
		}
	}
	return all
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, s string
		want    []string
	}{
		{"JSON", `x {"a":"b \" c","d":[1,"e",{"f":null}]} y`, []string{`b \" c`, "e"}},
		{"JSON in JSON", `{"a":"{\"b\":\"c\"}"}`, []string{`{\"b\":\"c\"}`, "c"}},
		{"Python", `{'a': "b'c", 'd': None, 'e': b'f'}`, []string{"b'c", "f"}},
		{"Ruby", `{"a"=>"b"}`, []string{"b"}},
		{"JavaScript", `{ a: 'b', c: [ 'd' ] }`, []string{"b", "d"}},
		{"cut off", `{"a":"b","c":"d`, nil},
		{"none", `[12] {x} [a, b]`, nil},
		{"XML", `<?xml version="1.0"?><a b="c"><d>e</d><f/></a>`, []string{"c", "<d>e</d><f/>", "e"}},
		{"CDATA", `<a><![CDATA[<b>]]></a>`, []string{"<![CDATA[<b>]]>", "<b>"}},
		{"XML in JSON", `{"a":"<b c=\"d\">e</b>"}`, []string{`<b c=\"d\">e</b>`, "d", "e"}},
		{"JSON in XML", `<a>{&quot;b&quot;:&quot;c&quot;}</a>`, []string{"{&quot;b&quot;:&quot;c&quot;}", "c"}},
		{"no element", `a <b> c`, nil},
		{"other ends", `<a><b></a></b>`, nil},
		{"logfmt", `a=b msg="c \"d\" e" f="g"`, []string{`c \"d\" e`, "g"}},
		{"CSV", `1,"a ""b"" c",2`, []string{`a ""b"" c`}},
		{"YAML", "a: \"b\"\nc: d", []string{"b"}},
		{"query", `GET /x?a=b%20c&d=e HTTP/1.1`, []string{"b%20c", "e"}},
		{"prose", `he said "a, b" & left`, nil},
	} {
		assert.Equal(t, tt.want, texts(tt.s), tt.name)
	}
}

func TestPlaces(t *testing.T) {
	const s = `{"log":"{\"pin\":1234,\"m\":\"a\\nb\"}"}`
	var p Parts
	p.Parse(s)
	word := p.At(17)
	require.Equal(t, Word, word.Kind)
	assert.Equal(t, "1234", s[word.Start:word.End])
	assert.Equal(t, `\"`, word.Quote, "a quote as it is written two layers deep")
	assert.Equal(t, uint8(2), p.At(30).Slashes)
	text := p.Text(17)
	assert.Equal(t, `{\"pin\":1234,\"m\":\"a\\nb\"}`, s[text.Start:text.End], "the text that is none in another")
	assert.Nil(t, p.At(len(s)))
	assert.Nil(t, p.At(-1))

	var view decode.Text
	view.Decode(s, decode.Backslashes)
	var within Parts
	within.Within(&p, &view, 0, len(view.String()))
	word = within.At(len(`{"log":"{"pin":1`))
	assert.Equal(t, "1234", view.String()[word.Start:word.End])
}

// A line feed that is written in a string ends a line of the string, and none of the text that the string is in.
func TestLines(t *testing.T) {
	kinds := func(s string) (lines []string) {
		var p Parts
		p.Parse(s)
		for _, q := range p.all {
			if q.Kind == Line {
				lines = append(lines, s[q.Start:q.End])
			}
		}
		return lines
	}
	assert.Empty(t, kinds("a b"))
	assert.Equal(t, []string{"a", `{"b":"c"}`, "d"}, kinds(`a#012{"b":"c"}#012d`))
	assert.Equal(t, []string{"c", "d"}, kinds(`a {"b":"c#012d"}`))
	assert.Equal(t, []string{`a {"b":"c#012d"}`, "c", "d", "e"}, kinds(`a {"b":"c#012d"}#012e`))
	assert.Equal(t, []string{"/a?b=1&c=2 x", ""}, kinds("/a?b=1&c=2 x#012"))
	var p Parts
	p.Parse("/a?b=1&c=2 x#012y")
	assert.Equal(t, Value, p.At(len("/a?b=")).Kind, "a query is one in lines, too")
}

// Whatever the text, each part lies in it, and in the one that contains it.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":["b",1]}`, `<a b="c"><d>e</d></a>`, `a="b" c`, `1,"a ""b""",2`, `?a=b&c=%20d`, `{"a":"{\"b\":\"<c>d</c>\"}"}`, "a#012b", `{'a':'\''}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var p Parts
		p.Parse(s)
		for k, q := range p.all {
			require.True(t, 0 <= q.Start && q.Start <= q.End && q.End <= len(s), "%d to %d of %d", q.Start, q.End, len(s))
			require.Less(t, q.parent, k)
			if q.parent >= 0 {
				require.True(t, p.all[q.parent].Start <= q.Start && q.End <= p.all[q.parent].End)
			}
		}
		require.True(t, slices.IsSortedFunc(p.all, func(a, b Part) int { return a.Start - b.Start }))
		for i := -1; i <= len(s); i++ {
			if q := p.At(i); q != nil {
				require.True(t, q.Start <= i && i < q.End)
			}
		}
	})
}

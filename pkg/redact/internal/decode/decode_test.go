// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"html"
	"io"
	"mime/quotedprintable"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestDecode(t *testing.T) {
	for _, tt := range []struct {
		how      Coding
		in, want string
	}{
		{Backslashes, `a\u0041\x42\103\n\t\"\/\\`, "aABC\n\t\"/\\"},
		{Backslashes, `a\15\12b\12" C:\12 \15\120 \123`, "a\r\nb\n\" C:\\12 \\15P S"},
		{Backslashes, `\u{1F600} \ud83d\ude00`, "😀 😀"},
		{Backslashes, `C:\new \q \u12`, "C:\new \\q \\u12"},
		{Backslashes, "\x1b[31mred\x1b[0m \x1b]0;title\x07x", "red x"},
		{Backslashes, "4\u200b1\u00ad1\ufeff1", "4111"},
		{Backslashes, "4\u00911\u00851\x911 \u009b31mred \x9b0mx", "4111 red x"},
		{Backslashes, "１２３　４－５", "123 4-5"},
		{Backslashes, "٤١١١", "4111"},
		{Backslashes, "no\u00a0break\u2010dash", "no break-dash"},
		{Percents, "a%41%2f+b%u0041", "aA/ bA"},
		{Percents, "100% %zz %DB_PASSWORD%", "100% %zz %DB_PASSWORD%"},
		{Entities, "&lt;a&gt;&amp;&quot;&apos;&#64;&#x40;", `<a>&"'@@`},
		{Entities, "4716&nbsp;1089&thinsp;9971&ndash;6531&shy;&nbsp4", "4716 1089 9971-6531 4"},
		{Entities, "contrase&ntilde;a &unknown; &#; &#xzz; &", "contraseña &unknown; &#; &#xzz; &"},
		{ByteLists, "x=[112,97,115,115,119,100] [1,2]", "x=[passwd] [1,2]"},
		{Controls, "a#012b<0x0a>c^Md_x000A_e<U+000A>f #999 <b>", "a\nb\nc\rd\ne\nf #999 <b>"},
		{DoubledQuotes, `7,"{""a"":""""}","",''b''`, `7,"{"a":""}","",'b'`},
		{QuotedPrintable, "a=3Db=C3=BC=\r\nc=\nd e=f1 g=1", "a=bücd e=f1 g=1"},
	} {
		var d Text
		d.Decode(tt.in, tt.how)
		assert.Equal(t, tt.want, d.String(), "%q", tt.in)
	}
}

// A match in the decoded text is found where it came from, whatever stands around it.
func TestSource(t *testing.T) {
	for how, encode := range encoders {
		for _, around := range []string{"", "plain ", "é\u00a0", "a=b&c "} {
			const secret = "Qz8 kLm\"2Vx'7Rt@é"
			in := encode(around+"<") + encode(secret) + encode(">"+around)
			var d Text
			d.Decode(in, how)
			folded := strings.ReplaceAll(secret, "\u00a0", " ")
			at := strings.Index(d.String(), folded)
			if !assert.GreaterOrEqual(t, at, 0, "%d: %q -> %q", how, in, d.String()) {
				continue
			}
			start, end := d.Source(at), d.Source(at+len(folded))
			var part Text
			part.Decode(in[start:end], how)
			assert.Equal(t, folded, part.String(), "%d: %q of %q", how, in[start:end], in)
		}
	}
}

// encoders write a text in a coding, with what others have written for that.
var encoders = map[Coding]func(string) string{
	Backslashes: func(s string) string { b, _ := json.Marshal(s); return string(b[1 : len(b)-1]) },
	Percents:    url.QueryEscape,
	Entities:    html.EscapeString,
	QuotedPrintable: func(s string) string {
		var b strings.Builder
		w := quotedprintable.NewWriter(&b)
		_, _ = io.WriteString(w, strings.ReplaceAll(s, "\n", ""))
		_ = w.Close()
		return b.String()
	},
	DoubledQuotes: func(s string) string { return strings.NewReplacer(`"`, `""`, "'", "''").Replace(s) },
}

func utf16Bytes(s string, order binary.ByteOrder, mark bool) string {
	units := utf16.Encode([]rune(s))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	b := make([]byte, 2*len(units))
	for i, u := range units {
		order.PutUint16(b[2*i:], u)
	}
	return string(b)
}

func TestBase64(t *testing.T) {
	const text = `{"user":"jürgen","password":"Qz8kLm2Vx7Rt"}`
	for name, raw := range map[string]string{
		"UTF-8":                       text,
		"UTF-8 with a mark":           "\ufeff" + text,
		"UTF-16, little endian":       utf16Bytes(text, binary.LittleEndian, false),
		"UTF-16, little, with a mark": utf16Bytes(text, binary.LittleEndian, true),
		"UTF-16, big endian":          utf16Bytes(text, binary.BigEndian, false),
		"UTF-16, big, with a mark":    utf16Bytes(text, binary.BigEndian, true),
		"with NULs":                   strings.ReplaceAll(text, ",", "\x00,"),
	} {
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding} {
			got, ok := Base64([]byte("kept "), encoding.EncodeToString([]byte(raw)))
			assert.True(t, ok, name)
			assert.Equal(t, "kept "+text, strings.ReplaceAll(string(got), "\ufeff", ""), name)
		}
	}
	russian := "пароль=Qz8kLm2Vx7Rt, 密码 パスワード"
	got, ok := Base64(nil, base64.StdEncoding.EncodeToString([]byte(russian)))
	assert.True(t, ok)
	assert.Equal(t, russian, string(got))
	got, ok = Base64(nil, base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 200<<10)+"end")))
	assert.True(t, ok)
	assert.True(t, strings.HasSuffix(string(got), "xend"), "to its end, however long")

	for name, in := range map[string]string{
		"PNG": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk", "zeros": strings.Repeat("A", 60), "no base64": "a b:c", "hash": "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZ",
	} {
		_, ok := Base64(nil, in)
		assert.False(t, ok, name)
	}
}

func TestWrappedEnd(t *testing.T) {
	line := strings.Repeat("QUJD", 16)
	for name, tt := range map[string]struct{ text, block string }{
		"one line":            {line + " x", line},
		"lines":               {line + "\n" + line + "\nQUJD\nnext", line + "\n" + line + "\nQUJD"},
		"CRLF, indented":      {line + "\r\n  " + line + "\r\n  QQ==\r\n", line + "\r\n  " + line + "\r\n  QQ=="},
		"a string":            {line + "\n" + line + "\"", line + "\n" + line},
		"followed by a text":  {line + "\n" + line + "\nthe next line", line + "\n" + line + "\nthe"},
		"followed by a field": {line + "\nlevel=info msg=x", line},
		"a longer line":       {line + "\n" + line + "QUJD\n", line},
		"too short":           {"QUJDQUJDQUJDQUJDQUJDQUJD\nQUJDQUJDQUJDQUJDQUJDQUJD", "QUJDQUJDQUJDQUJDQUJDQUJD"},
	} {
		end := strings.IndexAny(tt.text+" ", " \r\n\"")
		assert.Equal(t, tt.block, tt.text[:WrappedEnd(tt.text, 0, end)], name)
	}
}

// FuzzDecode decodes any text in every coding: places never go backwards or leave the text, what is valid stays valid, and a text without
// the coding is not changed.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`\u0041\ud800`, "%41%", "&nbsp;&#x;", "[112,97,115,115,119,100", "#012^M<0x0a>_x000A_", `""a""`, "=3D=\r\n=", "\x9b31m\u009b\u0085\xc2", "\x1b]0;x", "é\x80\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for how := range NumCodings {
			var d Text
			d.Decode(s, how)
			out := d.String()
			before := 0
			for i := range len(out) + 1 {
				at := d.Source(i)
				if at < before || at > len(s) {
					t.Fatalf("coding %d of %q: byte %d comes from %d, behind %d", how, s, i, at, before)
				}
				before = at
			}
			if len(out) > len(s)+3*strings.Count(s, "\\") {
				t.Fatalf("coding %d of %q grows to %q", how, s, out)
			}
			for i := 0; i < len(out); { // the parts cover every byte that stands for something else
				start, end, ok := d.Part(i, 4)
				if !ok {
					start, end = len(out), len(out)
				}
				for ; i < start; i++ {
					if x := d.Source(i); out[i] != s[x] && s[x] != '+' || d.Source(i+1) != x+1 {
						t.Fatalf("coding %d of %q: no part holds byte %d", how, s, i)
					}
				}
				i = end
			}
			if how == DoubledQuotes && utf8.ValidString(s) {
				assert.True(t, utf8.ValidString(out), "%q", out)
			}
		}
	})
}

// FuzzBase64 decodes what the standard library has encoded, in one line or several: a text comes out as it was.
func FuzzBase64(f *testing.F) {
	f.Add("password=Qz8kLm2Vx7Rt", uint8(64))
	f.Add("\xff\xfea\x00", uint8(3))
	f.Fuzz(func(t *testing.T, s string, width uint8) {
		encoded := base64.StdEncoding.EncodeToString([]byte(s))
		for i := int(width); width > 0 && i < len(encoded); i += int(width) + 1 {
			encoded = encoded[:i] + "\n" + encoded[i:]
		}
		got, ok := Base64(nil, encoded)
		printable := !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError })
		if printable {
			assert.True(t, ok, "%q", s)
			assert.Equal(t, s, string(got))
		}
	})
}

func TestPrintable(t *testing.T) {
	printable := func(s string, i int) int {
		for i < len(s) && s[i] >= ' ' && s[i] <= '~' {
			i++
		}
		return i
	}
	for b := range 256 {
		for at := range 20 {
			text := []byte("some printable text~ ")
			text[at] = byte(b)
			for i := range text {
				assert.Equal(t, printable(string(text), i), Printable(string(text), i), "%q from %d", text, i)
			}
		}
	}
}

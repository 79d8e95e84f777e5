// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What is dense in triggers and yet what programs write is examined to its end, not withheld as made to keep detectors busy.
func TestDenseTextsAreExamined(t *testing.T) {
	e := newEngine(t)
	for name, unit := range denseTexts {
		text := strings.Repeat(unit, 1<<17/len(unit))
		out, matches, _ := e.Text(text+" password=hunter2secret", nil)
		assert.NotEmpty(t, matches, name)
		assert.NotContains(t, out, markLimit, name)
		assert.NotContains(t, out, "hunter2secret", name)
	}
}

var denseTexts = map[string]string{
	"JSON in JSON":            `{\"id\":7,\"name\":\"widget\",\"tags\":[\"a\",\"b\"],\"ok\":true},`,
	"JSON in JSON in JSON":    `{\\\"id\\\":7,\\\"name\\\":\\\"widget\\\"},`,
	"Russian":                 "соединение с базой данных потеряно, повтор через минуту; ",
	"Japanese":                "データベースへの接続が失われました。",
	"URL-encoded":             "%D0%BE%D1%88%D0%B8%D0%B1%D0%BA%D0%B0%20",
	"Windows paths":           `C:\\Users\\build\\a\\b\\c;`,
	"colours":                 "\x1b[32mINFO\x1b[0m started server; ",
	"stack trace":             "\tat org.example.App.run(App.java:17)\r\n",
	"milliseconds":            "1763871055123,",
	"coordinates":             "-113.373887 19.623190 ",
	"hexadecimal dump":        "73 f1 51 94 9a 21 83 59 50 e2 35 95 2f 23 6f 62  ",
	"addresses of people":     "jo.doe@example.com, ",
	"links":                   "https://example.com/1 ",
	"a test's output":         "tests/test_a.py::test_1 PASSED [ 12%] ",
	"names without values":    `{"Key":"Name","Value":"web-1"},`,
	"a property list":         "<key>CFBundleName</key><string>abc</string>",
	"certificates":            "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUP3\n-----END CERTIFICATE-----\n",
	"lists of modules' sums":  "example.com/a/b v1.2.0 h1:b5hlVVwrY72qje7KO+Xo7MEa1qBiikEZ35ISXlDBtA8=\n",
	"lists of UUIDs":          "8ebe84fb-166b-4200-9fe1-834670c7f418,",
	"numbers written by hand": "4 8 15 16 23 42 ",
}

// Long texts that people and programs really write, with a name or a number in every line.
func TestOrdinaryTextsAreNotWithheld(t *testing.T) {
	e := newEngine(t)
	for name, text := range ordinaryTexts() {
		out, _, _ := e.Text(text, nil)
		assert.NotContains(t, out, markLimit, name)
	}
}

// The same holds for texts of a hundred kinds in which no two entries are alike: a whole dump, listing or export of 16 KiB, and nearly all of 64.
func TestOrdinaryKindsAreNotWithheld(t *testing.T) {
	e := newEngine(t)
	for _, size := range []int{1 << 10, 1 << 12, 1 << 14, 1 << 16} {
		for kind := range ordinaryKinds {
			if size > 1<<14 && dearest[kind] {
				continue
			}
			out, _, _ := e.Text(ordinaryText(kind, size, 1), nil)
			assert.NotEqual(t, markLimit, out, "%s, %d bytes", kind, size)
		}
	}
}

// dearest are the kinds that are withheld at 64 KiB: each line is a command with a password, or encoded and full of names.
var dearest = map[string]bool{"crontab": true, "form bodies": true}

func ordinaryTexts() map[string]string {
	repeat := func(size int, line func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			b.WriteString(line(i))
		}
		return b.String()
	}
	labels := []string{"Password", "Confirm password", "API key", "Access token", "Secret", "User name", "Forgot your password?", "Two-factor code"}
	keys := []string{"password", "passwordConfirm", "apiKey", "accessToken", "secret", "userName", "forgotPassword", "authCode"}
	return map[string]string{
		"a catalogue of labels, JSON": repeat(22<<10, func(i int) string { return fmt.Sprintf("  \"login.%s%d\": \"%s\",\n", keys[i%8], i, labels[i%8]) }),
		"a catalogue of labels":       repeat(22<<10, func(i int) string { return "label." + keys[i%8] + "=" + labels[i%8] + "\n" }),
		"a catalogue for translators": repeat(22<<10, func(i int) string { return "msgid \"" + labels[i%8] + "\"\nmsgstr \"" + labels[(i+1)%8] + "\"\n" }),
		"an interface's description": repeat(15<<10, func(i int) string {
			return fmt.Sprintf(`{"name":"%s","in":"query","description":"The %s of the user","required":true,"schema":{"type":"string","format":"password"}},`, keys[i%8], labels[i%8])
		}),
		"its security schemes": repeat(15<<10, func(i int) string {
			return fmt.Sprintf(`"%s%d":{"type":"apiKey","name":"X-%s","in":"header"},`, keys[i%8], i, keys[(i+1)%8])
		}),
		"telephone numbers":     repeat(60<<10, func(i int) string { return fmt.Sprintf("+4420%08d,\n", 79460000+i*37) }),
		"national numbers":      repeat(60<<10, func(i int) string { return fmt.Sprintf("(555) 2%02d-%04d\n", i%100, i%10000) }),
		"mail addresses":        repeat(60<<10, func(i int) string { return fmt.Sprintf("jo.doe%d@example.com\n", i) }),
		"variables and secrets": repeat(20<<10, func(i int) string { return fmt.Sprintf("DB%d_PASSWORD=${DB%d_PASSWORD}\n", i, i) }),
		"a test's output":       repeat(30<<10, func(i int) string { return fmt.Sprintf("ok %d - rejects a wrong password (token expired)\n", i) }),
	}
}

// A text that consists of triggers is withheld, whatever they are: nothing of it passes, and it takes no longer than another.
func TestMadeOfTriggers(t *testing.T) {
	e := newEngine(t)
	for _, unit := range []string{"key=", "password=eyJ://@4111 -p+1(2%41\\u0041key tel ", "a@b.cc/", "://a:b@", "cookie: a=", "\x01", "\x80"} {
		out, _, keep := e.Text(strings.Repeat(unit, 1<<18/len(unit))+" password=hunter2secret", nil)
		assert.True(t, keep)
		assert.Equal(t, markLimit, out, unit)
	}
}

// In a long text only what lies around encoded places is looked at decoded: what reaches far behind one is found whole.
func TestDecodedPartsOfLongTexts(t *testing.T) {
	e := newEngine(t)
	filler := strings.Repeat("the quick brown fox jumps over the lazy dog and back\n", 600)
	key := "-----BEGIN PRIVATE KEY-----%0A" + strings.Repeat("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n", 200) + "-----END PRIVATE KEY-----"
	for name, text := range map[string]string{
		"a value":             "login?user=ana%26password%3Dhunter2secret%26x=1",
		"two, far apart":      "password%3Dhunter2secret\n" + filler + "password%3Dhunter2secret",
		"without blanks":      strings.Repeat("abcdefgh,", 1000) + "password%3Dhunter2secret" + strings.Repeat(",abcdefgh", 1000),
		"a long value":        "password%3D%22" + strings.Repeat("hunter2secret", 300) + "%22",
		"a key":               key,
		"many encoded places": strings.Repeat("x%3Dy%26", 2000) + "password%3Dhunter2secret",
		"through two layers":  "password%253Dhunter2secret",
		"elsewhere, as it is": "password%3Dhunter2%73ecret\n" + filler[:10000] + "and hunter2secret again",
	} {
		out, _, _ := e.Text(filler+text+"\n"+filler, nil)
		assert.NotContains(t, out, markLimit, name)
		assert.NotContains(t, out, "hunter2", name)
		assert.NotContains(t, out, "MIIEvQIBADANBgkq", name)
		assert.Contains(t, out, "lazy dog", name)
	}
}

// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the tables of docs/verify.md anew")

const docs = "../../../docs/"

// docTables are the tables of docs/verify.md, by name.
func docTables() map[string]string {
	byVerdict := map[Verdict]*strings.Builder{}
	for _, verdict := range []Verdict{Tampered, Incomplete} {
		byVerdict[verdict] = new(strings.Builder)
		byVerdict[verdict].WriteString("| finding | what is the case | what to do |\n|---|---|---|\n")
	}
	var reasons strings.Builder
	reasons.WriteString("| finding | reason | section | sentence |\n|---|---|---|---|\n")
	for _, e := range Table() {
		fmt.Fprintf(byVerdict[e.Verdict], "| `%s` | %s | %s |\n", e.Code, e.Case, e.Remedy)
		for _, row := range e.Reasons {
			fmt.Fprintf(&reasons, "| `%s` | `%s` | %s | %s |\n", e.Code, row.Reason, row.Section, row.Reason.Describe())
		}
	}
	return map[string]string{"tampered": byVerdict[Tampered].String(), "incomplete": byVerdict[Incomplete].String(), "reasons": reasons.String()}
}

// TestDocs compares docs/verify.md with the table.
func TestDocs(t *testing.T) {
	data, err := os.ReadFile(docs + "verify.md")
	require.NoError(t, err)
	text := string(data)
	for name, table := range docTables() {
		begin, end := "<!-- table: "+name+" -->\n", "<!-- end of table -->\n"
		before, rest, ok := strings.Cut(text, begin)
		require.True(t, ok, "there is no table %s", name)
		is, after, ok := strings.Cut(rest, end)
		require.True(t, ok, "table %s does not end", name)
		if *update {
			text = before + begin + table + end + after
			continue
		}
		require.Equal(t, table, is, "table %s of docs/verify.md is not that of table.go: go test ./pkg/seal/finding -update", name)
	}
	if *update {
		require.NoError(t, os.WriteFile(docs+"verify.md", []byte(text), 0o644))
	}
}

// TestTable: each code and each reason is there once, with a verdict, a sentence and a section that exists.
func TestTable(t *testing.T) {
	format, err := os.ReadFile(docs + "stamp-format.md")
	require.NoError(t, err)
	seen := map[string]bool{}
	once := func(name string) {
		require.False(t, seen[name], "%s is there twice", name)
		seen[name] = true
	}
	for _, e := range Table() {
		once(string(e.Code))
		require.Regexp(t, `^[A-Z]+(_[A-Z]+)*$`, string(e.Code))
		require.Contains(t, []Verdict{Tampered, Incomplete}, e.Verdict)
		require.NotEmpty(t, e.Case)
		require.NotEmpty(t, e.Remedy)
		require.NotEmpty(t, e.Reasons)
		for _, row := range e.Reasons {
			once(string(row.Reason))
			require.Regexp(t, `^[a-z0-9]+(_[a-z0-9]+)*$`, string(row.Reason))
			require.NotEmpty(t, row.Sentence)
			require.Regexp(t, `(?m)^#+ `+regexp.QuoteMeta(row.Section)+`\.? `, string(format), "no section %s", row.Section)
			require.Equal(t, e.Code, row.Reason.Code())
		}
	}
}

// TestMessages: every name in braces is filled in.
func TestMessages(t *testing.T) {
	for _, e := range Table() {
		for _, row := range e.Reasons {
			f := New(row.Reason)
			f.Detail = Detail{Seals: Seals{true, 3, 9}, By: 64, N: 16, Group: "k3x7a2qd-16 to 31", Other: Place{"a.json", 4}, StreamID: "9f86d081884c7d65", Time: "2026-11-23T05:22:20Z", Lost: "it keeps no flags"}
			require.NotContains(t, f.Message(), "{")
			require.NotContains(t, f.Message(), "}")
		}
	}
	require.Equal(t, Tampered, Code("NEW").Verdict(), "what is not in the table is never harmless")
}

func TestPlace(t *testing.T) {
	require.Equal(t, "a.json:4", Place{"a.json", 4}.String())
	require.Equal(t, "another time", Place{File: "another time"}.String())
}

func TestVerdicts(t *testing.T) {
	require.Equal(t, OK, Verdict("").Worse(""))
	require.Equal(t, Incomplete, OK.Worse(Incomplete))
	require.Equal(t, Tampered, Tampered.Worse(Incomplete))
	for verdict, status := range map[Verdict]int{OK: 0, Tampered: 1, Incomplete: 3} {
		require.Equal(t, status, verdict.ExitStatus())
	}
}

// TestList: runs and causes are joined by what they are, and not by what they say.
func TestList(t *testing.T) {
	var l List
	record := func(reason Reason, seq uint64, group string) {
		f := New(reason)
		f.Stream, f.Detail.Group = "web-17", group
		f.SetID("k3x7a2qd", seq)
		l.AddRecord(f)
	}
	for seq := range uint64(4) {
		record(RecordMissing, seq, "")
	}
	record(GroupDiffers, 4, "a")
	record(GroupDiffers, 5, "b")
	for range 3 {
		f := New(NoID)
		f.Place = Place{"a.json", 4}
		l.AddCause(f)
	}
	f := New(NoID)
	f.Place = Place{"b.json", 4}
	l.AddCause(f)
	f = New(VoidID)
	f.Stream, f.Count = "db-3", 7
	l.AddCause(f)
	var got []string
	for _, f := range l.Sorted() {
		got = append(got, fmt.Sprint(f.Code, " ", f.ID, " ", f.LastID, " ", f.Count))
	}
	require.Equal(t, []string{
		"UNSTAMPED   3", "UNSTAMPED   1", "MISSING k3x7a2qd-0 k3x7a2qd-3 4", "UNRESOLVED k3x7a2qd-4  1", "UNRESOLVED k3x7a2qd-5  1", "VOIDED   7",
	}, got)
	require.Equal(t, Tampered, l.Verdict())
	require.Equal(t, Incomplete, l.StreamVerdict("db-3"))
	require.Equal(t, OK, l.StreamVerdict("web-18"))
	for seq := range uint64(2 * MaxListed) {
		record(DigestDiffers, 2*seq, "")
	}
	require.EqualValues(t, MaxListed, l.Omitted())
}

func ExampleFinding_Message() {
	f := New(RecordMissing)
	f.Stream = "web-17"
	f.SetIDs("k3x7a2qd", 17, 19)
	fmt.Println(f.Code, f.Reason, f.Verdict(), f.Stream, f.ID, f.LastID, f.Count)
	fmt.Println(f.Message())
	// Output:
	// MISSING record_missing tampered web-17 k3x7a2qd-17 k3x7a2qd-19 3
	// was sealed and is not here: it was deleted, or lost after the host had sent it
}

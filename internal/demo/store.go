// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// storeRecords is how many records the store is given. They are decimals, which it writes anew when it merges what it has.
const storeRecords = 400

// noStore says why the drill of the store is left out, empty where it is not.
func noStore(o Options) string {
	if o.VictoriaLogs == "" {
		return "VictoriaLogs is not here: `make store` builds it, a minute the first time"
	}
	return ""
}

// stored is an agent that sends to a log store, and what a person has of it: the store's search and the commands of this program.
type stored struct {
	*stage
	site  *testbed.Site
	store *testbed.Store
	trust string
}

// storedRecord is a record as the store gives it back: the fields that the drill has to do with.
type storedRecord struct {
	ID       string `json:"logseal.id"`
	Text     string `json:"_msg"`
	Original string `json:"logseal.original"`
}

// search finds the record.
func (f *storedRecord) search() string { return fmt.Sprintf("logseal.id:=%q", f.ID) }

// storeDrill sends records into a log store, proves what its search gives back, and then does to what is stored what somebody can do who may write
// to it.
func storeDrill(ctx context.Context, s *stage) (result string, err error) {
	site, err := testbed.NewSite(filepath.Join(s.Dir, "store"), s.Collector)
	if err != nil {
		return "", err
	}
	store, err := site.StartStore(ctx, s.VictoriaLogs)
	if err != nil {
		return "", err
	}
	defer store.Close()
	ctx, cancel := context.WithTimeout(ctx, arrivalTimeout)
	defer cancel()
	st := &stored{stage: s, site: site, store: store}
	if err := st.fill(ctx); err != nil {
		return "", fmt.Errorf("fill the store: %w", err)
	}
	rows, rewritten, err := st.rows(ctx)
	if err != nil {
		return "", err
	}
	verified, err := st.verify(ctx, "day.json")
	if err != nil {
		return "", err
	}
	if verified.Verdict != finding.OK || verified.Verified != storeRecords {
		return "", fmt.Errorf("what the store gave back does not verify, %d of %d: %s", verified.Verified, storeRecords, verified.describe())
	}
	s.say("  %d records fetched back over its API, %d of them with another text than was sent (%s): all are what the agent sealed", storeRecords, len(rewritten), example(rewritten))
	proof, err := st.prove(ctx, rows[0].ID)
	if err != nil {
		return "", err
	}
	s.say("  %s", proof)
	attacks, err := st.attack(ctx, rows)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("VictoriaLogs gave back %d records, all proven, and one again from its evidence alone; then in the store %s", storeRecords, attacks), nil
}

// fill lets an agent send all records and end, so that all are sealed.
func (st *stored) fill(ctx context.Context) error {
	var text strings.Builder
	for i := range storeRecords {
		fmt.Fprintf(&text, "%d.%d0\n", i, 1+i%9)
	}
	logFile := filepath.Join(st.site.Dir, "prices.log")
	if err := os.WriteFile(logFile, []byte(text.String()), 0o600); err != nil {
		return err
	}
	st.site.SetInclude(logFile)
	config := st.store.Takes(st.site.Agent, "agent", true)
	st.trust = config.TrustFile()
	agent, err := config.Start(ctx)
	if err != nil {
		return err
	}
	err = st.until(ctx, `logseal.id:*`, func(found string) bool { return strings.Count(found, "\n") >= storeRecords })
	if err := errors.Join(err, agent.Stop(stopTimeout)); err != nil {
		return err
	}
	if err := st.until(ctx, "event_name:="+seal.EventName, func(found string) bool { return strings.Contains(found, `\nkind close\n`) }); err != nil {
		return err
	}
	return st.store.Merge(ctx)
}

// until waits for what a search finds.
func (st *stored) until(ctx context.Context, search string, enough func(found string) bool) error {
	return testbed.Until(ctx, func() (bool, error) {
		if err := st.store.Flush(ctx); err != nil {
			return false, err
		}
		found, err := st.store.Query(ctx, search)
		return enough(found), err
	})
}

// rows are the records as the store gives them back, without the seals, and the texts among them that it has written anew.
func (st *stored) rows(ctx context.Context) (list []storedRecord, rewritten map[string]string, err error) {
	answer, err := st.store.Query(ctx, `logseal.id:*`)
	if err != nil {
		return nil, nil, err
	}
	rewritten = map[string]string{}
	for line := range strings.Lines(answer) {
		var row storedRecord
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			return nil, nil, err
		}
		original, err := base64.StdEncoding.DecodeString(row.Original)
		if err != nil {
			return nil, nil, err
		}
		if !bytes.Contains(original, []byte(`"`+row.Text+`"`)) {
			rewritten[row.ID] = row.Text
		}
		list = append(list, row)
	}
	if len(list) < storeRecords {
		return nil, nil, fmt.Errorf("the store gives back %d of %d records", len(list), storeRecords)
	}
	slices.SortFunc(list, func(a, b storedRecord) int { // a search has no order
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return list, rewritten, nil
}

func example(rewritten map[string]string) string {
	for _, text := range rewritten {
		return fmt.Sprintf("such as %s for %s0", text, text)
	}
	return "it has not merged them yet"
}

// answer is what logseal verify says.
type answer struct {
	Verdict  finding.Verdict
	Verified int
	Findings []struct {
		Code    finding.Code
		ID      string
		Message string
	}
}

func (a *answer) describe() string {
	if len(a.Findings) == 0 {
		return "no finding"
	}
	f := a.Findings[0]
	return fmt.Sprintf("%s %s: %s", f.Code, f.ID, f.Message)
}

// verify fetches everything, as it comes, into a file, and lets logseal verify it.
func (st *stored) verify(ctx context.Context, name string) (*answer, error) {
	all, err := st.store.Query(ctx, "*")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(st.site.Dir, name)
	if err := os.WriteFile(path, []byte(all), 0o600); err != nil {
		return nil, err
	}
	out, err := command(ctx, "verify", "--trust", st.trust, "--from", "victorialogs", "--format", "json", path)
	if err != nil {
		return nil, err
	}
	var a answer
	return &a, json.Unmarshal([]byte(out), &a)
}

// prove makes the evidence of a record of what was fetched, and verifies it where nothing else is.
func (st *stored) prove(ctx context.Context, id string) (string, error) {
	evidence := filepath.Join(st.site.Dir, "evidence.json")
	args := []string{"--trust", st.trust, "--out", evidence, "--html", filepath.Join(st.site.Dir, "evidence.html")}
	if _, err := command(ctx, append([]string{"prove", id, "--from", "victorialogs", "--archive", filepath.Join(st.site.Dir, "day.json")}, args...)...); err != nil {
		return "", err
	}
	out, err := command(ctx, "verify", "--trust", st.trust, evidence)
	proof, _, _ := strings.Cut(out, "\n")
	if err == nil && !strings.HasPrefix(proof, "ok: record "+id) {
		err = fmt.Errorf("the evidence of %s does not verify: %s", id, out)
	}
	return proof, err
}

// attack edits two records in the store and deletes a third, and returns what logseal verify says of it. The first is edited as people see it, the second
// with its original.
func (st *stored) attack(ctx context.Context, rows []storedRecord) (string, error) {
	shown, original, deleted := rows[1], rows[len(rows)/2], rows[len(rows)-2]
	if err := st.edit(ctx, shown, false); err != nil {
		return "", err
	}
	if err := st.edit(ctx, original, true); err != nil {
		return "", err
	}
	if err := st.store.Delete(ctx, deleted.search()); err != nil {
		return "", err
	}
	found, err := st.verify(ctx, "attacked.json")
	if err != nil {
		return "", err
	}
	for _, want := range []struct {
		code finding.Code
		id   string
	}{{finding.Altered, shown.ID}, {finding.Altered, original.ID}, {finding.Missing, deleted.ID}} {
		if !found.has(want.code, want.id) {
			return "", fmt.Errorf("logseal verify does not say %s of %s: %s", want.code, want.id, found.describe())
		}
	}
	if found.Verdict != finding.Tampered {
		return "", fmt.Errorf("the verdict is %s", found.Verdict)
	}
	return fmt.Sprintf("a record was edited: ALTERED %s; one with its original: ALTERED %s; one deleted: MISSING %s", shown.ID, original.ID, deleted.ID), nil
}

func (a *answer) has(code finding.Code, id string) bool {
	for _, f := range a.Findings {
		if f.Code == code && f.ID == id {
			return true
		}
	}
	return false
}

// body is that of a record in its original.
var body = regexp.MustCompile(`"body":\{"stringValue":"[0-9.]+"`)

// edit replaces a record in the store by one with another text, and with that in its original too.
func (st *stored) edit(ctx context.Context, row storedRecord, original bool) error {
	line, err := st.store.Query(ctx, row.search())
	if err != nil {
		return err
	}
	var fields map[string]string
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		return err
	}
	const forged = "0.01"
	if original {
		text, err := base64.StdEncoding.DecodeString(row.Original)
		if err != nil {
			return err
		}
		text = body.ReplaceAll(text, []byte(`"body":{"stringValue":"`+forged+`"`))
		fields["logseal.original"] = base64.StdEncoding.EncodeToString(text)
	}
	fields["_msg"] = forged
	delete(fields, "_stream") // the store's own
	delete(fields, "_stream_id")
	edited, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	if err := st.store.Delete(ctx, row.search()); err != nil {
		return err
	}
	return st.store.Insert(ctx, string(edited), "host.name")
}

// command runs a command of this program, as a person would. That something is found is no error.
func command(ctx context.Context, args ...string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	var out, problem bytes.Buffer
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stdout, cmd.Stderr = &out, &problem
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && out.Len() > 0 {
		err = nil
	}
	if err != nil {
		return "", fmt.Errorf("logseal %s: %w: %s", strings.Join(args, " "), err, problem.String())
	}
	return out.String(), nil
}

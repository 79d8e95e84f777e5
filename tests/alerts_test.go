// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.yaml.in/yaml/v3"

	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/ocsf"
	"github.com/logseal/logseal/pkg/seal/watch"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

var metricName = regexp.MustCompile(`otelcol_[a-z0-9_]+`)

// TestAlertsRestOnMetricsThatExist: an alert, or a panel, on a name that nothing exports stays quiet for ever.
func TestAlertsRestOnMetricsThatExist(t *testing.T) {
	known := componentMetrics(t)
	for _, file := range []string{"logseal.rules.yaml", "dashboard.json"} {
		names := metricName.FindAllString(read(t, filepath.Join(root, "deploy", "alerts", file)), -1)
		require.NotEmpty(t, names)
		for _, name := range names {
			assert.True(t, known[name], "%s names %s, which no component has", file, name)
		}
	}
}

// TestEveryAlertIsComplete: severity, a summary, a section of the runbook that is there, and a unit test that sees it fire.
func TestEveryAlertIsComplete(t *testing.T) {
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	alerts := filepath.Join(root, "deploy", "alerts")
	require.NoError(t, yaml.Unmarshal([]byte(read(t, filepath.Join(alerts, "logseal.rules.yaml"))), &rules))
	var units struct {
		Tests []struct {
			Cases []struct {
				Alert    string `yaml:"alertname"`
				Expected []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, filepath.Join(alerts, "logseal.test.yaml"))), &units))
	fires := map[string]bool{}
	for _, test := range units.Tests {
		for _, c := range test.Cases {
			fires[c.Alert] = fires[c.Alert] || len(c.Expected) > 0
		}
	}
	runbook := read(t, filepath.Join(root, "docs", "runbook.md"))
	codes := map[string]string{}
	count := 0
	for _, group := range rules.Groups {
		for _, r := range group.Rules {
			count++
			assert.Contains(t, []string{"critical", "warning"}, r.Labels["severity"], r.Alert)
			assert.NotEmpty(t, r.Annotations["summary"], r.Alert)
			assert.Equal(t, ocsf.Runbook+"#"+strings.ToLower(r.Alert), r.Annotations["runbook_url"])
			assert.Contains(t, runbook, "\n### "+r.Alert+"\n")
			assert.True(t, fires[r.Alert], "no unit test sees %s fire", r.Alert)
			for _, m := range regexp.MustCompile(`code=~?"([A-Z_|]+)"`).FindAllStringSubmatch(r.Expr, -1) {
				for _, code := range strings.Split(m[1], "|") {
					assert.Empty(t, codes[code], "%s is in two alerts", code)
					codes[code] = r.Alert
				}
			}
		}
	}
	assert.Equal(t, strings.Count(runbook, "\n### Logseal"), count, "a section of the runbook is of no alert")
	for _, entry := range finding.Table() {
		if entry.Verdict == finding.Tampered && !slices.Contains(askedFor, entry.Code) {
			assert.NotEmpty(t, codes[string(entry.Code)], "no alert is on %s", entry.Code)
		}
		delete(codes, string(entry.Code))
	}
	assert.Empty(t, codes, "there are no such findings")
}

// askedFor are findings that "logseal verify" makes of an archive when it is asked to, and a gateway never.
var askedFor = []finding.Code{finding.NotPostQuantum, finding.NotPostQuantumYet}

func TestDashboardIsJSON(t *testing.T) {
	var dashboard struct {
		Title  string
		Panels []struct {
			Title   string
			Type    string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, filepath.Join(root, "deploy", "alerts", "dashboard.json"))), &dashboard))
	for _, p := range dashboard.Panels {
		assert.Equal(t, p.Type == "row", len(p.Targets) == 0, p.Title)
		for _, target := range p.Targets {
			assert.Regexp(t, metricName, target.Expr)
		}
	}
}

// sigmaRule is a rule of Sigma's format, as far as ours go: one selection of fields, each a value or a list of them.
type sigmaRule struct {
	Title, ID, Status, Description, Level string
	References, Tags, Falsepositives      []string
	Logsource                             map[string]string
	Detection                             struct {
		Selection map[string]any
		Condition string
	}
}

// matches reports whether the selection holds for a finding's body.
func (r *sigmaRule) matches(body map[string]any) bool {
	for path, want := range r.Detection.Selection {
		var value any = body
		for _, name := range strings.Split(path, ".") {
			m, _ := value.(map[string]any)
			value = m[name]
		}
		list, several := want.([]any)
		if !several {
			list = []any{want}
		}
		matched := false
		for _, w := range list {
			if n, number := w.(int); number {
				w = int64(n)
			}
			matched = matched || w == value
		}
		if !matched {
			return false
		}
	}
	return true
}

// TestSigmaRules matches the rules with real records of findings: each code that means something is in one rule, when it is opened
// and not when it is updated or resolved.
func TestSigmaRules(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(root, "deploy", "alerts", "sigma", "*.yml"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(paths), 6)
	ids := map[string]bool{}
	rules := map[string]*sigmaRule{}
	for _, path := range paths {
		r := new(sigmaRule)
		require.NoError(t, yaml.Unmarshal([]byte(read(t, path)), r), path)
		assert.NotEmpty(t, r.Title)
		assert.NotEmpty(t, r.Description)
		assert.NotEmpty(t, r.Falsepositives)
		assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, r.ID)
		assert.False(t, ids[r.ID])
		ids[r.ID] = true
		assert.Contains(t, []string{"low", "medium", "high", "critical"}, r.Level)
		assert.Equal(t, map[string]string{"product": "logseal", "service": "verify"}, r.Logsource)
		assert.Equal(t, "selection", r.Detection.Condition)
		for _, reference := range r.References {
			_, section, _ := strings.Cut(reference, "#")
			assert.Contains(t, read(t, filepath.Join(root, "docs", "runbook.md")), "\n### "+strings.ToUpper(section)+"\n", path)
		}
		rules[path] = r
	}
	// What an archive has and a running stream has not, and reports of a crash, on which nobody is to act.
	none := append([]finding.Code{finding.OpenEnd, finding.Truncated, finding.Before, finding.Doubt, finding.Voided, finding.Uncheckable, finding.NotExported}, askedFor...)
	for _, entry := range finding.Table() {
		for _, state := range []watch.State{watch.Opened, watch.Updated, watch.Resolved} {
			lr := plog.NewLogRecord()
			now := time.Now()
			ocsf.Render(lr, &watch.Event{UID: "u", State: state, Finding: finding.New(entry.Reasons[0].Reason), FirstSeen: now, Time: now}, "0.1.0")
			var matched []string
			for path, r := range rules {
				if r.matches(lr.Body().Map().AsRaw()) {
					matched = append(matched, path)
				}
			}
			want := 1
			for _, code := range none {
				if code == entry.Code {
					want = 0
				}
			}
			if state != watch.Opened {
				want = 0
			}
			assert.Len(t, matched, want, "%s %s", entry.Code, state)
		}
	}
}

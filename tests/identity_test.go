// SPDX-License-Identifier: Apache-2.0

package tests

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// secondAgent returns the site's agent as another host: with a certificate, a name, ports and a state of its own.
func secondAgent(t *testing.T, site *testbed.Site, name string) testbed.Collector {
	t.Helper()
	id, err := site.PKI.Issue(name)
	require.NoError(t, err)
	ports, err := testbed.FreePorts(2)
	require.NoError(t, err)
	c := site.Agent
	c.Name, c.HealthPort, c.MetricsPort = name, ports[0], ports[1]
	c.Env = maps.Clone(c.Env)
	c.Env["LOGSEAL_STATE_DIR"] = filepath.Join(site.Dir, "state", name)
	c.Env["LOGSEAL_CERT_FILE"], c.Env["LOGSEAL_KEY_FILE"] = id.CertFile, id.KeyFile
	c.Env["LOGSEAL_HOST_NAME"] = name
	logFile := filepath.Join(site.Dir, name+".log.txt")
	c.Env["LOGSEAL_INCLUDE"] = "['" + logFile + "']"
	return c
}

// origin is who a record is from, as the archive says.
type origin struct{ host, client string }

// origins counts the log records of an archive by origin, and tells whether seals have one too. What the gateway found, and sealed,
// came with no client's certificate.
func origins(t *testing.T, archive *testbed.Archive) (records map[origin]int, seals map[string]int) {
	t.Helper()
	records, seals = map[origin]int{}, map[string]int{}
	gateway, err := os.Hostname()
	require.NoError(t, err)
	whole := testbed.Archive{Path: archive.Path}
	_, err = whole.Read(func(rl plog.ResourceLogs, lr plog.LogRecord) {
		host, _ := rl.Resource().Attributes().Get("host.name")
		client, _ := rl.Resource().Attributes().Get("logseal.client.name")
		if host.Str() == gateway {
			return
		}
		if serial, ok := rl.Resource().Attributes().Get("logseal.client.serial"); !ok || len(serial.Str()) < 8 {
			assert.Fail(t, "no serial number")
		}
		if seal.IsSeal(lr) {
			seals[client.Str()]++
			return
		}
		records[origin{host.Str(), client.Str()}]++
	})
	require.NoError(t, err)
	return records, seals
}

// verifySite verifies the archive, which must be complete up to the time that records were written.
func verifySite(t *testing.T, site *testbed.Site, wrote time.Time, agents ...testbed.Collector) *verifier.Report {
	t.Helper()
	var trust []seal.Trust
	for _, agent := range agents {
		line, err := agent.Trust()
		require.NoError(t, err)
		trust = append(trust, line...)
	}
	findings, err := site.FindingsTrust()
	require.NoError(t, err)
	trust = append(trust, findings...)
	archive := testbed.Archive{Path: site.ArchivePath()}
	report, err := archive.AwaitSealed(deadline(t, seconds), trust, wrote)
	require.NoError(t, err)
	return report
}

// Two hosts, and one that speaks in the other's name: the record says whose certificate it came with, and what the gateway
// put there is no alteration.
func TestTheRecordSaysWhoseCertificateItCameWith(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.SetInclude()
	web3, web17 := secondAgent(t, site, "web-3"), secondAgent(t, site, "web-17")
	// web-3 lies in three places.
	web3.Env["LOGSEAL_HOST_NAME"] = "web-17"
	web3.Args = []string{"--config", "yaml:processors: {resource: {attributes: [{action: upsert, key: host.name, value: web-17}, " +
		"{action: upsert, key: logseal.client.name, value: web-17}, {action: upsert, key: logseal.client.serial, value: 0000000000}]}}"}
	start(t, site.SIEM)
	start(t, site.Gateway)
	start(t, web3)
	start(t, web17)
	archive := &testbed.Archive{Path: site.ArchivePath()}
	wrote := time.Now()
	for _, name := range []string{"web-3", "web-17"} {
		appendFile(t, filepath.Join(site.Dir, name+".log.txt"), lines(name+" line ", 0, 100))
	}
	want := map[origin]int{{"web-17", "web-3"}: 100, {"web-17", "web-17"}: 100}
	eventually(t, "records", func() bool {
		records, seals := origins(t, archive)
		return assert.ObjectsAreEqual(want, records) && seals["web-3"] > 0 && seals["web-17"] > 0
	})
	report := verifySite(t, site, wrote, web3, web17)
	assert.Zero(t, testbed.Unverified(report))
	assert.GreaterOrEqual(t, report.Verified, uint64(200))
}

// A gateway that requires the match takes nothing in another's name. The sender holds it, both sides say so, and other
// hosts are served on.
func TestRequiredMatchRefusesAnothersName(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.SetInclude()
	web3, web17 := secondAgent(t, site, "web-3"), secondAgent(t, site, "web-17")
	web3.Env["LOGSEAL_HOST_NAME"] = "web-17"
	site.Gateway.Env["LOGSEAL_REQUIRE_MATCH"] = "host.name"
	start(t, site.SIEM)
	gateway := start(t, site.Gateway)
	liar := start(t, web3)
	start(t, web17)
	archive := &testbed.Archive{Path: site.ArchivePath()}
	wrote := time.Now()
	for _, name := range []string{"web-3", "web-17"} {
		appendFile(t, filepath.Join(site.Dir, name+".log.txt"), lines(name+" line ", 0, 100))
	}
	eventually(t, "the honest host", func() bool {
		records, _ := origins(t, archive)
		return records[origin{"web-17", "web-17"}] == 100
	})
	awaitMetric(t, gateway, "otelcol_receiver_otlp_mismatched_records", 1)
	eventually(t, "nobody says so", func() bool {
		return site.Gateway.LogContains(`"client": "web-3"`) && site.Gateway.LogContains(`"claimed": "web-17"`) &&
			web3.LogContains("permission_denied") && web3.LogContains(`it is \"web-17\", and the certificate has [\"web-3\"`)
	})
	records, _ := origins(t, archive)
	assert.Equal(t, map[origin]int{{"web-17", "web-17"}: 100}, records)
	healthy, err := liar.Metric(deadline(t, seconds), "otelcol_exporter_siem_healthy")
	require.NoError(t, err)
	assert.Zero(t, healthy)
	letters, _ := filepath.Glob(filepath.Join(web3.Env["LOGSEAL_STATE_DIR"], "dead-letters", "*"))
	for _, letter := range letters {
		info, err := os.Stat(letter)
		require.NoError(t, err)
		assert.Zero(t, info.Size(), "held, and not buried")
	}

	// The certificate is put right, without a restart: what was held arrives.
	right, err := site.PKI.Issue("web-17")
	require.NoError(t, err)
	for from, to := range map[string]string{right.KeyFile: web3.Env["LOGSEAL_KEY_FILE"], right.CertFile: web3.Env["LOGSEAL_CERT_FILE"]} {
		require.NoError(t, os.Rename(from, to))
	}
	eventually(t, "what was held does not arrive", func() bool {
		records, _ := origins(t, archive)
		return records[origin{"web-17", "web-17"}] == 200
	})
	report := verifySite(t, site, wrote, web3, web17)
	assert.Zero(t, testbed.Unverified(report))
	hosts := slices.DeleteFunc(slices.Clone(report.Streams), func(st verifier.StreamReport) bool { return !strings.HasPrefix(st.Name, "web-") })
	assert.Equal(t, 2, len(hosts), fmt.Sprint(report.Streams))
}

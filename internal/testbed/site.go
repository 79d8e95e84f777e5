// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/logseal/logseal/distributions"
)

// Site is an agent, a gateway and a stand-in SIEM in one folder: keys, ports and the shipped configurations, ready to be
// started. The agent sends to the gateway, the gateway to the SIEM; each pins the key of the next and a backup.
type Site struct {
	Dir                  string
	PKI                  *PKI
	SIEM, Gateway, Agent Collector
	// Impostor takes the SIEM's place: its address, its name, a certificate of the same authority, another key.
	Impostor Collector

	backupPin string
}

// NewSite makes the folder's content. The agent reads no file until SetInclude.
func NewSite(dir, binary string) (*Site, error) {
	s := &Site{Dir: dir}
	for _, sub := range []string{"pki", "impostor"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, err
		}
	}
	var err error
	if s.PKI, err = NewPKI(filepath.Join(dir, "pki")); err != nil {
		return nil, err
	}
	ids := map[string]Identity{}
	// The backup's key would be kept away from the servers, for a rotation.
	for _, name := range []string{"siem", "gateway", "agent", "impostor", "backup"} {
		if ids[name], err = s.PKI.Issue(name); err != nil {
			return nil, err
		}
	}
	s.backupPin = ids["backup"].Pin
	ports, err := FreePorts(10)
	if err != nil {
		return nil, err
	}
	siemAddr, gatewayAddr := Loopback(ports[0]), Loopback(ports[1])

	role := func(name string, config []byte, ports []int) Collector {
		return Collector{
			Name: name, Binary: binary, Config: config, Dir: dir, HealthPort: ports[0], MetricsPort: ports[1],
			Env: map[string]string{
				"LOGSEAL_STATE_DIR":     filepath.Join(dir, "state", name),
				"LOGSEAL_FINDINGS_NAME": name + "/findings", // all are on one host, and would have its name
			},
		}
	}
	s.SIEM = role("siem", distributions.SIEM, ports[2:4])
	s.serve(&s.SIEM, ids["siem"], siemAddr)
	s.SIEM.Env["LOGSEAL_ARCHIVE"] = filepath.Join(dir, "archive.jsonl")

	s.Gateway = role("gateway", distributions.Gateway, ports[4:6])
	// Whoever asks whether the archive is complete up to now would wait a minute for the findings' next seal.
	s.Gateway.Env["LOGSEAL_HEARTBEAT"] = "1s"
	s.serve(&s.Gateway, ids["gateway"], gatewayAddr)
	s.send(&s.Gateway, ids["gateway"], siemAddr, ids["siem"].Pin)

	s.Agent = role("agent", distributions.Agent, ports[6:8])
	s.send(&s.Agent, ids["agent"], gatewayAddr, ids["gateway"].Pin)
	s.SetInclude()

	s.Impostor = role("impostor", distributions.SIEM, ports[8:10])
	s.serve(&s.Impostor, ids["impostor"], siemAddr)
	s.Impostor.Env["LOGSEAL_ARCHIVE"] = filepath.Join(dir, "impostor", "archive.jsonl")
	return s, nil
}

// ArchivePath is the SIEM's archive.
func (s *Site) ArchivePath() string { return s.SIEM.Env["LOGSEAL_ARCHIVE"] }

// SetInclude names the files that the agent reads.
func (s *Site) SetInclude(paths ...string) {
	quoted := make([]string, len(paths))
	for i, path := range paths {
		quoted[i] = "'" + strings.ReplaceAll(path, "'", "''") + "'"
	}
	s.Agent.Env["LOGSEAL_INCLUDE"] = "[" + strings.Join(quoted, ", ") + "]"
}

// AgentToSIEM leaves the gateway out.
func (s *Site) AgentToSIEM() {
	for _, name := range []string{"LOGSEAL_SIEM_ENDPOINT", "LOGSEAL_SIEM_PINS"} {
		s.Agent.Env[name] = s.Gateway.Env[name]
	}
}

func (s *Site) serve(c *Collector, id Identity, listen string) {
	c.Env["LOGSEAL_LISTEN"] = listen
	c.Env["LOGSEAL_SERVER_CERT_FILE"] = id.CertFile
	c.Env["LOGSEAL_SERVER_KEY_FILE"] = id.KeyFile
	c.Env["LOGSEAL_CLIENT_CA_FILE"] = s.PKI.CAFile()
}

func (s *Site) send(c *Collector, id Identity, endpoint, pin string) {
	c.Env["LOGSEAL_SIEM_ENDPOINT"] = endpoint
	c.Env["LOGSEAL_SIEM_PINS"] = fmt.Sprintf("[%s, %s]", pin, s.backupPin)
	c.Env["LOGSEAL_CA_FILE"] = s.PKI.CAFile()
	c.Env["LOGSEAL_CERT_FILE"] = id.CertFile
	c.Env["LOGSEAL_KEY_FILE"] = id.KeyFile
}

// environ is what the process gets: ours, but for the LOGSEAL_ variables of whoever runs us, and the collector's.
func (c Collector) environ() []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "LOGSEAL_") {
			env = append(env, entry)
		}
	}
	env = append(env, "LOGSEAL_HEALTH_ENDPOINT="+Loopback(c.HealthPort), "LOGSEAL_METRICS_PORT="+strconv.Itoa(c.MetricsPort))
	for name, value := range c.Env {
		env = append(env, name+"="+value)
	}
	return env
}

// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Store is a log store that runs, VictoriaLogs: behind TLS 1.3, with a certificate of the site's authority.
// https://docs.victoriametrics.com/victorialogs/
type Store struct {
	LogFile string

	url, pin string
	cmd      *exec.Cmd
	client   *http.Client
}

// StartStore starts the program in the site's folder and returns when it answers.
func (s *Site) StartStore(ctx context.Context, program string) (*Store, error) {
	id, err := s.PKI.Issue("store")
	if err != nil {
		return nil, err
	}
	roots, err := s.PKI.roots()
	if err != nil {
		return nil, err
	}
	ports, err := FreePorts(1)
	if err != nil {
		return nil, err
	}
	st := &Store{
		LogFile: filepath.Join(s.Dir, "store.log"), url: "https://" + Loopback(ports[0]), pin: id.Pin,
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}}},
	}
	log, err := os.Create(st.LogFile)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	st.cmd = exec.Command(program, "-storageDataPath="+filepath.Join(s.Dir, "store"), "-httpListenAddr="+Loopback(ports[0]),
		"-tls", "-tlsCertFile="+id.CertFile, "-tlsKeyFile="+id.KeyFile, "-tlsMinVersion=TLS13",
		"-retentionPeriod=100y", "-futureRetention=100y", "-delete.enable")
	st.cmd.Stdout, st.cmd.Stderr = log, log
	st.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL} // as a collector
	if err := st.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	starting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := Until(starting, func() (bool, error) {
		_, err := st.post(starting, "/health")
		return err == nil, nil
	}); err != nil {
		st.Close()
		return nil, fmt.Errorf("%s did not start: %w\nthe end of %s:\n%s", program, err, st.LogFile, tail(st.LogFile, 2000))
	}
	return st, nil
}

// Close ends the process.
func (st *Store) Close() {
	_ = st.cmd.Process.Kill()
	_ = st.cmd.Wait()
	st.client.CloseIdleConnections()
}

// Takes makes an agent send to the store, over OTLP/HTTP with its pin beside the agent's backup, and keep a state of its own. With carry its stamp
// puts each record's original beside it.
func (st *Store) Takes(agent Collector, name string, carry bool) Collector {
	agent.Name, agent.Env = name, maps.Clone(agent.Env)
	agent.Env["LOGSEAL_STATE_DIR"] = filepath.Join(agent.Dir, "state", name)
	agent.Env["LOGSEAL_STREAM_NAME"], agent.Env["LOGSEAL_HOST_NAME"] = name, name
	agent.Env["LOGSEAL_SIEM_ENDPOINT"] = st.url + "/insert/opentelemetry"
	_, backup, _ := strings.Cut(agent.Env["LOGSEAL_SIEM_PINS"], ",")
	agent.Env["LOGSEAL_SIEM_PINS"] = "[" + st.pin + "," + backup
	agent.Args = []string{"--config", fmt.Sprintf("yaml:{processors: {stamp: {carry: %t}}, exporters: {siem: {protocol: otlp_http}}}", carry)}
	return agent
}

// Query is what a search gives back, as it comes: a record a line.
func (st *Store) Query(ctx context.Context, search string) (string, error) {
	return st.postForm(ctx, "/select/logsql/query", url.Values{"query": {search}})
}

// Flush makes what was taken visible to searches.
func (st *Store) Flush(ctx context.Context) error { return st.force(ctx, "flush") }

// Merge brings what there is into one part: only then the store rewrites decimals.
func (st *Store) Merge(ctx context.Context) error { return st.force(ctx, "merge") }

func (st *Store) force(ctx context.Context, what string) error {
	_, err := st.post(ctx, "/internal/force_"+what)
	return err
}

// Insert puts a record into the store that no agent has sent: a line as [Store.Query] returns it. The stream field is the name of one of its fields.
func (st *Store) Insert(ctx context.Context, line, streamField string) error {
	_, err := st.send(ctx, "/insert/jsonline?_time_field=_time&_msg_field=_msg&_stream_fields="+url.QueryEscape(streamField), "application/stream+json", strings.NewReader(line))
	return errors.Join(err, st.Flush(ctx))
}

// Delete deletes what a filter finds, and returns when none of it is found any more.
func (st *Store) Delete(ctx context.Context, filter string) error {
	if _, err := st.postForm(ctx, "/delete/run_task", url.Values{"filter": {filter}}); err != nil {
		return err
	}
	return Until(ctx, func() (bool, error) {
		left, err := st.Query(ctx, filter)
		return left == "", err
	})
}

func (st *Store) postForm(ctx context.Context, path string, form url.Values) (string, error) {
	return st.send(ctx, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

func (st *Store) post(ctx context.Context, path string) (string, error) {
	return st.send(ctx, path, "application/octet-stream", http.NoBody)
}

func (st *Store) send(ctx context.Context, path, contentType string, body io.Reader) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, st.url+path, body)
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := st.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, answer)
	}
	return string(answer), err
}

// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/ocsf"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// Alarm is a record of a finding, as a gateway or SIEM of the shipped configuration writes it beside its state.
type Alarm struct {
	Code    finding.Code
	State   watch.State
	Stream  string
	UID     string
	Message string
	IDs     []string // the first of each evidence
	Client  string   // whose certificate the last of it came with
	At      time.Time
}

// Alarms follows the findings of a process.
type Alarms struct {
	archive Archive
	List    []Alarm // in the order in which they were written
}

// Alarms of a gateway or SIEM of the shipped configuration. The file need not be there yet.
func (c Collector) Alarms() *Alarms {
	return &Alarms{archive: Archive{Path: filepath.Join(c.Env["LOGSEAL_STATE_DIR"], "findings.jsonl")}}
}

// Read adds what was written since the last call.
func (a *Alarms) Read() error {
	_, err := a.archive.Read(func(_ plog.ResourceLogs, lr plog.LogRecord) {
		if lr.EventName() != ocsf.EventName {
			return // a seal of these records
		}
		body := lr.Body().Map()
		text := func(m pcommon.Map, key string) string {
			v, found := m.Get(key)
			if !found {
				return ""
			}
			return v.AsString()
		}
		alarm := Alarm{
			Code: finding.Code(text(lr.Attributes(), ocsf.AttributeCode)), State: watch.State(text(lr.Attributes(), ocsf.AttributeState)),
			Stream: text(lr.Attributes(), ocsf.AttributeStreamName), Message: text(body, "message"), At: lr.Timestamp().AsTime(),
		}
		if info, found := body.Get("finding_info"); found {
			alarm.UID = text(info.Map(), "uid")
		}
		if evidences, found := body.Get("evidences"); found {
			for _, e := range evidences.Slice().All() {
				if data, found := e.Map().Get("data"); found {
					if id := text(data.Map(), "record_id"); id != "" {
						alarm.IDs = append(alarm.IDs, id)
					}
					if client := text(data.Map(), "client_certificate"); client != "" {
						alarm.Client = client
					}
				}
			}
		}
		a.List = append(a.List, alarm)
	})
	return err
}

// Find returns the first of the alarms of a code in a state.
func (a *Alarms) Find(code finding.Code, state watch.State) (Alarm, bool) {
	for _, alarm := range a.List {
		if alarm.Code == code && alarm.State == state {
			return alarm, true
		}
	}
	return Alarm{}, false
}

// Trust returns the trust lines of all that seal in the site: the agent's, and those of the findings of gateway and SIEM, which an archive
// need not hold.
func (s *Site) Trust() ([]seal.Trust, error) {
	list, err := s.Agent.Trust()
	if err != nil {
		return nil, err
	}
	findings, err := s.FindingsTrust()
	return append(list, findings...), err
}

// FindingsTrust returns the trust lines of the findings of gateway and SIEM.
func (s *Site) FindingsTrust() (list []seal.Trust, err error) {
	for _, c := range []Collector{s.Gateway, s.SIEM} {
		own, err := readTrust(filepath.Join(c.Env["LOGSEAL_STATE_DIR"], "findings.trust"))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, t := range own {
			t.Optional = true
			list = append(list, t)
		}
	}
	return list, nil
}

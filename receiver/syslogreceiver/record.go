// SPDX-License-Identifier: Apache-2.0

package syslogreceiver

import "github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/entry"

var severities = [8]struct {
	number entry.Severity
	text   string
}{
	{entry.Fatal, "emerg"},
	{entry.Error3, "alert"},
	{entry.Error2, "crit"},
	{entry.Error, "err"},
	{entry.Warn, "warning"},
	{entry.Info2, "notice"},
	{entry.Info, "info"},
	{entry.Debug, "debug"},
}

var facilities = [24]string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "security", "console", "solaris-cron",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

// apply writes the header to a record, with the stock receiver's names. Its text is not written: it is in the body.
func (h *header) apply(e *entry.Entry) {
	if h.priority >= 0 {
		severity, facility := severities[h.priority%8], h.priority/8
		e.Severity, e.SeverityText = severity.number, severity.text
		e.Attributes["priority"] = h.priority
		e.Attributes["facility"] = facility
		e.Attributes["facility_text"] = facilities[facility]
	}
	if !h.time.IsZero() {
		e.Timestamp = h.time
	}
	for name, value := range map[string]string{"hostname": h.hostname, "appname": h.appname, "proc_id": h.procID, "msg_id": h.msgID} {
		if value != "" {
			e.Attributes[name] = value
		}
	}
	if h.version > 0 {
		e.Attributes["version"] = h.version
	}
	if h.structuredData != nil {
		e.Attributes["structured_data"] = h.structuredData
	}
}

// SPDX-License-Identifier: Apache-2.0

// Package ocsf writes what package watch finds on a running stream as a log record whose body is a Detection Finding of the Open Cybersecurity
// Schema Framework, class 2004 of version 1.7.0 (https://schema.ocsf.io/1.7.0/classes/detection_finding), so that a SIEM acts on
// it without a parser of its own.
//
//	for _, event := range watcher.Observe(logs, peer, now) {
//		ocsf.Render(scope.LogRecords().AppendEmpty(), &event, version)
//	}
//
// Nothing that a record says is in it but a valid host name: names of streams and clients, ids, numbers, and sentences of the
// table in package finding.
package ocsf

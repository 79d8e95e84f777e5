// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package configreloadextension keeps a collector running when somebody asks it, with SIGHUP, to take a configuration that
// cannot work.
//
// otelcol stops the old configuration before it looks at the new one, and a process that cannot start that one ends. So
// [Run], which stands in the generated main program in the place of otelcol's own command, takes the signal itself: it has
// the configuration on disk checked by a child process, certificates included, and only then has otelcol reload. When a
// reload fails all the same, on a port that is taken for example, it starts the configuration again that ran before.
//
// The extension, type config_reload, tells of a configuration that was refused: as its status and as a metric.
package configreloadextension

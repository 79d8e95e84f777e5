// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/logseal/logseal/internal/testbed"
)

// The syslog daemons get what loses nothing: a buffer on disk, flow control back to the file, retries for ever, mutual
// TLS. There is no fsync. Batches and queues are of the size at which they were cheapest here.

const rsyslogConfig = `
global(workDirectory="@DIR@" defaultNetstreamDriverCAFile="@PKI@/ca.crt"
  defaultNetstreamDriverCertFile="@PKI@/agent.crt" defaultNetstreamDriverKeyFile="@PKI@/agent.key")
module(load="imfile" mode="inotify")
input(type="imfile" file="@INPUT@" tag="access" ruleset="forward")
ruleset(name="forward" queue.type="LinkedList" queue.size="10000" queue.dequeueBatchSize="1024"
  queue.filename="forward" queue.maxDiskSpace="1g" queue.saveOnShutdown="on") {
  action(type="omfwd" target="127.0.0.1" port="@PORT@" protocol="tcp" template="RSYSLOG_SyslogProtocol23Format"
    streamDriver="ossl" streamDriverMode="1" streamDriverAuthMode="x509/name" streamDriverPermittedPeers="localhost"
    action.resumeRetryCount="-1")
}
`

const (
	syslogNGSource = `@version: 3.35
options { stats-freq(0); use-dns(no); dns-cache(no); };
source access { file("@INPUT@" flags(no-parse) log-fetch-limit(1000) log-iw-size(10000)); };
`
	syslogNGForward = syslogNGSource + `
destination siem { network("127.0.0.1" port(@PORT@) transport("tls")
  tls(ca-file("@PKI@/ca.crt") cert-file("@PKI@/agent.crt") key-file("@PKI@/agent.key") peer-verify(required-trusted))
  disk-buffer(reliable(yes) disk-buf-size(1073741824) dir("@DIR@"))); };
log { source(access); destination(siem); flags(flow-control); };
`
	syslogNGSeal = syslogNGSource + `
destination sealed { file("@DIR@/sealed.log"
  template("$(slog --key-file @DIR@/host.key --mac-file @DIR@/mac.dat $MSG)\n")); };
log { source(access); destination(sealed); flags(flow-control); };
`
)

func rsyslogAbsent(options) string {
	drivers, _ := filepath.Glob("/usr/lib*/*/rsyslog/lmnsd_ossl.so")
	if _, err := exec.LookPath(rsyslogd); err != nil || len(drivers) == 0 {
		return "apt-get install rsyslog rsyslog-openssl"
	}
	return ""
}

const rsyslogd = "/usr/sbin/rsyslogd"

func prepareRsyslog(_ options, site *testbed.Site, input string) (command, sink, error) {
	return rsyslog(site, input, rsyslogConfig)
}

// prepareRsyslogDisk has each message on disk, as the collector has it.
func prepareRsyslogDisk(_ options, site *testbed.Site, input string) (command, sink, error) {
	return rsyslog(site, input, strings.ReplaceAll(rsyslogConfig, `queue.type="LinkedList"`, `queue.type="Disk"`))
}

func rsyslog(site *testbed.Site, input, config string) (command, sink, error) {
	sink, err := newLineSink(pki(site))
	if err != nil {
		return command{}, nil, err
	}
	path, err := writeConfig(site, config, input, sink.Addr())
	if err != nil {
		return command{}, nil, errors.Join(err, sink.Close())
	}
	return command{dir: site.Dir, path: rsyslogd, args: []string{"-n", "-f", path, "-i", filepath.Join(site.Dir, "peer.pid")}}, sink, nil
}

func syslogNGAbsent(o options) string {
	for _, name := range []string{"usr/sbin/syslog-ng", "usr/bin/slogkey"} {
		if _, err := os.Stat(filepath.Join(o.syslogNG, name)); err != nil {
			return `Debian has either rsyslog or syslog-ng, so unpack it, and say -syslog-ng DIR:
    mkdir DIR && cd DIR && apt-get download syslog-ng-core syslog-ng-mod-slog libivykis0 libnet1 libpcre3 libwrap0 && for p in *.deb; do dpkg -x "$p" .; done`
		}
	}
	return ""
}

func prepareSyslogNG(o options, site *testbed.Site, input string) (command, sink, error) {
	sink, err := newLineSink(pki(site))
	if err != nil {
		return command{}, nil, err
	}
	config, err := writeConfig(site, syslogNGForward, input, sink.Addr())
	if err != nil {
		return command{}, nil, errors.Join(err, sink.Close())
	}
	return syslogNG(o, site, config), sink, nil
}

func prepareSlog(o options, site *testbed.Site, input string) (command, sink, error) {
	config, err := writeConfig(site, syslogNGSeal, input, nil)
	if err != nil {
		return command{}, nil, err
	}
	for _, args := range [][]string{{"--master-key", "master.key"}, {"--derive-host-key", "master.key", "00:00:5e:00:53:01", "1", "host.key"}} {
		slogkey := exec.Command(filepath.Join(o.syslogNG, "usr/bin/slogkey"), args...)
		slogkey.Dir, slogkey.Env = site.Dir, append(os.Environ(), libraries(o.syslogNG)...)
		if out, err := slogkey.CombinedOutput(); err != nil {
			return command{}, nil, fmt.Errorf("slogkey: %w: %s", err, out)
		}
	}
	return syslogNG(o, site, config), &fileSink{path: filepath.Join(site.Dir, "sealed.log")}, nil
}

func syslogNG(o options, site *testbed.Site, config string) command {
	in := func(name string) string { return filepath.Join(site.Dir, name) }
	c := command{
		dir: site.Dir, path: filepath.Join(o.syslogNG, "usr/sbin/syslog-ng"), env: libraries(o.syslogNG),
		args: []string{"-F", "--no-caps", "-f", config, "-R", in("peer.persist"), "-p", in("peer.pid"), "-c", in("peer.ctl")},
	}
	if modules, _ := filepath.Glob(filepath.Join(o.syslogNG, "usr/lib/syslog-ng/[0-9]*")); o.syslogNG != "/" && len(modules) > 0 {
		c.args = append(c.args, "--module-path", modules[0])
	}
	return c
}

// libraries has the loader find what was unpacked under root.
func libraries(root string) []string {
	if root == "/" {
		return nil
	}
	dirs := []string{filepath.Join(root, "usr/lib/syslog-ng")}
	for _, pattern := range []string{"lib/*-linux-gnu", "usr/lib/*-linux-gnu"} {
		found, _ := filepath.Glob(filepath.Join(root, pattern))
		dirs = append(dirs, found...)
	}
	return []string{"LD_LIBRARY_PATH=" + strings.Join(dirs, ":")}
}

// writeConfig fills in a configuration and returns its path. addr is the sink's, nil if it has none.
func writeConfig(site *testbed.Site, config, input string, addr net.Addr) (string, error) {
	port := 0
	if tcp, ok := addr.(*net.TCPAddr); ok {
		port = tcp.Port
	}
	path := filepath.Join(site.Dir, "peer.conf")
	config = strings.NewReplacer("@DIR@", site.Dir, "@PKI@", pki(site), "@INPUT@", input, "@PORT@", strconv.Itoa(port)).Replace(config)
	return path, os.WriteFile(path, []byte(config), 0o600)
}

func pki(site *testbed.Site) string { return filepath.Join(site.Dir, "pki") }

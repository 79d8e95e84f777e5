#!/bin/sh
# Debian: configure [OLD-VERSION]; RPM: 1 at an installation, 2 at an upgrade.
set -e
if command -v systemd-sysusers >/dev/null 2>&1; then
  systemd-sysusers logseal.conf
else
  getent passwd logseal >/dev/null || useradd --system --home-dir /var/lib/logseal --shell /usr/sbin/nologin logseal
fi
# Without /proc, as where an image is built, systemd-tmpfiles does nothing.
if ! systemd-tmpfiles --create logseal.conf 2>/dev/null; then
  install -d -m 0750 -o logseal -g logseal /var/lib/logseal
  install -d -m 0750 -o root -g logseal /etc/logseal/tls
  chown root:logseal /etc/logseal/agent.env /etc/logseal/gateway.env
fi
# Nothing is started at an installation: it has no endpoint, pins and certificates yet. What runs is restarted with the new binary.
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart logseal-agent.service logseal-gateway.service || true
fi
exit 0

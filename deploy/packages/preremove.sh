#!/bin/sh
# Debian: remove | upgrade VERSION; RPM: 0 at a removal, 1 at an upgrade.
set -e
case "${1:-}" in
  remove | 0)
    if [ -d /run/systemd/system ]; then
      systemctl disable --now logseal-agent.service logseal-gateway.service >/dev/null 2>&1 || true
    fi
    ;;
esac
exit 0

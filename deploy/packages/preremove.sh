#!/bin/sh
# Debian: remove | upgrade VERSION; RPM: 0 at a removal, 1 at an upgrade.
set -e
case "${1:-}" in
  remove | 0)
    # Without systemd running, as in an image that is being built, there is nothing to stop; what was enabled is a link in /etc all the same.
    if [ -d /run/systemd/system ]; then
      systemctl stop logseal-agent.service logseal-gateway.service >/dev/null 2>&1 || true
    fi
    if command -v systemctl >/dev/null 2>&1; then
      systemctl disable logseal-agent.service logseal-gateway.service >/dev/null 2>&1 || true
    fi
    ;;
esac
exit 0

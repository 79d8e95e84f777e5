#!/bin/sh
# Debian: remove | purge | upgrade …; RPM: 0 at a removal, 1 at an upgrade.
set -e
case "${1:-}" in
  purge)
    # The keys of sealed streams, and what was never delivered, go with it: who purges asked for that.
    rm -rf /var/lib/logseal /etc/logseal
    if getent passwd logseal >/dev/null 2>&1; then userdel logseal >/dev/null 2>&1 || deluser --quiet logseal >/dev/null 2>&1 || true; fi
    ;;
esac
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
exit 0

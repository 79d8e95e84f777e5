#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Believed: `journalctl --after-cursor=X` prints what comes after entry X. If X is gone, because the journal was vacuumed or rotated away while a log
# shipper was stopped, it begins with the oldest entry behind it, since a cursor that is not found stands for the closest place.
#
# True: it begins with the second one. The entry is skipped unseen that stands where X would be, whether it is X or not. One
# entry is lost at each such start, and nothing tells. --cursor=X prints it; a reader that wants to lose nothing asks with --cursor and
# leaves out X itself, if that comes first. The same happens to the first match where a filter (-u, -p) leaves X out.
#
# Since: as long as the option exists; mended in systemd after 255 (pull request 30336 there, December 2023, which is about the filter). Debian 12
# has 252, and so have the images that take journalctl from it.
#
# Source: src/journal/journalctl.c of systemd 252 (sd_journal_next_skip by 1 + after_cursor), seen with Debian's 252.39.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
version=252.39-1~deb12u2
echo "fetching systemd $version" >&2
(cd "$dir" && apt-get download -qq "systemd=$version" "systemd-journal-remote=$version" "libsystemd-shared=$version" "libsystemd0=$version" &&
  for package in *.deb; do dpkg -x "$package" .; done) >&2
export LD_LIBRARY_PATH="$dir/usr/lib/x86_64-linux-gnu/systemd:$dir/lib/systemd:$dir/usr/lib/systemd:$dir/usr/lib/x86_64-linux-gnu:$dir/lib/x86_64-linux-gnu"
journalctl=$dir/bin/journalctl
[ -x "$journalctl" ] || journalctl=$dir/usr/bin/journalctl
remote=$(find "$dir" -name systemd-journal-remote -type f -perm -u+x | head -1)
mkdir "$dir/journal"

entries() { # FIRST LAST
  for n in $(seq "$1" "$2"); do
    printf '__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%032d\nMESSAGE=entry %d\n\n' $((1764000000000000 + n * 1000000)) $((n * 1000000)) 1 "$n"
  done | "$remote" -o "$dir/journal/system.journal" - >/dev/null 2>&1
}
show() { "$journalctl" --directory="$dir/journal" --no-pager --output=cat "$@"; }

entries 1 2
cursor=$(show --output=export | sed -n 's/^__CURSOR=//p' | tail -1) # of entry 2
sequence=${cursor#s=}; sequence=${sequence%%;*}
mv "$dir/journal/system.journal" "$dir/journal/system@$sequence-0000000000000001-$(printf %016x 1764000001000000).journal" # as a rotation names it
entries 3 5

"$journalctl" --version | head -1
echo "--after-cursor=ENTRY2:";                show --after-cursor="$cursor" | tee "$dir/there"
show --vacuum-files=1 2>/dev/null
echo "the same after a vacuum of entry 1, 2:"; show --after-cursor="$cursor" | tee "$dir/gone"
echo "--cursor=ENTRY2 then:";                 show --cursor="$cursor" | tee "$dir/cursor"

all=$'entry 3\nentry 4\nentry 5'
[ "$(cat "$dir/there")" = "$all" ] && [ "$(cat "$dir/cursor")" = "$all" ] && [ "$(cat "$dir/gone")" = $'entry 4\nentry 5' ] ||
  { echo "it behaves otherwise now"; exit 1; }
echo "as described: entry 3, which nobody has read, is skipped"

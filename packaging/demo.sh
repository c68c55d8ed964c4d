#!/bin/sh
# demo.sh BIN: opens the demo; without a display draws the same window into demo.png and prints its scores.
set -eu
bin=$1
here=$(dirname "$0")

has_display() {
    [ "$(uname -s)" = Darwin ] && return 0
    [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || return 1
    "$here/system_packages.sh" x11
    "$bin/python" -c 'from PyQt6.QtGui import QGuiApplication; QGuiApplication([])' >/dev/null 2>&1
}

if has_display; then
    exec "$bin/mtm-viewer" --demo
fi
"$bin/mtm-viewer" --demo --offscreen --screenshot demo.png

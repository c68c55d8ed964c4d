#!/bin/sh
# check_gui.sh BIN: clicks through a real window on a virtual X server; screenshots land in build/gui.
# TRIES=2 gives each script a second try, where the machine may be busy with other work.
set -eu
tries=${TRIES:-1}
bin=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
PYTHONPATH=$PWD
export PYTHONPATH
"$here/system_packages.sh" gui-check

for tool in Xvfb openbox xdotool; do
    command -v "$tool" >/dev/null || { echo "make check-gui needs $tool."; exit 1; }
done

mkdir -p build/gui
unset WAYLAND_DISPLAY
QT_QPA_PLATFORM=xcb
export QT_QPA_PLATFORM
number=$(mktemp)
Xvfb -displayfd 3 -screen 0 1680x1080x24 -nolisten tcp 3>"$number" 2>build/gui/xvfb.log &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$number"' EXIT INT TERM
waited=0
until [ -s "$number" ]; do
    sleep 0.2
    waited=$((waited + 1))
    [ "$waited" -lt 50 ] || { echo "The virtual X server did not start: see build/gui/xvfb.log"; exit 1; }
done
DISPLAY=:$(cat "$number")
export DISPLAY
openbox >build/gui/openbox.log 2>&1 &

click() {
    tried=1
    until timeout 600 "$bin/python" -X faulthandler "$@"; do
        code=$?
        [ "$tried" -lt "$tries" ] || { echo "$1 ended with $code."; exit 1; }
        echo "$1 ended with $code: once more."
        tried=$((tried + 1))
    done
}

click tests/gui/click_through.py build/gui
for part in sessions matrix compare population training; do
    click "tests/gui/click_$part.py" "build/gui/$part"
done

# Scale 2 of 2560 x 1440 needs a larger screen than the clicks above.
large=$(mktemp)
Xvfb -displayfd 3 -screen 0 5200x2960x24 -nolisten tcp 3>"$large" 2>build/gui/xvfb-large.log &
large_server=$!
trap 'kill "$server" "$large_server" 2>/dev/null || true; rm -f "$number" "$large"' EXIT INT TERM
waited=0
until [ -s "$large" ]; do
    sleep 0.2
    waited=$((waited + 1))
    [ "$waited" -lt 50 ] || { echo "The large X server did not start: see build/gui/xvfb-large.log"; exit 1; }
done
DISPLAY=:$(cat "$large")
export DISPLAY
openbox >build/gui/openbox-large.log 2>&1 &
for scale in 1 1.5 2; do
    QT_SCALE_FACTOR=$scale
    export QT_SCALE_FACTOR
    click tests/gui/look_over.py "build/gui/scale-$scale"
done

#!/bin/sh
# make_bundle.sh BIN: builds the one-folder program of this system in dist/mtm-viewer (PyInstaller).
set -eu
bin=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
cd "$root"
PYTHONPATH=$root
export PYTHONPATH

case "$(uname -s)" in
Darwin) spec=macos ;;
MINGW* | MSYS* | CYGWIN*) spec=windows ;;
*) spec=linux ;;
esac

"$bin/python" -c 'import torch, sys; sys.exit(torch.version.cuda is not None)' ||
    echo "This PyTorch carries CUDA: the folder will take several gigabytes."
"$bin/python" packaging/bundle/make_icon.py build/icon.png
"$bin/python" -m PyInstaller --noconfirm --log-level WARN --workpath build/bundle --distpath dist \
    "packaging/bundle/$spec.spec"
if [ "$spec" = linux ]; then
    cp packaging/bundle/mtm-viewer.desktop packaging/bundle/mtm-viewer.svg packaging/bundle/mtm-core dist/mtm-viewer/
fi
du -sh dist/mtm-viewer

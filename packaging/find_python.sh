#!/bin/sh
# Prints the first interpreter that is Python 3.11 or newer; nothing where there is none.
for name in python3.12 python3.11 python3.13 python3 python; do
    if command -v "$name" >/dev/null 2>&1 &&
        "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        command -v "$name"
        exit 0
    fi
done

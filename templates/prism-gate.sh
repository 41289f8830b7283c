#!/bin/sh
# The gate of continuous integration: judges the target on Linux, fails unless every clause that it claims is shown to be kept.
# Needs Node 20, iproute2, util-linux, curl, wget, python3, and the right to make network namespaces (root, or user namespaces).
set -eu
cd "$(dirname "$0")"
exec npx --yes prism-conformance test --world linux --target prism-target.jsonc --strict --out prism-report "$@"

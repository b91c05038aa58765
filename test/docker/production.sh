#!/bin/sh
# For the Dockerfile: lays in /production what the program PACKAGE needs to run, and nothing else.
set -eu
package=$1

npm ci --omit=dev --ignore-scripts --no-audit --workspace "packages/$package"
mkdir -p /production/packages
cp -a package.json node_modules /production
# npm links those of our packages that this one needs.
for link in node_modules/@awl/*; do
  name=$(basename "$link")
  mkdir "/production/packages/$name"
  for part in package.json bin dist; do
    if [ -e "packages/$name/$part" ]; then cp -a "packages/$name/$part" "/production/packages/$name"; fi
  done
done

cd /production
# What only editors, debuggers and their authors' tests read.
find . -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' -o -name '*.md' -o -name .tsbuildinfo \) -exec rm {} +
find node_modules -type d \( -name test -o -name docs -o -name benchmarks -o -name examples \) -prune -exec rm -r {} +
rm -rf node_modules/zod/src node_modules/.package-lock.json

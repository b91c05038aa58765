#!/bin/sh
# For the Dockerfile: lays in /production what package NAME needs to run, as the lock file has it, and nothing else.
set -eu

mkdir -p /production
cp package.json /production
npm ls --all --parseable --omit=dev --workspace "packages/$1" | while read -r path; do
  module=${path#"$PWD"}
  if [ -z "$module" ]; then continue; fi
  cp -a --parents ".$module" /production
  # npm links our own packages.
  if [ ! -L "$path" ]; then continue; fi
  for part in package.json bin dist; do
    own="packages/${module##*/}/$part"
    if [ -e "$own" ]; then cp -a --parents "$own" /production; fi
  done
done

cd /production
# What only editors, debuggers and their authors' tests read.
find . -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' -o -name '*.md' -o -name .tsbuildinfo \) -exec rm {} +
find node_modules -type d \( -name test -o -name docs -o -name benchmarks -o -name examples \) -prune -exec rm -r {} +
rm -rf node_modules/zod/src

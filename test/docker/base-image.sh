#!/usr/bin/env bash
# Makes sure that the engine has the image that the Dockerfile starts FROM.
#
# Where it can be pulled, that is all. Where no registry can be reached, a stand-in of the same name is made from Debian's packages and
# npm's, by means of apt's and npm's own settings on this machine: a shell, node, npm, what the routers need, and a cache with all
# that the lock file names, so that the Dockerfile's `npm ci` runs as it stands. It is for tests, not for publishing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

image=$(sed -n 's/^FROM \(node:[^ ]*\).*/\1/p' "$here/Dockerfile" | head -n 1)
if docker image inspect "$image" >/dev/null 2>&1; then exit 0; fi
if timeout 300 docker pull -q "$image" 2>/dev/null; then exit 0; fi

for tool in mmdebstrap npm; do
  if ! command -v "$tool" >/dev/null; then
    echo "base-image: $image cannot be pulled, and making a stand-in takes $tool" >&2
    exit 1
  fi
done

work=$(mktemp -d "${TMPDIR:-/tmp}/awl-base.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "base-image: making $image, which cannot be pulled" >&2

# Unpacked only: nothing in here needs what packages do when they are set up.
debian() {
  mmdebstrap --quiet --variant=extract --include=base-files,ca-certificates,coreutils,dash,findutils,grep,iproute2,libc-bin,libstdc++6,nftables,sed \
    bookworm "$work/rootfs" 2>"$work/mmdebstrap.log" || { cat "$work/mmdebstrap.log" >&2; return 1; }
}

# The node of the image's name, and an npm of node's own age.
node() {
  local platform major
  platform="linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')"
  major=${image#node:}
  cd "$work"
  npm pack --silent "node-$platform@${major%%-*}" "npm@$(npm --version)" >packed
  mkdir node npm
  tar -xzf "$(sed -n 1p packed)" -C node --strip-components=1
  tar -xzf "$(sed -n 2p packed)" -C npm --strip-components=1
}

cache() {
  mkdir "$work/install"
  cd "$root"
  cp --parents package.json package-lock.json .npmrc packages/*/package.json "$work/install"
  cd "$work/install"
  npm ci --silent --ignore-scripts --no-audit --cache "$work/cache"
}

debian & debian=$!
node
cache
wait "$debian"

local="$work/rootfs/usr/local"
mkdir -p "$local/bin" "$local/lib/node_modules" "$local/etc" "$work/rootfs/home/node" "$work/rootfs/tmp"
mv "$work/node/bin/node" "$local/bin"
mv "$work/npm" "$local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$local/bin/npx"
mv "$work/cache" "$local/npm-cache"
# A cache answers for the registry that it was filled from.
printf 'cache=/usr/local/npm-cache\noffline=true\nregistry=%s\n' "$(npm config get registry)" >"$local/etc/npmrc"
printf 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n' >"$work/rootfs/etc/passwd"
printf 'root:x:0:\nnode:x:1000:\n' >"$work/rootfs/etc/group"
chown 1000:1000 "$work/rootfs/home/node"
chmod 1777 "$work/rootfs/tmp"
rm -rf "$work"/rootfs/usr/share/{doc,man,locale,info}

tar -C "$work/rootfs" -c . | docker import --change 'CMD ["node"]' - "$image" >/dev/null

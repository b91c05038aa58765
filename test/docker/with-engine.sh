#!/usr/bin/env bash
# Runs a command with a container engine at hand:
#
#   test/docker/with-engine.sh npm run test:docker
#
# An engine that answers is used as it is. Where there is none, root gets one of its own for as long as the command runs: dockerd in
# a network, mount and pid namespace that end with it. So its bridges, rules, mounts and containers never meet the machine's own, and
# nothing of it is left, however it ends. Nothing in there reaches the Internet: images come from base-image.sh.
set -euo pipefail

if docker info >/dev/null 2>&1; then exec "$@"; fi
if ! command -v dockerd >/dev/null || [ "$(id -u)" != 0 ]; then
  echo "with-engine: no engine answers, and starting one takes root and dockerd (Debian: apt-get install docker.io)" >&2
  exit 1
fi

state=$(mktemp -d "${TMPDIR:-/tmp}/awl-engine.XXXXXX")
cgroup=$(basename "$state")
export DOCKER_HOST="unix://$state/docker.sock"

setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child --mount-proc sh -euc '
  state=$1 cgroup=$2
  # Hides what another engine keeps there, and goes with the namespace.
  mount -t tmpfs engine /run
  ip link set lo up
  exec dockerd --host "unix://$state/docker.sock" --data-root "$state/data" --exec-root /run/engine --pidfile /run/engine.pid \
    --cgroup-parent "$cgroup"
' sh "$state" "$cgroup" >"$state/log" 2>&1 &
engine=$!

finish() {
  trap - EXIT INT TERM
  # dockerd is init of its pid namespace: the kernel ends the rest with it, and only then is it gone.
  kill -KILL $(cat "/proc/$engine/task/$engine/children" 2>/dev/null) 2>/dev/null || true
  wait "$engine" 2>/dev/null || true
  find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" -exec rmdir {} \; 2>/dev/null || true
  rm -rf "$state"
}
trap finish EXIT
trap 'exit 130' INT TERM

for _ in $(seq 300); do
  docker info >/dev/null 2>&1 && break
  if ! kill -0 "$engine" 2>/dev/null; then break; fi
  sleep 0.1
done
if ! docker info >/dev/null 2>&1; then
  echo "with-engine: dockerd did not come up:" >&2
  tail -n 20 "$state/log" >&2
  exit 1
fi
"$@"

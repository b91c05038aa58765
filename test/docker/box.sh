#!/bin/sh
# One box of the compose lab: `box.sh nat-a` lays the box's cables, loads its rules, and stays.
#
# A cable is a VXLAN between two containers. Plain routing over Docker's network would not do: Docker drops what a router forwards,
# because its addresses are not that network's own. What is inside a cable it does not see, so any address will do in there.
set -eu

setup=$(node test/dist/docker/box-main.js "$1")

own=$(ip -o -4 address show dev eth0 | sed 's/.* inet //; s/[/ ].*//; q')
network=$(ip -o -4 route show dev eth0 scope link | sed 's/ .*//; q')

# cable ID INTERFACE NEIGHBOUR ADDRESS...: NEIGHBOUR has the other end.
cable() {
  id=$1 interface=$2 neighbour=$3
  shift 3
  remote=$(address_of "$neighbour")
  ip link add "$interface" type vxlan id "$id" dev eth0 local "$own" remote "$remote" dstport 4789
  ip link set "$interface" addrgenmode none up
  for address in "$@"; do ip address add "$address" dev "$interface"; done
}

route() { ip route replace "$1" via "$2"; }
rules() { nft -f -; }
say() { echo "$1"; }

# A service's name resolves once its container runs.
address_of() {
  for _ in $(seq 300); do
    found=$(getent ahostsv4 "$1" | sed 's/ .*//; q')
    if [ -n "$found" ]; then
      echo "$found"
      return
    fi
    sleep 0.1
  done
  echo "$1 did not come up" >&2
  return 1
}

eval "$setup"
# From now on the address in Docker's network is local, but no interface has it: no program here is to find it and offer it to a peer.
ip address flush dev eth0
ip route add local "$own" dev lo
ip route add "$network" dev eth0 src "$own"
touch /run/up
exec sleep infinity

/** What the compose lab has from the lab of namespaces: the kinds of NAT, and the nftables rules that make them. */
export { layersOf, NAT_KIND_NAMES, NAT_KINDS, type NatKindName, type RouterBehaviour } from "../lab/nat-kinds.js";
export { ruleset } from "../lab/ruleset.js";

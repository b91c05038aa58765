/** What the compose lab has from the lab of namespaces: the kinds of NAT, and the nftables rules that make them. */
export { KERNEL_KIND_NAMES, layersOf, NAT_KINDS, type NatKindName, type RouterBehaviour } from "../grid/nat-kinds.js";
export { ruleset } from "../lab/ruleset.js";

import { layersOf, type NatKindName, type RouterTraits } from "../grid/nat-kinds.js";
import { Plan } from "./plan.js";
import { type Lan, layRouters, type Router, type Uplink } from "./router.js";
import { Site } from "./site.js";
import type { World } from "./world.js";

/** The /24 inside has a gateway, and is small enough that a home has its number for an address. */
const MAX_HOMES = 253;

/** A carrier whose NAT several homes are behind. */
export class Carrier {
  readonly name: string;
  /** Outermost first. */
  readonly routers: readonly Router[];
  readonly #world: World;
  readonly #lan: Lan;
  #homes = 0;

  /** For Lab.carrier(): adds the carrier to `plan` and brings it up. */
  static async build(
    world: World,
    plan: Plan,
    kind: NatKindName,
    traits: Partial<RouterTraits>,
    name: string,
    uplink: Uplink,
  ): Promise<Carrier> {
    const { routers, lan } = layRouters(world, plan, name, layersOf(kind, traits), undefined, uplink, "carrier");
    await world.script(plan.script());
    return new Carrier(world, name, routers, lan);
  }

  private constructor(world: World, name: string, routers: readonly Router[], lan: Lan) {
    this.#world = world;
    this.#lan = lan;
    this.name = name;
    this.routers = routers;
  }

  /** A home of that kind in the carrier's network. Homes may be made concurrently. */
  async site(kind: NatKindName, traits: Partial<RouterTraits> = {}): Promise<Site> {
    const number = ++this.#homes;
    if (number > MAX_HOMES) throw new RangeError(`a carrier has room for ${MAX_HOMES} homes`);
    const { segment, prefix } = this.#lan;
    const uplink = { segment, address: `${prefix}.${number}`, routedPrefix: `100.64.${number}`, routers: this.routers };
    return Site.build(this.#world, new Plan(), kind, traits, `${this.name}-home${number}`, uplink);
  }
}

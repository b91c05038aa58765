import { describe, expect, test } from "vitest";
import { Crowd, makeKey } from "./crowd.test-support.js";
import type { RelayRequest } from "./signal-io.js";

const KEY = makeKey();

/** A linked pair; every relay is named after whom it is for. */
function pair() {
  const requests: RelayRequest[] = [];
  const crowd = new Crowd({ relaySeconds: 100 }, (request) => {
    requests.push(request);
    return [{ uris: ["turn:203.0.113.1:3478"], username: request.user, password: request.pair }];
  });
  const listener = crowd.listener(KEY, "192.0.2.1");
  const knocker = crowd.connect("198.51.100.9");
  const [atKnocker, atListener] = knocker.link(listener, KEY.room);
  return { crowd, listener, knocker, atKnocker, atListener, requests };
}

describe("relays for a pair", () => {
  test("both sides get one when the listener has let the knocker in, for each other's addresses", () => {
    const { crowd, listener, knocker, atKnocker, atListener, requests } = pair();
    listener.say({ type: "admit", link: atListener });
    const [there, here] = [knocker.take("relay"), listener.take("relay")];
    expect(there).toMatchObject({ link: atKnocker, seconds: 100, relays: [{ username: "knocker" }] });
    expect(here).toMatchObject({ link: atListener, seconds: 100, relays: [{ username: "listener" }] });
    expect(there.relays[0]?.password).toBe(here.relays[0]?.password);
    expect(requests[0]?.peers).toEqual(["198.51.100.9", "192.0.2.1"]);
    expect(crowd.server.counters.admitted).toBe(1);
  });

  test("a stranger who only knocks gets none, nor does who says that he was admitted", () => {
    const { listener, knocker, atKnocker, atListener } = pair();
    knocker.say({ type: "admit", link: atKnocker });
    knocker.say({ type: "admit", link: atListener + 7 });
    expect([knocker.messages, listener.messages, knocker.closed]).toEqual([[], [], undefined]);
  });

  test("pairs have nothing in common", () => {
    const { crowd, listener, atListener, requests } = pair();
    const [, again] = crowd.connect("198.51.100.9").link(listener, KEY.room);
    for (const link of [atListener, again]) listener.say({ type: "admit", link });
    expect(new Set(requests.map(({ pair }) => pair)).size).toBe(2);
  });

  test("asked for again, there are new ones once half of the time is over", () => {
    const { crowd, listener, knocker, atListener, requests } = pair();
    for (let i = 0; i < 100; i++) listener.say({ type: "admit", link: atListener });
    expect(requests).toHaveLength(2);
    crowd.pass(49_999);
    listener.say({ type: "admit", link: atListener });
    expect(requests).toHaveLength(2);
    crowd.pass(1);
    listener.say({ type: "admit", link: atListener });
    expect(requests).toHaveLength(4);
    expect(new Set(requests.map(({ pair }) => pair)).size).toBe(1);
    expect(knocker.messages.map(({ type }) => type)).toEqual(["relay", "relay"]);
  });

  test("where there are none, both are told so", () => {
    const crowd = new Crowd();
    const listener = crowd.listener(KEY);
    const knocker = crowd.connect();
    const [, link] = knocker.link(listener, KEY.room);
    listener.say({ type: "admit", link });
    expect([knocker.take("relay").relays, listener.take("relay").relays]).toEqual([[], []]);
  });
});
